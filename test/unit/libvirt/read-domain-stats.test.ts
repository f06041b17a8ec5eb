import { describe, expect, it } from 'vitest';

import {
  readDomainStats,
  TypedParams,
  type DomainStats,
  type TypedParam,
} from '../../../src/libvirt/index.ts';

const domain = { name: 'web', uuid: '6695eb01-f6a4-8304-79aa-97f2502e193f', id: 1 };

const statsOf = (...params: TypedParam[]): DomainStats =>
  readDomainStats({ domain, params: TypedParams.from(params) });

const ullong = (field: string, value: bigint): TypedParam => ({ field, type: 'ullong', value });
const uint = (field: string, value: number): TypedParam => ({ field, type: 'uint', value });
const text = (field: string, value: string): TypedParam => ({ field, type: 'string', value });

describe('domain statistics', () => {
  it('have state and reason', () => {
    const stats = statsOf(
      { field: 'state.state', type: 'int', value: 3 },
      { field: 'state.reason', type: 'int', value: 5 },
    );
    expect(stats.domain).toBe(domain);
    expect(stats.state).toEqual({ state: 3, reason: 5 });
  });

  it('leave undefined what the daemon did not send, and never make it 0', () => {
    const stats = statsOf();
    expect(stats.state.state).toBeUndefined();
    expect(stats.cpu.timeNanoseconds).toBeUndefined();
    expect(stats.balloon.usableKib).toBeUndefined();
    expect(stats.vcpu).toEqual({ current: undefined, maximum: undefined, vcpus: [] });
    expect(stats.net).toEqual({ count: undefined, nets: [] });
    expect(stats.block).toEqual({ count: undefined, blocks: [] });
  });

  it('keep a sent zero apart from an absent value', () => {
    const [disk] = statsOf(ullong('block.0.allocation', 0n)).block.blocks;
    expect(disk?.allocationBytes).toBe(0n);
    expect(disk?.physicalBytes).toBeUndefined();
  });

  it('keep counters above 2^53 exact', () => {
    const stats = statsOf(ullong('cpu.time', 9_007_199_254_740_993n));
    expect(stats.cpu.timeNanoseconds).toBe(9_007_199_254_740_993n);
  });

  it('have each balloon value under its own name', () => {
    const { balloon } = statsOf(
      ullong('balloon.current', 1n),
      ullong('balloon.available', 2n),
      ullong('balloon.usable', 3n),
      ullong('balloon.last-update', 1_700_000_000n),
      ullong('balloon.rss', 4n),
    );
    expect(balloon.currentKib).toBe(1n);
    expect(balloon.availableKib).toBe(2n);
    expect(balloon.usableKib).toBe(3n);
    expect(balloon.lastUpdateSeconds).toBe(1_700_000_000n);
    expect(balloon.rssKib).toBe(4n);
  });

  it('keep the index of vCPUs when offline ones leave gaps', () => {
    const { vcpu } = statsOf(
      uint('vcpu.current', 2),
      uint('vcpu.maximum', 8),
      ullong('vcpu.6.time', 60n),
      ullong('vcpu.0.time', 10n),
      ullong('vcpu.0.delay', 11n),
      { field: 'vcpu.6.halted', type: 'boolean', value: true },
    );
    expect([vcpu.current, vcpu.maximum]).toEqual([2, 8]);
    expect(vcpu.vcpus.map(({ index }) => index)).toEqual([0, 6]);
    expect(vcpu.vcpus[0]?.delayNanoseconds).toBe(11n);
    expect(vcpu.vcpus[1]).toMatchObject({ timeNanoseconds: 60n, halted: true, state: undefined });
  });

  it('give KVM counters of a vCPU that mean something for over-commitment, others as raw values', () => {
    const stats = statsOf(
      ullong('vcpu.0.exits.sum', 77n),
      ullong('vcpu.0.preemption_reported.sum', 5n),
      ullong('vcpu.1.insn_emulation.sum', 9n),
    );
    expect(stats.vcpu.vcpus).toHaveLength(1);
    expect(stats.vcpu.vcpus[0]).toMatchObject({ index: 0, exits: 77n, preemptionsReported: 5n });
    expect(stats.params.get('vcpu.1.insn_emulation.sum')).toBe(9n);
  });

  it('have receive and transmit of each interface the right way round', () => {
    const { net } = statsOf(
      uint('net.count', 2),
      text('net.1.name', 'vnet7'),
      ullong('net.1.rx.bytes', 100n),
      ullong('net.1.tx.drop', 3n),
    );
    expect(net.count).toBe(2);
    expect(net.nets).toHaveLength(1);
    expect(net.nets[0]).toMatchObject({
      index: 1,
      name: 'vnet7',
      receivedBytes: 100n,
      transmittedBytes: undefined,
      transmittedDrops: 3n,
    });
  });

  it('have one entry per image of a backing chain, told apart by backingIndex', () => {
    const { block } = statsOf(
      uint('block.count', 2),
      text('block.0.name', 'vda'),
      uint('block.0.backingIndex', 1),
      ullong('block.0.rd.reqs', 5n),
      ullong('block.0.fl.times', 6n),
      text('block.1.name', 'vda'),
      text('block.1.path', '/images/base.qcow2'),
      uint('block.1.backingIndex', 2),
    );
    expect(block.blocks.map(({ name, backingIndex }) => [name, backingIndex])).toEqual([
      ['vda', 1],
      ['vda', 2],
    ]);
    expect(block.blocks[0]).toMatchObject({ readRequests: 5n, flushNanoseconds: 6n });
    expect(block.blocks[1]?.path).toBe('/images/base.qcow2');
  });

  it.each<[string, TypedParam]>([
    ['int', { field: 'cpu.user', type: 'int', value: 5 }],
    ['uint', { field: 'cpu.user', type: 'uint', value: 5 }],
    ['llong', { field: 'cpu.user', type: 'llong', value: 5n }],
    ['ullong', { field: 'cpu.user', type: 'ullong', value: 5n }],
    ['double', { field: 'cpu.user', type: 'double', value: 5.9 }],
  ])('accept a counter sent as %s', (_type, param) => {
    expect(statsOf(param).cpu.userNanoseconds).toBe(5n);
  });

  it.each<[string, TypedParam]>([
    ['ullong', { field: 'vcpu.current', type: 'ullong', value: 4n }],
    ['double', { field: 'vcpu.current', type: 'double', value: 4 }],
  ])('accept a count sent as %s', (_type, param) => {
    expect(statsOf(param).vcpu.current).toBe(4);
  });

  it('treat a value of the wrong kind as absent', () => {
    const stats = statsOf(
      text('cpu.time', 'soon'),
      { field: 'cpu.user', type: 'double', value: NaN },
      uint('block.0.name', 3),
    );
    expect(stats.cpu.timeNanoseconds).toBeUndefined();
    expect(stats.cpu.userNanoseconds).toBeUndefined();
    expect(stats.block.blocks[0]?.name).toBeUndefined();
  });

  it('ignore names they do not know', () => {
    const stats = statsOf(
      ullong('dirtyrate.megabytes_per_second', 1n),
      ullong('vcpu.x.time', 1n),
      ullong('block.-1.rd.reqs', 1n),
      ullong('block.99999999999.rd.reqs', 1n),
      ullong('net.', 1n),
      ullong('', 1n),
    );
    expect(stats.vcpu.vcpus).toEqual([]);
    expect(stats.block.blocks).toEqual([]);
    expect(stats.params.size).toBe(6);
  });
});
