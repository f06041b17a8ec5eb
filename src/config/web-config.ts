/**
 * TLS and logins of the HTTP side, in the form of Prometheus' own programs (exporter-toolkit's
 * docs/web-configuration.md), from the file of `--web.config.file`.
 */

/** How clients are asked for a certificate; the names and meanings of Go's crypto/tls. */
export type ClientAuth =
  | 'NoClientCert'
  | 'RequestClientCert'
  | 'RequireAnyClientCert'
  | 'VerifyClientCertIfGiven'
  | 'RequireAndVerifyClientCert';

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

export interface TlsConfig {
  /** PEM texts. */
  readonly certificate: string;
  readonly key: string;
  /** Who signs clients' certificates; undefined where none is checked. */
  readonly clientAuthority: string | undefined;
  readonly clientAuth: ClientAuth;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** OpenSSL's names, best first, separated by colons; undefined: Node's own choice. */
  readonly ciphers: string | undefined;
  /** Whether our order of ciphers counts rather than the client's. */
  readonly prefersOwnCiphers: boolean;
  /** OpenSSL's names, best first, separated by colons; undefined: OpenSSL's own choice. */
  readonly curves: string | undefined;
}

export interface WebConfig {
  /** Undefined: plain HTTP. */
  readonly tls: TlsConfig | undefined;
  /** bcrypt hashes of passwords by user; empty: no login is asked for. */
  readonly users: ReadonlyMap<string, string>;
  /** Headers that every answer has besides its own, by name. */
  readonly headers: ReadonlyMap<string, string>;
}

/** Without a file: plain HTTP for everyone. */
export const OPEN_WEB: WebConfig = { tls: undefined, users: new Map(), headers: new Map() };
