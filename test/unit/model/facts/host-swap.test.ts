import { describe, expect, it } from 'vitest';

import { computeHostSwap } from '../../../../src/model/facts/host-swap.ts';
import type { SwapArea } from '../../../../src/model/host-memory.ts';
import { GIB, host, MEMINFO } from '../../overcommit/assess-fixture.ts';

function area(kind: SwapArea['kind'], sizeBytes: number, usedBytes: number): SwapArea {
  return { path: `/${kind}`, kind, sizeBytes, usedBytes, priority: 0, zram: undefined };
}

describe('swap of the host', () => {
  it('is that on devices and files, not zram, which is RAM', () => {
    const swapAreas = [
      area('partition', 4 * GIB, 1 * GIB),
      area('file', 2 * GIB, 0),
      area('zram', 8 * GIB, 8 * GIB),
    ];
    expect(computeHostSwap(host({ swapAreas }))).toEqual({
      totalBytes: 6 * GIB,
      freeBytes: 5 * GIB,
    });
  });

  it('is 0 where there is none, also where meminfo counts zram alone', () => {
    const none = { totalBytes: 0, freeBytes: 0 };
    expect(computeHostSwap(host({ swapAreas: [] }))).toEqual(none);
    expect(computeHostSwap(host({ swapAreas: [area('zram', GIB, 0)] }))).toEqual(none);
  });

  it('is what meminfo says where the areas are out of reach, each part by itself', () => {
    expect(computeHostSwap(host())).toEqual({ totalBytes: 8 * GIB, freeBytes: 6 * GIB });
    const meminfo = { ...MEMINFO, swapFreeBytes: undefined };
    expect(computeHostSwap(host({ meminfo }))).toEqual({
      totalBytes: 8 * GIB,
      freeBytes: undefined,
    });
    expect(computeHostSwap(host({ meminfo: undefined }))).toEqual({
      totalBytes: undefined,
      freeBytes: undefined,
    });
  });
});
