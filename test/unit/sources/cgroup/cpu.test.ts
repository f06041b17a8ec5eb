import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { GuestCgroupCpuReader } from '../../../../src/sources/cgroup/cpu.ts';
import type { GuestCgroupDirectory } from '../../../../src/sources/cgroup/cgroup.ts';
import { cgroupHost, failureOf, valueIn } from '../../../support/sources/kernel-fixtures.ts';

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
  const cpu = valueIn(new GuestCgroupCpuReader(V2, undefined).read(undefined));

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

  it('has the caps of its vCPUs, iothreads and emulator', () => {
    expect(cpu.vcpus.get(0)).toEqual({
      quota: { quotaSeconds: 0.05, periodSeconds: 0.1 },
      throttling: { periods: 4000, throttledPeriods: 1000, throttledSeconds: 1.5 },
    });
    expect(cpu.vcpus.get(1)?.quota).toBe('unlimited');
    expect(cpu.iothreads.get(1)?.quota).toBe('unlimited');
    expect(cpu.emulator?.quota).toBe('unlimited');
  });
});

describe('CPU control of a guest on v1', () => {
  it('has shares, and counts in nanoseconds', () => {
    const cpu = valueIn(new GuestCgroupCpuReader(V1, V1).read(undefined));
    expect(cpu.share).toEqual({ kind: 'shares', shares: 2048 });
    expect(cpu.quota).toBe('unlimited');
    expect(cpu.usageSeconds).toBe(9_007_199_254.740993);
    expect(cpu.vcpus.get(0)).toEqual({
      quota: { quotaSeconds: 0.025, periodSeconds: 0.1 },
      throttling: { periods: 800, throttledPeriods: 200, throttledSeconds: 9_007_199.254740993 },
    });
  });

  it('has its usage in another mount where cpuacct is one, its cap inside libvirt/', () => {
    const cpu = valueIn(new GuestCgroupCpuReader(hybrid('cpu'), hybrid('cpuacct')).read(undefined));
    expect(cpu.share).toEqual({ kind: 'shares', shares: 512 });
    expect(cpu.usageSeconds).toBe(60);
    expect(cpu.quota).toEqual({ quotaSeconds: 0.2, periodSeconds: 0.1 });
    expect(cpu.throttling).toEqual({ periods: 100, throttledPeriods: 10, throttledSeconds: 0.5 });
    expect([...cpu.vcpus.keys()]).toEqual([0]);
  });
});

describe('CPU control', () => {
  it('is just the usage where the v2 controller is off for the group', () => {
    const path = `${V2_ROOT}/user.slice/user-1000.slice/user@1000.service/app.slice/libvirtd.service`;
    const session: GuestCgroupDirectory = { version: 2, path, nestedPath: undefined };
    expect(valueIn(new GuestCgroupCpuReader(session, undefined).read(undefined))).toEqual({
      share: undefined,
      quota: undefined,
      usageSeconds: 2,
      throttling: undefined,
      vcpus: new Map(),
      iothreads: new Map(),
      emulator: undefined,
    });
  });

  it('is absent when the group is gone', () => {
    for (const version of [1, 2] as const) {
      const gone: GuestCgroupDirectory = {
        version,
        path: `${V2_ROOT}/gone`,
        nestedPath: undefined,
      };
      expect(failureOf(new GuestCgroupCpuReader(gone, undefined).read(undefined))).toBe('absent');
    }
  });
});

describe('CPU control, read again', () => {
  let path: string;
  let reader: GuestCgroupCpuReader;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
    path = mkdtempSync(join(tmpdir(), 'cgroup-cpu-'));
    writeFileSync(join(path, 'cpu.stat'), 'usage_usec 1000000\n');
    vcpuGroup(0);
    vcpuGroup(1);
    reader = new GuestCgroupCpuReader({ version: 2, path, nestedPath: undefined }, undefined);
  });
  afterEach(() => {
    vi.useRealTimers();
    rmSync(path, { recursive: true });
  });

  function vcpuGroup(index: number): void {
    mkdirSync(join(path, `vcpu${index}`));
    limit(index, 'max 100000', 7);
  }
  function limit(index: number, max: string, periods: number): void {
    writeFileSync(join(path, `vcpu${index}/cpu.max`), `${max}\n`);
    writeFileSync(
      join(path, `vcpu${index}/cpu.stat`),
      `usage_usec 1\nnr_periods ${periods}\nnr_throttled 0\nthrottled_usec 0\n`,
    );
  }
  const vcpus = (count: number) => valueIn(reader.read({ vcpus: count, iothreads: 0 })).vcpus;

  it('follows a limit that is set and lifted', () => {
    expect(vcpus(2).get(0)).toMatchObject({ quota: 'unlimited', throttling: { periods: 7 } });
    limit(0, '50000 100000', 9);
    vi.advanceTimersByTime(30_000);
    expect(vcpus(2).get(0)).toMatchObject({
      quota: { quotaSeconds: 0.05 },
      throttling: { periods: 9 },
    });
    limit(0, 'max 100000', 12);
    expect(vcpus(2).get(0)).toMatchObject({ quota: 'unlimited', throttling: { periods: 12 } });
  });

  it('looks at a thread without a limit only twice a minute', () => {
    vcpus(2);
    limit(0, '50000 100000', 9);
    vi.advanceTimersByTime(29_000);
    expect(vcpus(2).get(0)?.quota).toBe('unlimited');
    vi.advanceTimersByTime(1_000);
    expect(vcpus(2).get(0)?.quota).toEqual({ quotaSeconds: 0.05, periodSeconds: 0.1 });
  });

  it('looks at the weight only twice a minute', () => {
    const share = () => valueIn(reader.read(undefined)).share;
    writeFileSync(join(path, 'cpu.weight'), '100\n');
    expect(share()).toEqual({ kind: 'weight', weight: 100 });
    writeFileSync(join(path, 'cpu.weight'), '300\n');
    vi.advanceTimersByTime(29_000);
    expect(share()).toEqual({ kind: 'weight', weight: 100 });
    vi.advanceTimersByTime(1_000);
    expect(share()).toEqual({ kind: 'weight', weight: 300 });
  });

  it('finds a vCPU that is plugged in, and misses one that is unplugged', () => {
    expect([...vcpus(2).keys()]).toEqual([0, 1]);
    vcpuGroup(2);
    expect([...vcpus(3).keys()].sort()).toEqual([0, 1, 2]);
    rmSync(join(path, 'vcpu1'), { recursive: true });
    expect([...vcpus(2).keys()].sort()).toEqual([0, 2]);
  });

  it('finds a vCPU that took the place of another at the next look', () => {
    vcpus(2);
    renameSync(join(path, 'vcpu1'), join(path, 'vcpu5'));
    vi.advanceTimersByTime(30_000);
    expect([...vcpus(2).keys()]).toEqual([0]);
    expect([...vcpus(2).keys()].sort()).toEqual([0, 5]);
  });
});
