import { X509Certificate } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';

import { z } from 'zod';

import { faultOfHash } from './bcrypt-hash.ts';
import {
  CURVE_NAMES,
  isOlderSuite,
  opensslCiphers,
  opensslCurves,
  SUITE_NAMES,
} from './tls-names.ts';
import { failedWith, found, type Result } from '../runtime/result.ts';
import type { ClientAuth, TlsConfig, TlsVersion, WebConfig } from './web-config.ts';
import { toMessage, parseYaml, readText, type FileFaults } from './yaml-file.ts';

/**
 * Reads and checks a web configuration file and the certificates it names, relative ones beside it.
 * Never throws: an unreadable file is a fault like any other.
 */
export async function loadWebConfig(path: string): Promise<Result<WebConfig, FileFaults>> {
  const text = await readText(path);
  if (!text.ok) return text;
  const file = parseYaml(text.value, path, {
    schema: WEB_CONFIG_FILE,
    whole: 'the web configuration',
    allowedKeys,
    refusal: (keys) => REFUSED.get(keys.map(String).join('.')),
  });
  if (!file.ok) return file;
  const users = new Map(Object.entries(file.value.basic_auth_users ?? {}));
  const set = Object.entries(file.value.http_server_config?.headers ?? {});
  const headers = new Map(set.flatMap(([name, text]) => (text ? [[name, text] as const] : [])));
  const section = file.value.tls_server_config;
  if (section === null || section === undefined) return found({ tls: undefined, users, headers });
  const tls = await loadTls(section, path);
  return tls.ok ? found({ tls: tls.value, users, headers }) : tls;
}

/** What Prometheus' own programs know and this one does not, and what to do without it. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['rate_limit', 'not supported here; --web.max-requests limits requests at once'],
  ['tls_server_config.cert', 'not supported here; name a file in cert_file'],
  ['tls_server_config.key', 'not supported here; name a file in key_file'],
  ['tls_server_config.client_ca', 'not supported here; name a file in client_ca_file'],
  [
    'tls_server_config.client_allowed_sans',
    'not supported here; every certificate that client_ca_file has signed may connect',
  ],
  [
    'http_server_config.headers.Content-Security-Policy',
    'not supported here; the page has its own',
  ],
]);

const VERSIONS = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
} as const satisfies Readonly<Record<string, TlsVersion>>;

const CLIENT_AUTHS = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const satisfies readonly ClientAuth[];

const fileName = z.string({ error: 'it must be the path of a PEM file' }).min(1);

const version = z.enum(['TLS10', 'TLS11', 'TLS12', 'TLS13'], {
  error: 'allowed are TLS10, TLS11, TLS12, TLS13',
});

const yesOrNo = z.boolean({ error: 'allowed are true and false' });

/** A list of some of these names; none, or an empty list: whatever is usual. */
function listOfNames(names: readonly string[]) {
  const error = `allowed is a list of ${names.join(', ')}`;
  return z
    .array(z.enum(names, { error }), { error })
    .nullish()
    .transform((list) => list ?? []);
}

const TLS_SECTION = z
  .strictObject({
    cert_file: fileName,
    key_file: fileName,
    client_ca_file: fileName.optional(),
    client_auth_type: z
      .enum(CLIENT_AUTHS, { error: `allowed are ${CLIENT_AUTHS.join(', ')}` })
      .default('NoClientCert'),
    min_version: version.default('TLS12'),
    max_version: version.default('TLS13'),
    cipher_suites: listOfNames(SUITE_NAMES),
    prefer_server_cipher_suites: yesOrNo.default(true),
    curve_preferences: listOfNames(CURVE_NAMES),
  })
  .superRefine((section, context) => {
    const { client_ca_file, client_auth_type, min_version, max_version, cipher_suites } = section;
    const fault = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    const verifies = client_auth_type.includes('Verify');
    if (verifies && client_ca_file === undefined) {
      fault('client_auth_type', `${client_auth_type} needs client_ca_file`);
    }
    // Whoever names an authority wants strangers kept out, which this would not do.
    if (!verifies && client_ca_file !== undefined) {
      fault('client_ca_file', 'it needs a client_auth_type that verifies certificates');
    }
    if (min_version > max_version) fault('min_version', 'it must not be above max_version');
    if (max_version < 'TLS13' && cipher_suites.length > 0 && !cipher_suites.some(isOlderSuite)) {
      fault('cipher_suites', `none of them is of a version up to ${max_version}`);
    }
  });

