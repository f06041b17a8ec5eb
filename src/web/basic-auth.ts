import { createHmac, randomBytes } from 'node:crypto';

import { bcryptCost } from '../config/bcrypt-hash.ts';
import { FairQueue } from './fair-queue.ts';
import { PasswordThread } from './password-thread.ts';

/** Logins that were right, kept so that not each scrape costs what bcrypt is made to cost. */
const MAX_RIGHT_LOGINS = 100;

export type LoginResult = 'right' | 'wrong' | 'busy';

/**
 * Passwords against their bcrypt hashes. A check takes seconds of computing at the highest cost, so
 * only one runs at a time, on a thread of its own, by turns between clients. A right login is
 * cached: by a keyed digest, not by its password.
 */
export class BasicAuth {
  readonly #digestKey = randomBytes(32);
  readonly #rightLogins = new Set<string>();
  readonly #queue = new FairQueue();
  readonly #thread = new PasswordThread();

  /**
   * @param users bcrypt hashes by user.
   * @param authorization the request's header.
   * @param client whose turn it is.
   * @param gone when the client goes; a check that has not begun is then left out.
   * @throws the reason of `gone`; Error if passwords cannot be checked.
   */
  async check(
    users: ReadonlyMap<string, string>,
    authorization: string | undefined,
    client: string,
    gone: AbortSignal,
  ): Promise<LoginResult> {
    const login = parseAuthorization(authorization);
    if (login === undefined) return 'wrong';
    const hash = users.get(login.user);
    const digest = this.#digest(login.user, login.password, hash ?? '');
    if (this.#rightLogins.has(digest)) return 'right';
    const matches = await this.#queue.add(client, gone, () => {
      // The same login may have been checked while this one waited.
      if (this.#rightLogins.has(digest)) return Promise.resolve(true);
      return this.#matches(users, login.password, hash);
    });
    if (matches === undefined) return 'busy';
    if (!matches) return 'wrong';
    if (this.#rightLogins.size >= MAX_RIGHT_LOGINS) this.#rightLogins.clear();
    this.#rightLogins.add(digest);
    return 'right';
  }

  /**
   * Takes the same time whoever it is: that of the most expensive hash there is. A cost is the logarithm of
   * the work, so a hash of cost c and one each of c, c+1, … to below the highest make up the highest.
   */
  async #matches(
    users: ReadonlyMap<string, string>,
    password: string,
    hash: string | undefined,
  ): Promise<boolean> {
    const highest = Math.max(...Array.from(users.values(), bcryptCost));
    if (hash === undefined) {
      await this.#thread.check(password, nobodysHash(highest), []);
      return false;
    }
    const padding: string[] = [];
    for (let cost = bcryptCost(hash); cost < highest; cost += 1) padding.push(nobodysHash(cost));
    return this.#thread.check(password, hash, padding);
  }

  /** The hash is part of it: a changed password makes the old one forgotten. */
  #digest(...parts: readonly string[]): string {
    return createHmac('sha256', this.#digestKey).update(JSON.stringify(parts)).digest('base64');
  }
}

/** Of no password. */
function nobodysHash(cost: number): string {
  return `$2b$${String(cost).padStart(2, '0')}$iProNiFdNys1JH62fTiGUO3y8JGxG4FuqVft745nuJG12Z2As/mMG`;
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
