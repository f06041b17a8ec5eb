import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { BlockDeviceNames } from '../../../../src/sources/host/block-device-names.ts';
import { GuestCgroupCpuReader } from '../../../../src/sources/cgroup/cpu.ts';
import { GuestCgroupIoReader } from '../../../../src/sources/cgroup/io.ts';
import { GuestCgroupMemoryReader } from '../../../../src/sources/cgroup/memory.ts';
import {
  readCgroupMounts,
  readGuestCgroup,
  type CgroupController,
  type GuestCgroupDirectory,
} from '../../../../src/sources/cgroup/cgroup.ts';
import { cgroupHost, valueIn } from '../../../support/sources/kernel-fixtures.ts';

const KIB = 1024;
const PID = 428;

/** A tree copied from a host that ran; what virsh and systemctl said of it lies beside it. */
describe('cgroup v2 of a guest on Debian 13, as recorded', () => {
  const roots = cgroupHost('cgroup-v2-debian13');
  const asked = (file: string, field: string): string => {
    const text = readFileSync(join(roots.procfs, '../asked', file), 'utf8');
    const value = new RegExp(`^${field}\\s*[:=]\\s*(.*)$`, 'm').exec(text)?.[1];
    if (value === undefined) throw new Error(`${file} has no ${field}`);
    return value;
  };
  const guest = valueIn(readGuestCgroup(roots, valueIn(readCgroupMounts(roots)), PID));
  const directory = (controller: CgroupController): GuestCgroupDirectory => {
    const found = guest.controllers.get(controller);
    if (found === undefined) throw new Error(`no ${controller}`);
    return found;
  };
  const cpu = valueIn(new GuestCgroupCpuReader(directory('cpu'), undefined).read(undefined));

  it('is the scope of systemd, with all controllers', () => {
    expect(guest.name).toBe(asked('systemctl-show', 'ControlGroup'));
    expect(guest.exclusive).toBe(true);
    expect([...guest.controllers.keys()].toSorted()).toEqual([
      'blkio',
      'cpu',
      'cpuset',
      'hugetlb',
      'memory',
    ]);
  });

  it('has the weight and the usage systemctl shows, and the quotas virsh schedinfo does', () => {
    const quota = (kind: string) => ({
      quotaSeconds: Number(asked('schedinfo', `${kind}_quota`)) / 1e6,
      periodSeconds: Number(asked('schedinfo', `${kind}_period`)) / 1e6,
    });
    expect(cpu.share).toEqual({
      kind: 'weight',
      weight: Number(asked('systemctl-show', 'CPUWeight')),
    });
    expect(asked('schedinfo', 'cpu_shares')).toBe(asked('systemctl-show', 'CPUWeight'));
    expect(cpu.usageSeconds).toBe(Number(asked('systemctl-show', 'CPUUsageNSec')) / 1e9);
    expect(cpu.quota).toEqual(quota('global'));
    expect(cpu.emulator?.quota).toEqual(quota('emulator'));
    expect([...cpu.vcpus.keys()].toSorted()).toEqual([0, 1]);
    for (const vcpu of cpu.vcpus.values()) expect(vcpu.quota).toEqual(quota('vcpu'));
    // What virsh prints of it is the largest number the kernel takes.
    expect(cpu.iothreads.get(1)?.quota).toBe('unlimited');
  });

  it('was throttled: as a whole, its emulator, and its first vCPU', () => {
    expect(cpu.throttling).toEqual({
      periods: 468,
      throttledPeriods: 51,
      throttledSeconds: 2.182793,
    });
    expect(cpu.vcpus.get(0)?.throttling?.throttledPeriods).toBe(394);
    expect(cpu.emulator?.throttling?.throttledPeriods).toBe(723);
  });

  it('has the memory limits of virsh memtune', () => {
    const memory = valueIn(new GuestCgroupMemoryReader(directory('memory')).read());
    expect(memory.limits).toEqual({
      maxBytes: Number(asked('memtune', 'hard_limit')) * KIB,
      highBytes: Number(asked('memtune', 'soft_limit')) * KIB,
      swapMaxBytes: 'unlimited',
      swapIncludesMemory: false,
    });
    expect(asked('memtune', 'swap_hard_limit')).toBe('unlimited');
    expect(memory.usage.currentBytes).toBe(31_490_048);
    expect(memory.events).toEqual({ high: 0, max: 0, oom: 0, oomKill: 0 });
  });

  it('read and wrote its own disk, and read the host’s to load QEMU', () => {
    const names = new BlockDeviceNames(roots);
    expect(valueIn(new GuestCgroupIoReader(directory('blkio'), names).read())).toEqual([
      { device: 'vda', readBytes: 499_712n, writtenBytes: 0n, reads: 13n, writes: 0n },
      { device: 'vdc', readBytes: 4_608n, writtenBytes: 1_048_576n, reads: 2n, writes: 1n },
    ]);
  });
});
