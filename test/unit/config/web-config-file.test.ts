import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, getCiphers } from 'node:tls';
import { describe, expect, it } from 'vitest';

import {
  CURVE_NAMES,
  opensslCiphers,
  opensslCurves,
  SUITE_NAMES,
} from '../../../src/config/tls-names.ts';
import { loadWebConfig } from '../../../src/config/web-config-file.ts';

describe('a web configuration that names a certificate nobody can read', () => {
  it('is refused in one line, whatever the name is made of', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'web-config-'));
    try {
      const path = join(directory, 'web.yaml');
      const names = 'cert_file: "a\\e[2J\\n.pem"\n  key_file: b.key\n';
      writeFileSync(path, `tls_server_config:\n  ${names}`);
      const config = await loadWebConfig(path);
      expect(config.ok).toBe(false);
      const errors = config.ok ? [] : config.error;
      expect(errors).toHaveLength(1);
      expect(errors[0]).toContain('cert_file: ');
      expect(errors[0]).not.toMatch(/\p{Cc}/u);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('a web configuration in the form of other programs', () => {
  const load = async (text: string) => {
    const directory = mkdtempSync(join(tmpdir(), 'web-config-'));
    try {
      const path = join(directory, 'web.yaml');
      writeFileSync(path, text);
      const config = await loadWebConfig(path);
      return config.ok ? config.value : config.error.map((one) => one.replace(path, 'web.yaml'));
    } finally {
      rmSync(directory, { recursive: true });
    }
  };

  it('may add headers, of which the empty ones are left out', async () => {
    const text = [
      'http_server_config:',
      '  http2: false',
      '  headers:',
      '    X-Frame-Options: deny',
      '    X-Content-Type-Options:',
      "    X-XSS-Protection: ''",
      '    Strict-Transport-Security: max-age=31536000; includeSubDomains',
    ];
    expect(await load(text.join('\n'))).toEqual({
      tls: undefined,
      users: new Map(),
      headers: new Map([
        ['X-Frame-Options', 'deny'],
        ['Strict-Transport-Security', 'max-age=31536000; includeSubDomains'],
      ]),
    });
  });

  it.each([
    [
      'rate_limit: { interval: 1s, burst: 5 }',
      'rate_limit: not supported here; --web.max-requests',
    ],
    ['http_server_config: { http2: true }', 'http_server_config.http2: HTTP/2 is not supported'],
    [
      'http_server_config: { headers: { Content-Security-Policy: "*" } }',
      'http_server_config.headers.Content-Security-Policy: not supported here; the page has its own',
    ],
    [
      'http_server_config: { headers: { X-Frame-Options: maybe } }',
      'http_server_config.headers.X-Frame-Options: allowed are deny, sameorigin',
    ],
    [
      'http_server_config: { headers: { Strict-Transport-Security: "a\\r\\nSet-Cookie: b" } }',
      'http_server_config.headers.Strict-Transport-Security: a header is of plain ASCII',
    ],
    [
      'http_server_config: { headers: { Server: x } }',
      'http_server_config.headers.Server: unknown key; allowed are X-Frame-Options, ' +
        'X-Content-Type-Options, X-XSS-Protection, Strict-Transport-Security',
    ],
    ['http_server_config: { http3: true }', 'http3: unknown key; allowed are http2, headers'],
    [
      'constructor: 1',
      'constructor: unknown key; allowed are tls_server_config, http_server_config',
    ],
  ])('%j is refused with a line that says what to do', async (text, words) => {
    expect(await load(text)).toEqual([expect.stringContaining(words)]);
  });

  const TLS = 'tls_server_config:\n  cert_file: a.pem\n  key_file: a.key\n';

  it.each([
    [
      'cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]',
      'cipher_suites.0: allowed is a list of TLS_ECDHE',
    ],
    ['cipher_suites: TLS_AES_128_GCM_SHA256', 'cipher_suites: allowed is a list of TLS_ECDHE'],
    [
      'cipher_suites: [TLS_AES_128_GCM_SHA256]\n  max_version: TLS12',
      'cipher_suites: none of them is of a version up to TLS12',
    ],
    ['curve_preferences: [P-256]', 'curve_preferences.0: allowed is a list of CurveP256'],
    ['prefer_server_cipher_suites: 1', 'prefer_server_cipher_suites: allowed are true and false'],
    ['cert: PEM', 'cert: not supported here; name a file in cert_file'],
    ['client_allowed_sans: [a]', 'client_allowed_sans: not supported here; every certificate'],
  ])('a section for TLS with %j is refused as well', async (line, words) => {
    expect(await load(`${TLS}  ${line}\n`)).toEqual([
      expect.stringContaining(`tls_server_config.${words}`),
    ]);
  });
});

describe("Go's names of cipher suites", () => {
  it('are all known to OpenSSL', () => {
    const known = getCiphers().map((name) => name.toUpperCase());
    const translated = opensslCiphers(SUITE_NAMES)?.split(':') ?? [];
    expect(translated).toHaveLength(SUITE_NAMES.length);
    expect(translated.filter((name) => !known.includes(name))).toEqual([]);
    expect(() => createSecureContext({ ecdhCurve: opensslCurves(CURVE_NAMES) })).not.toThrow();
  });

  it('keep their order, behind those of TLS 1.3, which Go lets nobody choose', () => {
    const chosen = [
      'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
      'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
    ];
    expect(opensslCiphers(chosen)).toBe(
      'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:' +
        'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256',
    );
    expect(opensslCiphers([])).toBeUndefined();
  });
});
