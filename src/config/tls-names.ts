/**
 * Names of Go's crypto/tls, which web configuration files are written in, and what OpenSSL calls the
 * same (openssl-ciphers(1), "CIPHER SUITE NAMES").
 */

/** What `tls.CipherSuites()` of Go has for TLS up to 1.2. */
const OLDER_SUITES: Readonly<Record<string, string>> = {
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
};

/** Of TLS 1.3, which Go lets nobody choose from; both sides call them the same. */
const TLS13_SUITES: readonly string[] = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
];

const CURVES: Readonly<Record<string, string>> = {
  CurveP256: 'P-256',
  CurveP384: 'P-384',
  CurveP521: 'P-521',
  X25519: 'X25519',
};

export const SUITE_NAMES: readonly string[] = [...Object.keys(OLDER_SUITES), ...TLS13_SUITES];
export const CURVE_NAMES: readonly string[] = Object.keys(CURVES);

/** Whether TLS up to 1.2 can use it. */
export function isOlderSuite(name: string): boolean {
  return name in OLDER_SUITES;
}

/**
 * OpenSSL's list for suites of Go. Those of TLS 1.3 are all in it, as in Go.
 *
 * @returns undefined for no suites: whatever is usual.
 */
export function opensslCiphers(suites: readonly string[]): string | undefined {
  if (suites.length === 0) return undefined;
  return [...TLS13_SUITES, ...suites.flatMap((name) => OLDER_SUITES[name] ?? [])].join(':');
}

/** OpenSSL's list for curves of Go; undefined for none. */
export function opensslCurves(curves: readonly string[]): string | undefined {
  if (curves.length === 0) return undefined;
  return curves.flatMap((name) => CURVES[name] ?? []).join(':');
}
