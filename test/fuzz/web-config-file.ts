import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadWebConfig } from '../../src/config/web-config-file.ts';
import { mangled } from './mangle.ts';
import { mustExplain } from './policy-file.ts';
import type { Target } from './target.ts';

const HASH = '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';
const SAMPLES = [
  `basic_auth_users:\n  alice: ${HASH}\n  bob: ${HASH}\n`,
  `basic_auth_users:\n  "a: b": '${HASH}'\n`,
  'tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n',
  'tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n' +
    '  client_ca_file: ca.pem\n  client_auth_type: RequireAndVerifyClientCert\n' +
    '  min_version: TLS12\n  max_version: TLS13\n',
  'tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n' +
    '  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]\n' +
    '  prefer_server_cipher_suites: true\n  curve_preferences: [X25519, CurveP256]\n',
  'http_server_config:\n  http2: false\n  headers:\n    X-Frame-Options: deny\n' +
    '    Strict-Transport-Security: max-age=31536000; includeSubDomains\n',
];
const PIECES = [
  ...[
    '&a',
    '*a',
    '<<: *a',
    '---\n',
    '? ',
    ': ',
    '- ',
    '|\n',
    '>\n',
    '__proto__: 1\n',
    '../',
    '/dev/null',
    'constructor: 1\n',
  ],
  ...[
    '$2a$31$',
    '$2y$04$',
    '$2b$99$',
    '~',
    'null',
    'TLS13',
    'NoClientCert',
    '{',
    '}',
    '"',
    "'",
    '\t',
  ],
];

/** A web configuration file, and certificates that are none. */
export const webConfigFile: Target = {
  name: 'web-config-file',
  open() {
    const directory = mkdtempSync(join(tmpdir(), 'fuzz-web-'));
    const path = join(directory, 'web.yaml');
    for (const name of ['server.pem', 'server.key', 'ca.pem']) {
      writeFileSync(join(directory, name), '-----BEGIN CERTIFICATE-----\nMIIB\n');
    }
    return {
      async attempt(pick) {
        writeFileSync(path, mangled(SAMPLES[pick(SAMPLES.length)] ?? '', pick, PIECES));
        const config = await loadWebConfig(path);
        if (config.ok) {
          if (config.value.tls !== undefined) throw new Error('a certificate out of nothing');
          return 'value';
        }
        mustExplain(config.error);
        return 'refusal';
      },
      [Symbol.asyncDispose]() {
        rmSync(directory, { recursive: true });
        return Promise.resolve();
      },
    };
  },
};
