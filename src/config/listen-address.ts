/** Where to listen. */
export interface ListenAddress {
  /** A name or address without brackets; undefined for all interfaces, IPv4 and IPv6. */
  readonly host: string | undefined;
  /** 0 lets the kernel choose. */
  readonly port: number;
}

/** Reads `:9177`, `127.0.0.1:9177`, `localhost:9177` or `[::1]:9177`. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|([\w.-]*)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  if (port > 65_535) return undefined;
  const host = match[1] ?? match[2];
  return { host: host === '' ? undefined : host, port };
}
