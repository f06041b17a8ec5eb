import { describe, expect, it } from 'vitest';

import { isUp, toBytesPerSecond } from '../../../../src/model/facts/link-state.ts';

const speed = { known: false, because: 'unknown' } as const;

describe('an interface', () => {
  it.each([
    ['up', true, true],
    ['up', undefined, true],
    ['down', true, false],
    ['lowerlayerdown', false, false],
    ['dormant', true, false],
    ['unknown', true, true],
    ['unknown', false, false],
    ['unknown', undefined, false],
    [undefined, true, undefined],
  ])('with operstate %s and carrier %s is up: %s', (operational, carrier, up) => {
    expect(isUp({ operational, carrier, speed })).toBe(up);
  });

  it('whose state was not read is neither up nor down', () => {
    expect(isUp(undefined)).toBeUndefined();
  });

  it('carries an eighth of its bits per second, where the driver knows them', () => {
    const state = { operational: 'up', carrier: true };
    const gigabit = { known: true, bitsPerSecond: 1e9 } as const;
    expect(toBytesPerSecond({ ...state, speed: gigabit })).toBe(125e6);
    expect(toBytesPerSecond({ ...state, speed })).toBeUndefined();
    expect(toBytesPerSecond(undefined)).toBeUndefined();
  });
});
