import { hash } from 'bcryptjs';
import { beforeAll, describe, expect, it } from 'vitest';

import { BasicAuth } from '../../../src/web/basic-auth.ts';

/** The least bcrypt takes, and what it is mostly made to cost. */
const CHEAP = 4;
const USUAL = 10;

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

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
    expect(await new BasicAuth().check(users, authorization)).toBe(result);
  });

  it('costs what its hash costs once; a wrong one costs it each time', async () => {
    const auth = new BasicAuth();
    const right = () => auth.check(users, basic('slow:slow'));
    const first = await milliseconds(right);
    expect(await milliseconds(right)).toBeLessThan(first / 4);
    const wrong = () => auth.check(users, basic('slow:fast'));
    await wrong();
    expect(await milliseconds(wrong)).toBeGreaterThan(first / 4);
  });

  it('of a user that is not there costs as much as that of one that is', async () => {
    const auth = new BasicAuth();
    const known = await milliseconds(() => auth.check(users, basic('slow:wrong')));
    const unknown = await milliseconds(() => auth.check(users, basic('nobody:wrong')));
    expect(unknown).toBeGreaterThan(known / 4);
  });

  it('that was right once is no longer right when the password was changed', async () => {
    const auth = new BasicAuth();
    expect(await auth.check(users, basic('alice:a:b'))).toBe('right');
    const changed = new Map([['alice', await hash('new', CHEAP)]]);
    expect(await auth.check(changed, basic('alice:a:b'))).toBe('wrong');
    expect(await auth.check(changed, basic('alice:new'))).toBe('right');
  });

  it('gets its turn among many wrong ones if it is known, and else is turned away', async () => {
    const auth = new BasicAuth();
    expect(await auth.check(users, basic('alice:a:b'))).toBe('right');
    const attack = Array.from({ length: 25 }, (_, i) => auth.check(users, basic(`alice:${i}`)));
    expect(await auth.check(users, basic('alice:a:b'))).toBe('right');
    expect(await auth.check(users, basic('slow:slow'))).toBe('busy');
    const results = await Promise.all(attack);
    expect(results.filter((result) => result === 'wrong')).toHaveLength(20);
    expect(results.filter((result) => result === 'busy')).toHaveLength(5);
    expect(await auth.check(users, basic('slow:slow'))).toBe('right');
  });
});
