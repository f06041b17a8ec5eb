import { monitorEventLoopDelay } from 'node:perf_hooks';

import { hash } from 'bcryptjs';
import { beforeAll, describe, expect, it } from 'vitest';

import { BasicAuth, type LoginResult } from '../../../src/web/basic-auth.ts';

/** The least bcrypt takes, and what it is mostly made to cost. */
const CHEAP = 4;
const USUAL = 10;

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

const HERE = new AbortController().signal;

/** As from one client that stays. */
function check(
  auth: BasicAuth,
  users: ReadonlyMap<string, string>,
  authorization: string | undefined,
  client = 'a',
): Promise<LoginResult> {
  return auth.check(users, authorization, client, HERE);
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

describe('a login', () => {
  let users: ReadonlyMap<string, string>;

  beforeAll(async () => {
    users = new Map([
      ['alice', await hash('a:b', CHEAP)],
      ['slow', await hash('slow', USUAL)],
    ]);
  });

  it.each([
    ['the right password, which may hold a colon', basic('alice:a:b'), 'right'],
    ['the scheme in any case', basic('alice:a:b').replace('Basic', 'bASIC'), 'right'],
    ['another password', basic('alice:a'), 'wrong'],
    ["another user's password", basic('slow:a:b'), 'wrong'],
    ['a user that is not there', basic('bob:a:b'), 'wrong'],
    ['no colon', basic('alice'), 'wrong'],
    ['another scheme', 'Bearer abc', 'wrong'],
    ['no base64', 'Basic ü', 'wrong'],
    ['nothing', undefined, 'wrong'],
  ])('with %s', async (_, authorization, result) => {
    expect(await check(new BasicAuth(), users, authorization)).toBe(result);
  });

  it('costs what its hash costs once; a wrong one costs it each time', async () => {
    const auth = new BasicAuth();
    const right = () => check(auth, users, basic('slow:slow'));
    const first = await milliseconds(right);
    expect(await milliseconds(right)).toBeLessThan(first / 4);
    const wrong = () => check(auth, users, basic('slow:fast'));
    await wrong();
    expect(await milliseconds(wrong)).toBeGreaterThan(first / 4);
  });

  it('costs the same for every user: the most expensive hash', async () => {
    const auth = new BasicAuth();
    const wrong = async (user: string): Promise<number> => {
      const each: number[] = [];
      for (let i = 0; i < 5; i += 1) {
        each.push(await milliseconds(() => check(auth, users, basic(`${user}:wrong${i}`))));
      }
      // Of what else a machine does there is most in the longest.
      return Math.min(...each);
    };
    await wrong('alice');
    const [cheap, slow, unknown] = [await wrong('alice'), await wrong('slow'), await wrong('bob')];
    for (const one of [cheap, unknown]) {
      expect(one / slow).toBeGreaterThan(0.6);
      expect(one / slow).toBeLessThan(1.6);
    }
  });

  it('does not hold the event loop', async () => {
    const auth = new BasicAuth();
    await check(auth, users, basic('slow:first'));
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const took = await milliseconds(() => check(auth, users, basic('slow:wrong')));
    delay.disable();
    expect(delay.percentile(50) / 1e6).toBeLessThan(took / 4);
  });

  it('that was right once is no longer right when the password was changed', async () => {
    const auth = new BasicAuth();
    expect(await check(auth, users, basic('alice:a:b'))).toBe('right');
    const changed = new Map([['alice', await hash('new', CHEAP)]]);
    expect(await check(auth, changed, basic('alice:a:b'))).toBe('wrong');
    expect(await check(auth, changed, basic('alice:new'))).toBe('right');
  });

  it('gets its turn among many wrong ones of another client', async () => {
    const auth = new BasicAuth();
    const order: string[] = [];
    const noted = async (name: string, client: string, login: string) => {
      const result = await check(auth, users, basic(login), client);
      order.push(`${name} ${result}`);
      return result;
    };
    const attack = Array.from({ length: 25 }, (_, i) => noted('attack', 'a', `slow:${i}`));
    expect(await noted('right', 'b', 'slow:slow')).toBe('right');
    // One was under way; those beyond the queue of one client were turned away at once.
    expect(order.filter((one) => one === 'attack wrong').length).toBeLessThan(3);
    const results = await Promise.all(attack);
    expect(results.filter((result) => result === 'wrong')).toHaveLength(6);
    expect(results.filter((result) => result === 'busy')).toHaveLength(19);
    // Known, it waits for nobody.
    const later = check(auth, users, basic('slow:x'), 'a');
    expect(await check(auth, users, basic('slow:slow'), 'a')).toBe('right');
    await later;
  });

  it('whose client went is not checked any more', async () => {
    const auth = new BasicAuth();
    const gone = new AbortController();
    const first = check(auth, users, basic('slow:1'));
    const left = auth.check(users, basic('slow:slow'), 'b', gone.signal);
    const third = check(auth, users, basic('slow:2'), 'c');
    gone.abort();
    await expect(left).rejects.toThrow('aborted');
    expect(await Promise.all([first, third])).toEqual(['wrong', 'wrong']);
  });
});
