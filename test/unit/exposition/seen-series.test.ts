import { describe, expect, it } from 'vitest';

import { SeenSeries } from '../../../src/exposition/seen-series.ts';

describe('series seen before', () => {
  it.each([1, 16, 17, 1000])('are known among %i, and forgotten when cleared', (count) => {
    const seen = new SeenSeries();
    const keys = Array.from({ length: count }, (_, index) => `{device="vd${index}"}`);
    for (let round = 0; round < 2; round += 1) {
      expect(keys.every((key) => seen.add(key))).toBe(true);
      expect(keys.some((key) => seen.add(key))).toBe(false);
      seen.clear();
    }
  });
});
