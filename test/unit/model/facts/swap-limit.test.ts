import { describe, expect, it } from 'vitest';

import type { MemoryLimit } from '../../../../src/model/cgroup.ts';
import { computeSwapLimit } from '../../../../src/model/facts/swap-limit.ts';

describe('most swap a guest may use', () => {
  it.each<[string, MemoryLimit, MemoryLimit, boolean, number | undefined]>([
    ['is memory.swap.max, whatever memory may be', 5, 3, false, 3],
    ['is none with memory.swap.max 0', 5, 0, false, 0],
    ['in cgroup v1 is what memsw leaves above the memory limit', 5, 7, true, 2],
    ['in cgroup v1 is none where both limits are one', 5, 5, true, 0],
    ['is never negative, though one limit was read after the other fell', 5, 4, true, 0],
    ['is all memsw allows where memory alone has no limit', 'unlimited', 7, true, 7],
    ['is that of the XML where it limits both together only', undefined, 7, true, 7],
    ['has no limit', 5, 'unlimited', true, undefined],
    ['is not known where the kernel has no such file', 5, undefined, false, undefined],
  ])('%s', (_, maxBytes, swapMaxBytes, swapIncludesMemory, limit) => {
    expect(computeSwapLimit({ maxBytes, swapMaxBytes, swapIncludesMemory })).toBe(limit);
  });

  it('is not known of a guest without a cgroup', () => {
    expect(computeSwapLimit(undefined)).toBeUndefined();
  });
});
