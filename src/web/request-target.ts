/** What a request is about, in a form that needs no further doubt. */
export interface RequestTarget {
  /** Begins with a slash; percent-escapes are left as they are. */
  readonly path: string;
  readonly query: string;
  /** Of `GET http://host/path`, which a server must take as well; else undefined. */
  readonly authority: string | undefined;
}

/**
 * Reads the target of a request line (RFC 9112 §3.2): a path with a query, or a whole HTTP URL.
 *
 * @returns undefined for every other text, which there are many of: Node passes on whatever has no
 *   spaces.
 */
export function parseRequestTarget(target: string): RequestTarget | undefined {
  const match = /^(?:https?:\/\/([^/?#]+))?(\/[^?#]*)?(?:\?([^#]*))?$/i.exec(target);
  if (match === null) return undefined;
  const [, authority, path = authority === undefined ? undefined : '/', query = ''] = match;
  // Two slashes begin a host elsewhere, and would be one to express.
  if (path?.startsWith('//') === true) return undefined;
  // Characters outside of printable ASCII have no place there, and an escape has two digits.
  if (path === undefined || !/^[!-~]*$/.test(target) || /%(?![0-9a-f]{2})/i.test(path)) {
    return undefined;
  }
  return { path, query, authority };
}
