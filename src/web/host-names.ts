import { isIP, isIPv4 } from 'node:net';
import { hostname } from 'node:os';

import { plainAddress } from './client-address.ts';

/** What a `Host` header says of the name it was asked by. */
export type AskedHost =
  | { readonly kind: 'name'; readonly name: string }
  /** None, or an empty one. */
  | { readonly kind: 'none' }
  /** Two headers, or one that names no host. */
  | { readonly kind: 'malformed' };

/** Reads `Host` (RFC 9110 §7.2): a name or address, and perhaps a port. */
export function parseHost(values: readonly string[]): AskedHost {
  const [value = ''] = values;
  if (values.length > 1) return { kind: 'malformed' };
  if (value === '') return { kind: 'none' };
  const match = /^(?:\[([0-9a-f:.]+)\]|([\w.~-]+))(?::(\d{0,5}))?$/i.exec(value);
  if (match === null || Number(match[3] ?? 0) > 65_535) return { kind: 'malformed' };
  const [, v6, name] = match;
  if (v6 !== undefined && isIP(v6) !== 6) return { kind: 'malformed' };
  return { kind: 'name', name: canonicalHost(v6 ?? name ?? '') };
}

/** Lower case, without the dot of the root, addresses in one spelling. */
function canonicalHost(name: string): string {
  return plainAddress(name.toLowerCase().replace(/\.$/, ''));
}

/**
 * The names a listener is known by. A page elsewhere can give its own name our address (DNS
 * rebinding) and have a browser read from us what the browser may reach; it cannot give it another
 * `Host`.
 */
export class HostNames {
  readonly #allowed: ReadonlySet<string>;

  /** @param allowed names besides the machine's own. */
  constructor(allowed: readonly string[]) {
    this.#allowed = new Set(allowed.map(canonicalHost));
  }

  /** @param localAddress which address of ours the connection came to. */
  know(name: string, localAddress: string | undefined): boolean {
    if (name === 'localhost' || name === '::1' || this.#allowed.has(name)) return true;
    if (isIPv4(name) && name.startsWith('127.')) return true;
    if (isIP(name) !== 0) return localAddress !== undefined && plainAddress(localAddress) === name;
    const own = canonicalHost(hostname());
    return name === own || name === own.split('.')[0];
  }
}
