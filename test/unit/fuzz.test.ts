import { describe, expect, it } from 'vitest';

import { runTarget } from '../fuzz/run-target.ts';
import { TARGETS } from '../fuzz/targets.ts';

/** A slice of what `npm run fuzz` does, always the same. */
const INPUTS = 1000;
const SEED = 20260101;

describe('what takes in the words of others survives broken ones', () => {
  it.each(TARGETS.map((target) => ({ name: target.name, target })))(
    '$name',
    async ({ target }) => {
      const report = await runTarget(target, { inputs: INPUTS, seed: SEED });
      expect(report.findings).toEqual([]);
      expect(report.inputs).toBe(Math.ceil(INPUTS * (target.share ?? 1)));
      expect(report.values).toBeGreaterThan(0);
    },
    60_000,
  );
});
