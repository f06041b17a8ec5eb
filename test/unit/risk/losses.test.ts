import { describe, expect, it } from 'vitest';

import type { SignalId } from '../../../src/risk/risk-model.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import type { Filesystem } from '../../../src/model/filesystem.ts';
import type { ThinPool } from '../../../src/model/storage.ts';
import { RecentCounters } from '../../../src/risk/recent-counters.ts';
import { computeSignals, type SignalValues } from '../../../src/risk/signals.ts';
import { failed, found } from '../../../src/runtime/result.ts';
import { exampleView, NOTHING_RECENT } from '../../support/metrics/example-snapshot.ts';
import { exampleMount } from '../../support/metrics/example-storage.ts';
import { A, B, GIB, smallHost, type Moment } from '../page/small-host.ts';

/** After a hundred seconds would be too far apart for the page; ten are in its window. */
function later(now: Omit<Moment, 'seconds'>, change = (one: Snapshot) => one): SignalValues {
  const recent = new RecentCounters();
  recent.add(change(smallHost()));
  const snapshot = change(smallHost({ seconds: 10, ...now }));
  return computeSignals(exampleView(snapshot), recent.before(snapshot));
}

function withoutPressure(snapshot: Snapshot): Snapshot {
  return { ...snapshot, host: { ...snapshot.host, pressure: undefined } };
}

/** 2,500 pages of 4 KiB each way in ten seconds: a MiB per second, past the limit of 800 KiB. */
const STORM = { swapInPages: 2500, swapOutPages: 2500 } as const;

describe('CPU time is lost', () => {
  // a's four vCPUs and b's two: vCPU 0 of each can wait, so a guest of one vCPU waits all of it.
  const waiting = { ...A, vcpus: 1, delaySeconds: 2 };
  const idle = { ...B, vcpus: 1 };

  it.each<readonly [string, SignalId, number, Moment['host']]>([
    [
      'on a host whose vCPUs wait while the kernel agrees',
      'cpu_loss_host',
      1,
      { cpuWaitingSeconds: 9 },
    ],
    ['not where the kernel sees little waiting', 'cpu_loss_host', 0, { cpuWaitingSeconds: 8 }],
    [
      'to a guest that waits while half of the time somebody does',
      'cpu_loss_guests',
      1,
      { cpuWaitingSeconds: 6 },
    ],
    ['to no guest where hardly anybody waits', 'cpu_loss_guests', 0, { cpuWaitingSeconds: 5 }],
  ])('%s', (_what, id, lost, host = {}) => {
    const guests = [{ ...waiting, delaySeconds: 3 }, idle];
    expect(later({ guests, host }).get(id)).toBe(lost);
  });

  it('by the delay alone on a kernel without PSI', () => {
    const signals = later({ guests: [{ ...waiting, delaySeconds: 3 }, idle] }, withoutPressure);
    expect(signals.get('cpu_loss_host')).toBe(1);
    expect(signals.get('cpu_loss_guests')).toBe(1);
  });

  it('not where one vCPU of four waits', () => {
    const guests = [{ ...A, delaySeconds: 3 }, B];
    expect(later({ guests, host: { cpuWaitingSeconds: 9 } }).get('cpu_loss_guests')).toBe(0);
  });
});

describe('memory is lost', () => {
  it.each<readonly [string, SignalId, number, Moment['host']]>([
    [
      'in a storm that stalls all tasks',
      'memory_loss_swap_storm',
      1,
      { ...STORM, memoryStalledSeconds: 2 },
    ],
    [
      'in a storm most tasks wait for',
      'memory_loss_swap_storm',
      1,
      { ...STORM, memoryWaitingSeconds: 7 },
    ],
    ['not by zram nobody waits for', 'memory_loss_swap_storm', 0, STORM],
    [
      'where all stall most of the time',
      'memory_loss_host_stalled',
      1,
      { memoryStalledSeconds: 7 },
    ],
    ['not where they stall at times', 'memory_loss_host_stalled', 0, { memoryStalledSeconds: 5 }],
    [
      'where hardly any is left and programs wait for some',
      'memory_loss_host_low',
      1,
      { memoryAvailableGib: 0.5, allocationStalls: 100 },
    ],
    ['not where nobody needs more', 'memory_loss_host_low', 0, { memoryAvailableGib: 0.5 }],
  ])('%s', (_what, id, lost, host = {}) => {
    expect(later({ host }).get(id)).toBe(lost);
  });

  it('in a storm with many page faults on a kernel without PSI', () => {
    const storm = (majorFaults: number) =>
      later({ host: { ...STORM, majorFaults } }, withoutPressure).get('memory_loss_swap_storm');
    expect(storm(1e6)).toBe(1);
    expect(storm(0)).toBe(0);
  });

  it('and zram traffic nobody waits for is no risk at all', () => {
    expect(later({ host: STORM }).get('memory_swap_storm')).toBeUndefined();
  });
});

