import { describe, expect, it } from 'vitest';

import {
  parseCfsQuota,
  parseCpuMax,
  parseCpuStat,
  readCgroupCpu,
  readGuestCgroupCpu,
} from '../../../src/sources/cgroup-cpu.ts';
import type { GuestCgroupDirectory } from '../../../src/sources/cgroup.ts';
import { cgroupHost, failureOf, valueIn } from './kernel-fixtures.ts';

const SCOPE = 'machine.slice/machine-qemu\\x2d1\\x2dweb.scope';
const V2_ROOT = `${cgroupHost('cgroup-v2').sysfs}/fs/cgroup`;
const V1_ROOT = `${cgroupHost('cgroup-v1').sysfs}/fs/cgroup`;
const HYBRID_ROOT = `${cgroupHost('cgroup-hybrid').sysfs}/fs/cgroup`;

const V2: GuestCgroupDirectory = {
  version: 2,
  path: `${V2_ROOT}/${SCOPE}`,
  nestedPath: `${V2_ROOT}/${SCOPE}/libvirt`,
};
const V1: GuestCgroupDirectory = {
  version: 1,
  path: `${V1_ROOT}/cpu,cpuacct/machine/qemu-3-db.libvirt-qemu`,
  nestedPath: undefined,
};
const hybrid = (controller: string): GuestCgroupDirectory => ({
  version: 1,
  path: `${HYBRID_ROOT}/${controller}/${SCOPE}`,
  nestedPath: `${HYBRID_ROOT}/${controller}/${SCOPE}/libvirt`,
});

describe('CPU control of a guest on v2', () => {
  const cpu = valueIn(readGuestCgroupCpu(V2, undefined));

  it('has the weight of the scope, which is what counts among guests', () => {
    expect(cpu.share).toEqual({ kind: 'weight', weight: 200 });
    expect(cpu.usageSeconds).toBe(987.654321);
  });

  it('has the quota and throttling of libvirt’s group inside, where libvirt sets the cap', () => {
    expect(cpu.quota).toEqual({ quotaSeconds: 0.3, periodSeconds: 0.1 });
    expect(cpu.throttling).toEqual({
      periods: 5000,
      throttledPeriods: 1250,
      throttledSeconds: 2.5,
    });
  });

  it('has each vCPU’s cap', () => {
    expect(cpu.vcpus.get(0)).toEqual({
      share: { kind: 'weight', weight: 100 },
      quota: { quotaSeconds: 0.05, periodSeconds: 0.1 },
      usageSeconds: 400,
      throttling: { periods: 4000, throttledPeriods: 1000, throttledSeconds: 1.5 },
    });
    expect(cpu.vcpus.get(1)?.quota).toBe('unlimited');
    expect(cpu.iothreads.get(1)?.usageSeconds).toBe(5);
    expect(cpu.emulator?.usageSeconds).toBe(1);
  });
});

describe('CPU control of a guest on v1', () => {
  it('has shares, and counts in nanoseconds', () => {
    const cpu = valueIn(readGuestCgroupCpu(V1, V1));
    expect(cpu.share).toEqual({ kind: 'shares', shares: 2048 });
    expect(cpu.quota).toBe('unlimited');
    expect(cpu.usageSeconds).toBe(9_007_199_254.740993);
    expect(cpu.vcpus.get(0)).toEqual({
      share: { kind: 'shares', shares: 1024 },
      quota: { quotaSeconds: 0.025, periodSeconds: 0.1 },
      usageSeconds: undefined,
      throttling: { periods: 800, throttledPeriods: 200, throttledSeconds: 9_007_199.254740993 },
    });
  });

  it('has its usage in another mount where cpuacct is one, its cap inside libvirt/', () => {
    const cpu = valueIn(readGuestCgroupCpu(hybrid('cpu'), hybrid('cpuacct')));
    expect(cpu.share).toEqual({ kind: 'shares', shares: 512 });
    expect(cpu.usageSeconds).toBe(60);
    expect(cpu.quota).toEqual({ quotaSeconds: 0.2, periodSeconds: 0.1 });
    expect(cpu.throttling).toEqual({ periods: 100, throttledPeriods: 10, throttledSeconds: 0.5 });
    expect([...cpu.vcpus.keys()]).toEqual([0]);
  });
});

describe('CPU control', () => {
  it('is just the usage where the v2 controller is off for the group', () => {
    const session = `${V2_ROOT}/user.slice/user-1000.slice/user@1000.service/app.slice/libvirtd.service`;
    expect(valueIn(readCgroupCpu({ version: 2, path: session }, undefined))).toEqual({
      share: undefined,
      quota: undefined,
      usageSeconds: 2,
      throttling: undefined,
    });
  });

  it('is absent when the group is gone', () => {
    for (const version of [1, 2] as const) {
      expect(failureOf(readCgroupCpu({ version, path: `${V2_ROOT}/gone` }, undefined))).toBe(
        'absent',
      );
    }
  });

  it('takes half a limit for none known', () => {
    expect(parseCpuMax('50000\n')).toBeUndefined();
    expect(parseCpuMax('much 100000\n')).toBeUndefined();
    expect(parseCfsQuota('50000\n', undefined)).toBeUndefined();
    expect(parseCfsQuota('50000\n', '0\n')).toBeUndefined();
    expect(failureOf(parseCpuStat('nr_periods 1\n', 'cpu.stat'))).toBe('malformed');
  });
});