/** As `htpasswd -B` and Prometheus' documentation make it. */
const passwordHash = z
  .string({ error: 'it must be a bcrypt hash' })
  .superRefine((hash, context) => {
    const message = faultOfHash(hash);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

/** A header nobody wants is left out, null or empty. */
const headerText = z
  .string({ error: 'it must be a text' })
  .regex(/^[\t\x20-\x7e]*$/, { error: 'a header is of plain ASCII' })
  .nullish();

function anyOf(...texts: readonly string[]) {
  return z.enum(['', ...texts], { error: `allowed are ${texts.join(', ')}` }).nullish();
}

const HTTP_SECTION = z.strictObject({
  http2: yesOrNo
    .refine((wanted) => !wanted, { error: 'HTTP/2 is not supported here; leave it out, or false' })
    .nullish(),
  headers: z
    .strictObject({
      'X-Frame-Options': anyOf('deny', 'sameorigin'),
      'X-Content-Type-Options': anyOf('nosniff'),
      'X-XSS-Protection': headerText,
      'Strict-Transport-Security': headerText,
    })
    .nullish(),
});

const WEB_CONFIG_FILE = z.strictObject({
  tls_server_config: TLS_SECTION.nullish(),
  http_server_config: HTTP_SECTION.nullish(),
  basic_auth_users: z.record(z.string(), passwordHash).nullish(),
});

function allowedKeys([section, part]: readonly PropertyKey[]): string {
  switch (section) {
    case undefined:
      return Object.keys(WEB_CONFIG_FILE.shape).join(', ');
    case 'tls_server_config':
      return Object.keys(TLS_SECTION.shape).join(', ');
    case 'http_server_config': {
      const { headers } = HTTP_SECTION.shape;
      return Object.keys(
        part === 'headers' ? headers.unwrap().unwrap().shape : HTTP_SECTION.shape,
      ).join(', ');
    }
    default:
      return 'names of users';
  }
}

async function loadTls(
  section: z.output<typeof TLS_SECTION>,
  path: string,
): Promise<Result<TlsConfig, FileFaults>> {
  const read = async (key: string, file: string): Promise<Result<string, FileFaults>> => {
    const text = await readText(resolve(dirname(path), file));
    return text.ok ? text : failedWith(text.error.map((one) => `${path}: ${key}: ${one}`));
  };
  const certificate = await read('cert_file', section.cert_file);
  if (!certificate.ok) return certificate;
  const key = await read('key_file', section.key_file);
  if (!key.ok) return key;
  const authority: Result<string | undefined, FileFaults> =
    section.client_ca_file === undefined
      ? found(undefined)
      : await read('client_ca_file', section.client_ca_file);
  if (!authority.ok) return authority;
  const tls: TlsConfig = {
    certificate: certificate.value,
    key: key.value,
    clientAuthority: authority.value,
    clientAuth: section.client_auth_type,
    minVersion: VERSIONS[section.min_version],
    maxVersion: VERSIONS[section.max_version],
    ciphers: opensslCiphers(section.cipher_suites),
    prefersOwnCiphers: section.prefer_server_cipher_suites,
    curves: opensslCurves(section.curve_preferences),
  };
  const unusable = findFault(tls);
  return unusable === undefined
    ? found(tls)
    : failedWith([`${path}: tls_server_config: ${unusable}`]);
}

/** What OpenSSL has against these texts, e.g. a key of another certificate. */
function findFault(tls: TlsConfig): string | undefined {
  const { certificate, key, clientAuthority, ciphers, curves } = tls;
  try {
    createSecureContext({ cert: certificate, key, ciphers, ecdhCurve: curves });
  } catch (error) {
    return toMessage(error);
  }
  try {
    // An authority that is none would go unnoticed above, and then trust nobody.
    if (clientAuthority !== undefined) new X509Certificate(clientAuthority);
    return undefined;
  } catch (error) {
    return `client_ca_file: ${toMessage(error)}`;
  }
}
