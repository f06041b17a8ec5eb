import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fairShares } from '../../../../src/overcommit/cpu/fair-share.ts';

describe('fair shares', () => {
  it('divide a joint limit by weight', () => {
    const claims = [1, 2, 3].map((weight) => ({ weight, limit: 100 }));
    expect(fairShares(claims, [{ claims: [0, 1, 2], limit: 12 }])).toEqual([2, 4, 6]);
  });

  it('give everyone what it can use where there is enough', () => {
    const claims = [3, 5].map((limit) => ({ weight: 1, limit }));
    expect(fairShares(claims, [{ claims: [0, 1], limit: 100 }])).toEqual([3, 5]);
  });

  it('hand what one cannot use to the others, and again', () => {
    const claims = [1, 3, 100].map((limit) => ({ weight: 1, limit }));
    expect(fairShares(claims, [{ claims: [0, 1, 2], limit: 9 }])).toEqual([1, 3, 5]);
  });

  it('obey the tightest of nested joint limits', () => {
    const claims = [10, 10, 10].map((limit) => ({ weight: 1, limit }));
    const limits = [
      { claims: [0, 1], limit: 2 },
      { claims: [0, 1, 2], limit: 9 },
    ];
    expect(fairShares(claims, limits)).toEqual([1, 1, 7]);
  });

  it('give nothing where there is nothing', () => {
    expect(fairShares([{ weight: 1, limit: 4 }], [{ claims: [0], limit: 0 }])).toEqual([0]);
    expect(fairShares([], [])).toEqual([]);
  });

  it('never exceed a limit, and stop only at one', () => {
    const claims = fc.array(
      fc.record({
        weight: fc.double({ min: 0.001, max: 256, noNaN: true }),
        limit: fc.double({ min: 0, max: 64, noNaN: true }),
      }),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(claims, fc.double({ min: 0, max: 128, noNaN: true }), (some, limit) => {
        const shares = fairShares(some, [{ claims: [...some.keys()], limit }]);
        const sum = shares.reduce((total, share) => total + share, 0);
        const wanted = some.reduce((total, claim) => total + claim.limit, 0);
        expect(sum).toBeCloseTo(Math.min(limit, wanted), 6);
        for (const [index, claim] of some.entries()) {
          expect(shares[index]).toBeLessThanOrEqual(claim.limit);
        }
      }),
    );
  });
});
