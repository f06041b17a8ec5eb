import { createHmac, randomBytes } from 'node:crypto';

import { compare } from 'bcryptjs';

/** Checks that run one after the other; more that wait than this many are turned away. */
const MAX_WAITING = 20;
/** Logins that were right, kept so that not each scrape costs what bcrypt is made to cost. */
const MAX_REMEMBERED = 100;
/** Of no password: a user that does not exist takes as long as one that does. */
const NOBODYS_HASH = '$2b$10$iProNiFdNys1JH62fTiGUO3y8JGxG4FuqVft745nuJG12Z2As/mMG';

export type LoginResult = 'right' | 'wrong' | 'busy';

/**
 * Passwords against their bcrypt hashes. A check takes some 0.1 s of computing, so only one runs at
 * a time and a right login is remembered: by a keyed digest, not by its password.
 */
export class BasicAuth {
  readonly #digestKey = randomBytes(32);
  readonly #remembered = new Set<string>();
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** @param authorization the request's header. */
  async check(
    users: ReadonlyMap<string, string>,
    authorization: string | undefined,
  ): Promise<LoginResult> {
    const login = parseAuthorization(authorization);
    if (login === undefined) return 'wrong';
    const hash = users.get(login.user);
    const digest = this.#digest(login.user, login.password, hash ?? '');
    if (this.#remembered.has(digest)) return 'right';
    if (this.#waiting >= MAX_WAITING) return 'busy';
    if (!(await this.#inTurn(() => this.#matches(digest, login.password, hash)))) return 'wrong';
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.add(digest);
    return 'right';
  }

  async #matches(digest: string, password: string, hash: string | undefined): Promise<boolean> {
    // The same login may have been checked while this one waited.
    if (this.#remembered.has(digest)) return true;
    const matches = await compare(password, hash ?? NOBODYS_HASH);
    return matches && hash !== undefined;
  }

  async #inTurn(work: () => Promise<boolean>): Promise<boolean> {
    this.#waiting += 1;
    const before = this.#last;
    const done = Promise.withResolvers<undefined>();
    this.#last = done.promise;
    try {
      await before;
      return await work();
    } finally {
      this.#waiting -= 1;
      done.resolve(undefined);
    }
  }

  /** The hash is part of it: a changed password makes the old one forgotten. */
  #digest(...parts: readonly string[]): string {
    return createHmac('sha256', this.#digestKey).update(JSON.stringify(parts)).digest('base64');
  }
}

/** `Basic` and base64 of `user:password` (RFC 7617). */
function parseAuthorization(
  header: string | undefined,
): { readonly user: string; readonly password: string } | undefined {
  const encoded = /^basic +([A-Za-z0-9+/=]+)$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
