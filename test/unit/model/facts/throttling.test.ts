import { describe, expect, it } from 'vitest';

import type { CgroupBandwidth, CpuThrottling } from '../../../../src/model/cgroup.ts';
import { addThrottling, computeThrottling } from '../../../../src/model/facts/throttling.ts';

const times = (n: number): CpuThrottling => ({
  periods: 100 * n,
  throttledPeriods: 10 * n,
  throttledSeconds: n,
});

const group = (throttling: CpuThrottling | undefined): CgroupBandwidth => ({
  quota: 'unlimited',
  throttling,
});

describe('throttling of a guest', () => {
  const none = {
    ...group(undefined),
    share: undefined,
    usageSeconds: undefined,
    vcpus: new Map<number, CgroupBandwidth>(),
    iothreads: new Map<number, CgroupBandwidth>(),
    emulator: undefined,
  };

  it('is that of its own group and of all groups inside', () => {
    const cpu = {
      ...none,
      throttling: times(1),
      vcpus: new Map([
        [0, group(times(2))],
        [1, group(times(4))],
      ]),
      iothreads: new Map([[1, group(times(8))]]),
      emulator: group(times(16)),
    };
    expect(computeThrottling(cpu)).toEqual(times(31));
  });

  it('is that of the groups that have figures', () => {
    const vcpus = new Map([
      [0, group(undefined)],
      [1, group(times(2))],
    ]);
    expect(computeThrottling({ ...none, vcpus })).toEqual(times(2));
  });

  it('is not known where none has, and never 0 then', () => {
    expect(computeThrottling({ ...none, emulator: group(undefined) })).toBeUndefined();
    expect(computeThrottling(undefined)).toBeUndefined();
    expect(addThrottling(undefined, undefined)).toBeUndefined();
  });
});
