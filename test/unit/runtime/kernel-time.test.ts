import { describe, expect, it } from 'vitest';

import {
  microsecondsToSeconds,
  nanosecondsToSeconds,
  ticksToSeconds,
} from '../../../src/runtime/kernel-time.ts';

describe('kernel times', () => {
  it('become seconds', () => {
    expect(ticksToSeconds(12345)).toBe(123.45);
    expect(microsecondsToSeconds(2_500_000)).toBe(2.5);
    expect(nanosecondsToSeconds(1_500_000_000n)).toBe(1.5);
  });

  it('of a large guest stay right to the microsecond past 2^53 nanoseconds', () => {
    // 9007199254740993 (2^53 + 1) ns would be rounded as a number.
    expect(nanosecondsToSeconds(9_007_199_254_740_993n)).toBeCloseTo(9_007_199.254740993, 9);
    expect(nanosecondsToSeconds(18_446_744_073_000_000_000n)).toBe(18_446_744_073);
  });
});
