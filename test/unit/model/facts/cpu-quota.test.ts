import { describe, expect, it } from 'vitest';

import { cpusOfBandwidth, cpusOfQuota, sumOfCpus } from '../../../../src/model/facts/cpu-quota.ts';

describe('a CPU quota in CPUs', () => {
  it('is what a cgroup may use per period, exactly', () => {
    expect(cpusOfQuota({ quotaSeconds: 0.15, periodSeconds: 0.1 })).toBe(1.5);
    expect(cpusOfQuota({ quotaSeconds: 0.001, periodSeconds: 0.1 })).toBe(0.01);
  });

  it('is none where the cgroup has no limit, or is not known', () => {
    expect(cpusOfQuota('unlimited')).toBeUndefined();
    expect(cpusOfQuota(undefined)).toBeUndefined();
  });

  it('is that of the XML, with a period of 100 ms unless it says another', () => {
    const of = (quotaMicroseconds: number | undefined, periodMicroseconds: number | undefined) =>
      cpusOfBandwidth({ quotaMicroseconds, periodMicroseconds });
    expect(of(50_000, undefined)).toBe(0.5);
    expect(of(50_000, 25_000)).toBe(2);
    expect(of(undefined, 25_000)).toBeUndefined();
    expect(cpusOfBandwidth(undefined)).toBeUndefined();
  });

  it('adds up without the noise of fractions', () => {
    expect(sumOfCpus([0.1, 0.2])).toBe(0.3);
    expect(sumOfCpus([])).toBe(0);
  });
});