describe('storage is lost', () => {
  const losses = (
    change: Partial<Filesystem>,
    guests: Moment['guests'] = [A, B],
  ): ((id: SignalId) => number | undefined) => {
    const snapshot = smallHost({ seconds: 0, guests });
    const storage = snapshot.storage && {
      ...snapshot.storage,
      filesystems: snapshot.storage.filesystems.map((one) => ({ ...one, ...change })),
    };
    const signals = computeSignals(exampleView({ ...snapshot, storage }), NOTHING_RECENT);
    return (id) => signals.get(id);
  };
  const space = (availableBytes: number, inodesFree: number): Filesystem['space'] =>
    found({
      sizeBytes: 100 * GIB,
      freeBytes: availableBytes,
      availableBytes,
      inodes: 1000,
      inodesFree,
    });
  const preallocated = [{ ...A, writtenGib: 80 }, B];

  it('on a filesystem without room for one more cluster, if images may still grow', () => {
    expect(losses({ space: space(0, 500) })('storage_loss_full')).toBe(1);
    expect(losses({ space: space(65_535, 500) })('storage_loss_full')).toBe(1);
    expect(losses({ space: space(65_536, 500) })('storage_loss_full')).toBe(0);
    expect(losses({ space: space(0, 500) }, preallocated)('storage_loss_full')).toBe(0);
  });

  it('on a full filesystem of many hosts, whatever the images of this one can do', () => {
    const traits = { network: true, sharedExtents: 'never', compression: 'never' } as const;
    const lost = losses({ space: space(0, 500), traits }, preallocated);
    expect(lost('storage_loss_full')).toBe(1);
  });

  it('on a filesystem without an inode', () => {
    expect(losses({ space: space(40 * GIB, 0) })('storage_loss_inodes')).toBe(1);
    expect(losses({ space: space(40 * GIB, 1) })('storage_loss_inodes')).toBe(0);
  });

  it('on a filesystem that does not answer', () => {
    const lost = losses({ space: failed('timeout', '/', 'no answer') });
    expect(lost('storage_loss_unresponsive')).toBe(1);
  });

  it('on one that became read-only, and not on one of templates', () => {
    const mount = exampleMount({ readOnly: true });
    expect(losses({ mount })('storage_loss_read_only')).toBe(1);
    expect(losses({ mount }, preallocated)('storage_loss_read_only')).toBe(0);
  });

  it('to a guest that is paused, unless its filesystem is why and is counted itself', () => {
    const paused = { state: 'paused', reason: 'ioerror' } as const;
    const writtenGib = (gib: number): Moment['guests'] => [
      { ...A, writtenGib: gib, overrides: paused },
      B,
    ];
    const counted = (change: Partial<Filesystem>, guests: Moment['guests']) => {
      const lost = losses(change, guests);
      return {
        full: lost('storage_loss_full'),
        readOnly: lost('storage_loss_read_only'),
        paused: lost('storage_loss_paused_guests'),
      };
    };
    const left = (bytes: number) => ({ space: space(bytes, 500) });
    expect(counted(left(16_777_216), writtenGib(10))).toEqual({ full: 0, readOnly: 0, paused: 1 });
    expect(counted(left(16_777_215), writtenGib(10))).toEqual({ full: 1, readOnly: 0, paused: 0 });
    expect(counted(left(0), writtenGib(80))).toEqual({ full: 0, readOnly: 0, paused: 1 });
    const readOnly = { mount: exampleMount({ readOnly: true }) };
    expect(counted(readOnly, writtenGib(10))).toEqual({ full: 0, readOnly: 1, paused: 0 });
    expect(counted(readOnly, writtenGib(80))).toEqual({ full: 0, readOnly: 0, paused: 1 });
  });

  it.each<readonly [number, string, Partial<ThinPool>]>([
    [0, 'in order', {}],
    [1, 'read-only', { state: 'ro' }],
    [1, 'out of data', { state: 'out-of-data-space' }],
    [1, 'failed', { state: 'failed', sizeBytes: undefined, dataUsedBytes: undefined }],
    [0, 'inactive', { state: 'unknown', sizeBytes: undefined, dataUsedBytes: undefined }],
    [1, 'in need of a check', { needsCheck: true }],
    [1, 'full, which the kernel has not said yet', { dataUsedBytes: GIB }],
    [1, 'without metadata blocks', { metadataUsedBytes: 100 }],
  ])('in %d thin pools: one is %s', (lost, _what, change) => {
    const pool: ThinPool = {
      vgName: 'vg0',
      name: 'thin0',
      sizeBytes: GIB,
      dataUsedBytes: GIB / 2,
      metadataSizeBytes: 100,
      metadataUsedBytes: 50,
      state: 'rw',
      needsCheck: false,
      queueWhenFull: true,
      monitored: true,
      vgFreeBytes: 0,
      ...change,
    };
    const snapshot = smallHost();
    const thin = { storage: { pools: [pool], volumes: [] }, readAtSeconds: 0 };
    const storage = snapshot.storage && { ...snapshot.storage, thin };
    const signals = computeSignals(exampleView({ ...snapshot, storage }), NOTHING_RECENT);
    expect(signals.get('storage_loss_thin_pools')).toBe(lost);
  });
});

describe('the network is lost', () => {
  // 1 Gbit/s is 1.25e9 bytes in ten seconds.
  it.each<readonly [string, SignalId, number, Moment['host']]>([
    [
      'by an uplink that drops what should go out',
      'network_loss_drops',
      1,
      { sentPackets: 95, sendDrops: 5 },
    ],
    ['not by a drop now and then', 'network_loss_drops', 0, { sentPackets: 995, sendDrops: 5 }],
    [
      'by a full uplink that drops',
      'network_loss_saturated',
      1,
      { sentBytes: 1.24e9, sentPackets: 95, sendDrops: 5 },
    ],
    [
      'not by a backup that fills it',
      'network_loss_saturated',
      0,
      { sentBytes: 1.24e9, sentPackets: 100 },
    ],
    ['by an uplink that is down', 'network_loss_down', 1, { uplinkUp: 0 }],
  ])('%s', (_what, id, lost, host = {}) => {
    expect(later({ host }).get(id)).toBe(lost);
  });
});
