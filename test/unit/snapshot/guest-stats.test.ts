import { describe, expect, it } from 'vitest';

import {
  readDomainStats,
  TypedParams,
  type DomainStats,
  type TypedParam,
} from '../../../src/libvirt/index.ts';
import {
  toBalloon,
  toDisks,
  toKvmCounters,
  toNics,
  toPerf,
} from '../../../src/snapshot/guest-stats.ts';

const domain = { name: 'web', uuid: '11111111-1111-1111-1111-111111111111', id: 3 };

function statsOf(fields: Readonly<Record<string, bigint | number | string>>): DomainStats {
  const params = Object.entries(fields).map(([field, value]): TypedParam => {
    if (typeof value === 'string') return { field, type: 'string', value };
    if (typeof value === 'number') return { field, type: 'double', value };
    return { field, type: value < 0n ? 'llong' : 'ullong', value };
  });
  return readDomainStats({ domain, params: TypedParams.from(params) });
}

describe('balloon statistics', () => {
  it('are KiB at libvirt and bytes here', () => {
    const balloon = toBalloon(statsOf({ 'balloon.current': 1024n, 'balloon.usable': 3n }));
    expect(balloon.currentBytes).toBe(1024 * 1024);
    expect(balloon.guestAvailableBytes).toBe(3072);
  });

  it('call the guest total what libvirt calls available', () => {
    expect(toBalloon(statsOf({ 'balloon.available': 2n })).guestTotalBytes).toBe(2048);
  });

  it('have no time of the last report when the guest never reported', () => {
    expect(toBalloon(statsOf({ 'balloon.last-update': 0n })).lastUpdateSeconds).toBeUndefined();
    expect(toBalloon(statsOf({ 'balloon.last-update': 7n })).lastUpdateSeconds).toBe(7);
  });

  it('are absent, not 0, where the guest does not report them', () => {
    expect(toBalloon(statsOf({})).guestFreeBytes).toBeUndefined();
  });
});

describe('disk counters', () => {
  it('are those of the top image when backing images come along', () => {
    const disks = toDisks(
      statsOf({
        'block.count': 2n,
        'block.0.name': 'vda',
        'block.0.rd.bytes': 512n,
        'block.1.name': 'vda',
        'block.1.backingIndex': 1n,
        'block.1.rd.bytes': 9n,
      }),
    );
    expect(disks.map(({ device, readBytes }) => [device, readBytes])).toEqual([['vda', 512n]]);
  });

  it('are absent, not 0, when the guest was too busy to say', () => {
    const [disk] = toDisks(statsOf({ 'block.count': 1n, 'block.0.name': 'vda' }));
    expect(disk).toMatchObject({ device: 'vda', readBytes: undefined, capacityBytes: undefined });
  });
});

describe('NIC counters', () => {
  it('leave out interfaces without a device on the host', () => {
    const nics = toNics(
      statsOf({ 'net.count': 2n, 'net.1.name': 'vnet4', 'net.1.rx.bytes': 2n ** 60n }),
    );
    expect(nics.map(({ device, receiveBytes }) => [device, receiveBytes])).toEqual([
      ['vnet4', 2n ** 60n],
    ]);
  });
});

describe('perf events and bandwidth monitors', () => {
  it('are there when a guest has them configured', () => {
    const perf = toPerf(
      statsOf({
        'perf.cpu_cycles': 12n,
        'memory.bandwidth.monitor.count': 1n,
        'memory.bandwidth.monitor.0.name': 'vcpus_0-3',
        'memory.bandwidth.monitor.0.node.count': 1n,
        'memory.bandwidth.monitor.0.node.0.id': 1n,
        'memory.bandwidth.monitor.0.node.0.bytes.total': 70n,
      }).params,
    );
    expect(perf?.events.get('cpu_cycles')).toBe(12n);
    expect(perf?.bandwidth).toEqual([
      { monitor: 'vcpus_0-3', node: 1, localBytes: undefined, totalBytes: 70n },
    ]);
  });

  it('are absent where libvirt sends what is no count', () => {
    const perf = toPerf(
      statsOf({
        'perf.cpu_cycles': Number.NaN,
        'perf.cache_misses': Number.POSITIVE_INFINITY,
        'perf.instructions': 0.5,
        'perf.page_faults': -1n,
        'perf.branch_misses': '7'.repeat(400),
        // Would be worked through for minutes.
        'memory.bandwidth.monitor.count': 2n ** 63n,
      }).params,
    );
    expect(perf).toBeUndefined();
  });

  it('are absent when it has not', () => {
    expect(toPerf(statsOf({ 'state.state': 1n }).params)).toBeUndefined();
  });
});

describe('counters of KVM', () => {
  it('are those of each vCPU, as libvirt 9.0 relays them from QEMU 7.2', () => {
    const kvm = toKvmCounters(
      statsOf({
        'cpu.haltpoll.success.time': 626_050_059n,
        'cpu.haltpoll.fail.time': 364_832_581n,
        'vcpu.current': 1n,
        'vcpu.maximum': 1n,
        'vcpu.0.state': 1n,
        'vcpu.0.halt_wait_ns.sum': 7_021_710_117_997n,
        'vcpu.0.directed_yield_attempted.sum': 326n,
        'vcpu.0.directed_yield_successful.sum': 44n,
        'vcpu.0.preemption_reported.sum': 43_483n,
        'vcpu.0.preemption_other.sum': 17n,
        'vcpu.0.exits.sum': 5_468_522n,
        'vcpu.0.blocking.cur': 1n,
      }),
    );
    expect(kvm).toEqual({
      haltPollSuccessNanoseconds: 626_050_059n,
      haltPollFailNanoseconds: 364_832_581n,
      vcpus: [
        {
          index: 0,
          exits: 5_468_522n,
          directedYieldsAttempted: 326n,
          directedYieldsSuccessful: 44n,
          preemptions: 43_500n,
        },
      ],
    });
  });

  it('are halt polling alone before libvirt 8.9', () => {
    const stats = { 'cpu.haltpoll.success.time': 1n, 'cpu.haltpoll.fail.time': 2n };
    expect(toKvmCounters(statsOf({ ...stats, 'vcpu.0.time': 3n }))?.vcpus).toEqual([]);
  });

  it('are none where QEMU emulates', () => {
    expect(toKvmCounters(statsOf({ 'cpu.time': 1n, 'vcpu.0.time': 3n }))).toBeUndefined();
  });
});
