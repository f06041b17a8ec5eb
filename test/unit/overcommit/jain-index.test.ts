import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { jainIndex } from '../../../src/overcommit/jain-index.ts';

describe("Jain's fairness index", () => {
  it('is 1 when all get the same', () => {
    expect(jainIndex([5, 5, 5, 5])).toBe(1);
  });

  it('is 1/n when one gets everything', () => {
    expect(jainIndex([8, 0, 0, 0])).toBe(0.25);
  });

  it('is 0.9 for rates of 1 and 2', () => {
    expect(jainIndex([1, 2])).toBeCloseTo(0.9, 12);
  });

  it('does not exist where nothing is shared', () => {
    expect(jainIndex([])).toBeUndefined();
    expect(jainIndex([0, 0])).toBeUndefined();
  });

  it('lies between 1/n and 1 for any rates, however large or small', () => {
    const rates = fc.array(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(rates, (list) => {
        const index = jainIndex(list);
        if (index === undefined) {
          expect(list.every((rate) => rate === 0)).toBe(true);
          return;
        }
        expect(index).toBeGreaterThanOrEqual(1 / list.length - 1e-12);
        expect(index).toBeLessThanOrEqual(1 + 1e-12);
      }),
    );
  });
});
