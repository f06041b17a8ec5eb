import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { cpuOvercommit } from '../../../../src/overcommit/cpu/cpu.ts';
import type { CpuGuest, CpuHost } from '../../../../src/overcommit/cpu/model.ts';

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function cpus(...numbers: number[]): ReadonlySet<number> {
  return new Set(numbers);
}

/** `count` CPUs, one thread per core, one node. */
function plainHost(count: number, more: Partial<CpuHost> = {}): CpuHost {
  const all = range(0, count - 1);
  return {
    onlineCpus: new Set(all),
    isolatedCpus: new Set(),
    coreOf: new Map(all.map((cpu) => [cpu, cpu])),
    nodeOf: new Map(all.map((cpu) => [cpu, 0])),
    reservedCpus: 0,
    threadsPerCpu: 1,
    ...more,
  };
}

/** Node 0 has CPUs 0-3, node 1 has CPUs 4-7. */
function twoNodes(more: Partial<CpuHost> = {}): CpuHost {
  return plainHost(8, {
    nodeOf: new Map(range(0, 7).map((cpu) => [cpu, cpu < 4 ? 0 : 1])),
    ...more,
  });
}

/** A guest whose vCPUs all have the same allowed CPUs. */
function guest(
  name: string,
  vcpus: number,
  allowedCpus?: ReadonlySet<number>,
  more: Partial<CpuGuest> = {},
): CpuGuest {
  return {
    name,
    vcpus: Array.from({ length: vcpus }, () => ({ online: true, allowedCpus })),
    emulatorCpus: undefined,
    memoryNodes: undefined,
    weight: undefined,
    quotaCpusPerVcpu: undefined,
    quotaCpus: undefined,
    ...more,
  };
}

function guaranteed(host: CpuHost, guests: readonly CpuGuest[]): Record<string, number> {
  return Object.fromEntries(
    cpuOvercommit(host, guests).guests.map((one) => [one.name, one.guaranteedCpus]),
  );
}

describe('CPU promise and capacity', () => {
  it('comes to 8:1 for 32 guests of 1 vCPU on 4 cores', () => {
    const guests = range(1, 32).map((number) => guest(`guest${number}`, 1));
    const { shared, guests: figures } = cpuOvercommit(plainHost(4), guests);
    expect(shared.promised).toEqual({ current: 32, maximum: 32 });
    expect(shared.capacity).toEqual({ cpus: 4, cores: 4 });
    expect(figures[0]?.guaranteedCpus).toBeCloseTo(0.125, 12);
  });

  it('is empty, not wrong, without guests', () => {
    const result = cpuOvercommit(plainHost(4), []);
    expect(result.shared.promised).toEqual({ current: 0, maximum: 0 });
    expect(result.shared.capacity).toEqual({ cpus: 4, cores: 4 });
    expect(result.cpusets).toEqual([]);
    expect(result.guests).toEqual([]);
  });

  it('counts two threads of a core as two CPUs and one core', () => {
    const host = plainHost(8, { coreOf: new Map(range(0, 7).map((cpu) => [cpu, cpu % 4])) });
    expect(cpuOvercommit(host, []).shared.capacity).toEqual({ cpus: 8, cores: 4 });
  });

  it('counts a core with one thread offline as a whole core', () => {
    const host = plainHost(8, {
      coreOf: new Map(range(0, 7).map((cpu) => [cpu, cpu % 4])),
      onlineCpus: cpus(0, 1, 2, 3, 4, 5),
    });
    expect(cpuOvercommit(host, []).shared.capacity).toEqual({ cpus: 6, cores: 4 });
  });

  it('leaves half a core in the pool when one of its two threads is dedicated', () => {
    const host = plainHost(4, { coreOf: new Map(range(0, 3).map((cpu) => [cpu, cpu % 2])) });
    const { shared, dedicated } = cpuOvercommit(host, [
      guest('pinned', 1, cpus(0)),
      guest('others', 2, cpus(1, 2, 3)),
    ]);
    expect(shared.capacity).toEqual({ cpus: 3, cores: 1.5 });
    expect(dedicated.capacity).toEqual({ cpus: 1, cores: 0.5 });
  });

  it('takes the reserve off the capacity, and never below nothing', () => {
    expect(cpuOvercommit(plainHost(8, { reservedCpus: 2 }), []).shared.capacity).toEqual({
      cpus: 6,
      cores: 6,
    });
    expect(cpuOvercommit(plainHost(2, { reservedCpus: 3 }), []).shared.capacity).toEqual({
      cpus: 0,
      cores: 0,
    });
  });

  it('keeps vCPUs that are online apart from those that may be plugged in', () => {
    const sparse = guest('sparse', 0, undefined, {
      vcpus: [true, false, true, false].map((online) => ({ online, allowedCpus: undefined })),
    });
    const { shared, guests } = cpuOvercommit(plainHost(4), [sparse]);
    expect(shared.promised).toEqual({ current: 2, maximum: 4 });
    expect(guests[0]?.vcpus).toEqual({ current: 2, maximum: 4 });
  });

  it('does not count a CPU that is offline', () => {
    const host = plainHost(8, { onlineCpus: cpus(0, 1, 2, 3, 5) });
    const result = cpuOvercommit(host, [guest('pinned', 2, cpus(4, 5))]);
    expect(result.shared.capacity.cpus).toBe(5);
    expect(result.cpusets).toEqual([
      {
        cpus: [5],
        capacity: { cpus: 1, cores: 1 },
        promised: { current: 2, maximum: 2 },
        alsoAllowed: { current: 0, maximum: 0 },
      },
    ]);
    expect(result.guests[0]).toMatchObject({ largerThanAllowed: true, capCpus: 1 });
  });

  it('lets a vCPU whose CPUs are all offline run anywhere, as the kernel does, and says so', () => {
    const host = plainHost(8, { onlineCpus: new Set(range(0, 3)) });
    const result = cpuOvercommit(host, [guest('lost', 1, cpus(6, 7)), guest('free', 1)]);
    expect(result.withoutOnlineCpu).toEqual({ current: 1, maximum: 1 });
    expect(result.shared.promised.current).toBe(2);
    expect(result.guests[0]).toMatchObject({ vcpusWithoutOnlineCpu: 1, allowed: { cpus: 4 } });
    expect(result.guests[1]?.vcpusWithoutOnlineCpu).toBe(0);
  });

  it('flags a guest with more vCPUs than the host has CPUs', () => {
    const { guests } = cpuOvercommit(plainHost(4), [guest('big', 16), guest('fits', 4)]);
    expect(guests[0]).toMatchObject({ largerThanAllowed: true, capCpus: 4 });
    expect(guests[1]).toMatchObject({ largerThanAllowed: false, capCpus: 4 });
  });

  it('flags a guest with more vCPUs than its own cpuset, on a host large enough', () => {
    const { guests } = cpuOvercommit(plainHost(16), [guest('boxed', 4, cpus(0, 1))]);
    expect(guests[0]).toMatchObject({
      largerThanAllowed: true,
      allowed: { cpus: 2, cores: 2 },
      capCpus: 2,
    });
  });
});

describe('dedicated and isolated CPUs', () => {
  it('take a vCPU pinned alone to a CPU, and that CPU, out of the pool', () => {
    const result = cpuOvercommit(plainHost(4), [
      guest('pinned', 1, cpus(0)),
      guest('shared', 6, cpus(1, 2, 3)),
    ]);
    expect(result.dedicated).toEqual({
      cpus: [0],
      capacity: { cpus: 1, cores: 1 },
      promised: { current: 1, maximum: 1 },
    });
    expect(result.shared).toEqual({
      cpus: [1, 2, 3],
      capacity: { cpus: 3, cores: 3 },
      promised: { current: 6, maximum: 6 },
    });
    expect(result.cpusets.map((set) => set.cpus)).toEqual([[1, 2, 3]]);
  });

  it('are not dedicated once a guest without pins may run there too', () => {
    const result = cpuOvercommit(plainHost(4), [guest('pinned', 1, cpus(0)), guest('free', 2)]);
    expect(result.dedicated.cpus).toEqual([]);
    expect(result.shared.promised.current).toBe(3);
    expect(result.shared.capacity.cpus).toBe(4);
  });

  it('are not dedicated if a vCPU that could be plugged in is pinned there too', () => {
    const growing = guest('growing', 0, undefined, {
      vcpus: [
        { online: true, allowedCpus: cpus(0) },
        { online: false, allowedCpus: cpus(0) },
      ],
    });
    expect(cpuOvercommit(plainHost(4), [growing]).dedicated.cpus).toEqual([]);
  });

  it('see two guests pinned to one CPU as a cpuset of one CPU with a promise of two', () => {
    const host = plainHost(4);
    const guests = [guest('one', 1, cpus(2)), guest('two', 1, cpus(2))];
    const result = cpuOvercommit(host, guests);
    expect(result.dedicated.cpus).toEqual([]);
    expect(result.cpusets).toEqual([
      {
        cpus: [2],
        capacity: { cpus: 1, cores: 1 },
        promised: { current: 2, maximum: 2 },
        alsoAllowed: { current: 0, maximum: 0 },
      },
    ]);
    expect(guaranteed(host, guests)).toEqual({ one: 0.5, two: 0.5 });
  });

  it('do not make the only CPU of a host dedicated to an unpinned guest', () => {
    const result = cpuOvercommit(plainHost(1), [guest('only', 1)]);
    expect(result.dedicated.cpus).toEqual([]);
    expect(result.shared.promised.current).toBe(1);
  });

  it('keep isolated CPUs out of the pool and count who is confined to them', () => {
    const host = plainHost(4, { isolatedCpus: cpus(2, 3) });
    const result = cpuOvercommit(host, [guest('realtime', 4, cpus(2, 3)), guest('free', 3)]);
    expect(result.shared).toMatchObject({ cpus: [0, 1], promised: { current: 3, maximum: 3 } });
    expect(result.isolated).toEqual({
      cpus: [2, 3],
      capacity: { cpus: 2, cores: 2 },
      promised: { current: 4, maximum: 4 },
    });
    expect(result.guests.map((one) => one.guaranteedCpus)).toEqual([2, 2]);
  });

  it('let an isolated CPU be dedicated beside guests without pins', () => {
    const host = plainHost(4, { isolatedCpus: cpus(2, 3) });
    const result = cpuOvercommit(host, [guest('realtime', 1, cpus(3)), guest('free', 1)]);
    expect(result.dedicated.cpus).toEqual([3]);
    expect(result.isolated.cpus).toEqual([2]);
  });

  it('do not run a vCPU on an isolated CPU while its set has ordinary ones', () => {
    const host = plainHost(4, { isolatedCpus: cpus(2, 3) });
    const result = cpuOvercommit(host, [guest('mixed', 2, cpus(1, 2))]);
    expect(result.cpusets.map((set) => set.cpus)).toEqual([[1]]);
  });

  it('show emulator threads that may run on a dedicated CPU', () => {
    const host = plainHost(4);
    const result = cpuOvercommit(host, [
      guest('careless', 2, undefined, {
        vcpus: [
          { online: true, allowedCpus: cpus(0) },
          { online: true, allowedCpus: cpus(1) },
        ],
      }),
      guest('careful', 2, cpus(2, 3), { emulatorCpus: cpus(2, 3) }),
    ]);
    expect(result.dedicated.cpus).toEqual([0, 1]);
    expect(result.guests.map((one) => one.emulatorOnDedicatedCpus)).toEqual([2, 0]);
  });
});

describe('CPU per cpuset and NUMA node', () => {
  it('promises a set to vCPUs confined to it and lists those that may also go elsewhere', () => {
    const result = cpuOvercommit(plainHost(8), [
      guest('inner', 2, cpus(0, 1)),
      guest('outer', 3, cpus(0, 1, 2, 3)),
      guest('across', 5, cpus(3, 4)),
    ]);
    expect(
      result.cpusets.map(({ cpus: set, promised, alsoAllowed }) => [
        set,
        promised.current,
        alsoAllowed.current,
      ]),
    ).toEqual([
      [[0, 1], 2, 3],
      [[0, 1, 2, 3], 5, 5],
      [[3, 4], 5, 3],
    ]);
  });

  it('spreads a vCPU over the nodes of its set by CPUs', () => {
    const result = cpuOvercommit(twoNodes(), [
      guest('free', 8),
      guest('uneven', 3, new Set(range(0, 5))),
    ]);
    expect(result.nodes).toEqual([
      { node: 0, capacity: { cpus: 4, cores: 4 }, promised: { current: 6, maximum: 6 } },
      { node: 1, capacity: { cpus: 4, cores: 4 }, promised: { current: 5, maximum: 5 } },
    ]);
  });

  it('takes the reserve off every node alike and leaves dedicated CPUs out', () => {
    const result = cpuOvercommit(twoNodes({ reservedCpus: 2 }), [
      guest('pinned', 1, cpus(0)),
      guest('shared', 7, new Set(range(1, 7))),
    ]);
    // 7 shared CPUs less 2: 5/7 of 3 and of 4.
    expect(result.nodes[0]?.capacity.cpus).toBeCloseTo(15 / 7, 12);
    expect(result.nodes[1]?.capacity.cpus).toBeCloseTo(20 / 7, 12);
    expect(result.nodes[0]?.promised.current).toBeCloseTo(3, 12);
    expect(result.nodes[1]?.promised.current).toBeCloseTo(4, 12);
  });

  it('shows vCPUs that may run away from the memory a strict numatune binds', () => {
    const { guests } = cpuOvercommit(twoNodes(), [
      guest('unpinned', 2, undefined, { memoryNodes: cpus(0) }),
      guest('local', 2, cpus(0, 1), { memoryNodes: cpus(0) }),
      guest('unbound', 2),
    ]);
    expect(guests.map((one) => one.vcpusOffMemoryNodes)).toEqual([2, 0, undefined]);
    // Nor does a host without dedicated CPUs have any an emulator could disturb.
    expect(guests.map((one) => one.emulatorOnDedicatedCpus)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('caps and guaranteed shares', () => {
  const v1 = (value: number): Partial<CpuGuest> => ({ weight: { kind: 'v1 shares', value } });
  const v2 = (value: number): Partial<CpuGuest> => ({ weight: { kind: 'v2 weight', value } });

  it('divide contended CPUs by weight', () => {
    expect(
      guaranteed(plainHost(4), [
        guest('light', 4, undefined, v1(1024)),
        guest('heavy', 4, undefined, v1(3072)),
      ]),
    ).toEqual({ light: 1, heavy: 3 });
  });

  it('leave nothing to a guest that runs only where nobody else wants to', () => {
    expect(
      guaranteed(plainHost(4), [
        guest('idle', 4, undefined, { weight: { kind: 'idle' } }),
        guest('other', 2),
      ]),
    ).toEqual({ idle: 0, other: 2 });
  });

  it('split the weight of a guest over its vCPUs', () => {
    // On CPUs 0 and 1 half of halved's weight stands against all of whole's: 2/3 to 4/3.
    const halved = guest('halved', 0, undefined, {
      vcpus: [cpus(0, 1), cpus(2, 3)].map((allowedCpus) => ({ online: true, allowedCpus })),
    });
    const shares = guaranteed(plainHost(4), [halved, guest('whole', 2, cpus(0, 1))]);
    expect(shares['halved']).toBeCloseTo(5 / 3, 12);
    expect(shares['whole']).toBeCloseTo(4 / 3, 12);
  });

  it('know 1024 shares and a weight of 100 for the default', () => {
    expect(
      guaranteed(plainHost(3), [
        guest('v1', 4, undefined, v1(1024)),
        guest('v2', 4, undefined, v2(100)),
        guest('default', 4),
      ]),
    ).toEqual({ v1: 1, v2: 1, default: 1 });
  });

  it('never give sets that overlap in a ring more than all their CPUs', () => {
    const host = plainHost(4, { isolatedCpus: cpus(0, 1, 2) });
    const ring = [cpus(0, 1), cpus(1, 2), cpus(0, 2)].map((set, index) =>
      guest(`guest${index}`, 2, set),
    );
    expect(guaranteed(host, ring)).toEqual({ guest0: 1, guest1: 1, guest2: 1 });
  });

  it('take the default weight where none is set', () => {
    expect(
      guaranteed(plainHost(4), [guest('default', 4), guest('treble', 4, undefined, v2(300))]),
    ).toEqual({ default: 1, treble: 3 });
  });

  it('hand on what a guest with too few vCPUs cannot use', () => {
    expect(
      guaranteed(plainHost(4), [
        guest('small', 1, undefined, v2(300)),
        guest('one', 4),
        guest('two', 4),
      ]),
    ).toEqual({ small: 1, one: 1.5, two: 1.5 });
  });

  it('hand on what a quota per vCPU or per guest leaves', () => {
    const perVcpu = [guest('capped', 4, undefined, { quotaCpusPerVcpu: 0.25 }), guest('free', 4)];
    expect(guaranteed(plainHost(4), perVcpu)).toEqual({ capped: 1, free: 3 });
    const whole = [guest('capped', 4, undefined, { quotaCpus: 0.5 }), guest('free', 4)];
    expect(guaranteed(plainHost(4), whole)).toEqual({ capped: 0.5, free: 3.5 });
  });

  it('give the smallest of quota, vCPUs and CPUs as the cap', () => {
    const { guests } = cpuOvercommit(plainHost(4), [
      guest('perVcpu', 2, undefined, { quotaCpusPerVcpu: 0.5, quotaCpus: 3 }),
      guest('global', 4, undefined, { quotaCpusPerVcpu: 0.5, quotaCpus: 1.5 }),
      guest('generous', 2, undefined, { quotaCpusPerVcpu: 4 }),
    ]);
    expect(guests.map((one) => one.capCpus)).toEqual([1, 1.5, 2]);
  });

  it('do not let vCPUs crowded on one CPU borrow the room of a free one', () => {
    const lopsided = guest('lopsided', 0, undefined, {
      vcpus: [cpus(0), cpus(0), cpus(0), cpus(1, 2, 3)].map((allowedCpus) => ({
        online: true,
        allowedCpus,
      })),
    });
    expect(cpuOvercommit(plainHost(4), [lopsided]).guests[0]).toMatchObject({
      capCpus: 2,
      guaranteedCpus: 2,
    });
  });

  it('give a dedicated vCPU its CPU whatever the others weigh', () => {
    expect(
      guaranteed(plainHost(4), [
        guest('pinned', 1, cpus(0), v2(1)),
        guest('heavy', 8, cpus(1, 2, 3), v2(10_000)),
      ]),
    ).toEqual({ pinned: 1, heavy: 3 });
  });

  it('keep the reserve out of what is guaranteed', () => {
    expect(guaranteed(plainHost(4, { reservedCpus: 1 }), [guest('only', 8)])).toEqual({ only: 3 });
  });

  it('give two guests crowded on one CPU half of it, and an unpinned one the rest', () => {
    expect(
      guaranteed(plainHost(4), [
        guest('one', 1, cpus(0)),
        guest('two', 1, cpus(0)),
        guest('free', 8),
      ]),
    ).toEqual({ one: 0.5, two: 0.5, free: 3 });
  });
});

describe('CPUs whose secondary threads are offline by design', () => {
  it('count with all threads a guest gets there, and the reserve in the same unit', () => {
    const { shared } = cpuOvercommit(plainHost(20, { threadsPerCpu: 8, reservedCpus: 16 }), [
      guest('big', 80),
    ]);
    expect(shared.capacity).toEqual({ cpus: 144, cores: 18 });
    expect(shared.promised.current).toBe(80);
  });
});

describe('CPU figures of any host', () => {
  const cpuSet = fc
    .uniqueArray(fc.integer({ min: 0, max: 9 }), { maxLength: 6 })
    .map((list) => new Set(list));
  const anyHost: fc.Arbitrary<CpuHost> = fc.record({
    onlineCpus: fc
      .uniqueArray(fc.integer({ min: 0, max: 7 }), { maxLength: 8 })
      .map((list) => new Set(list)),
    isolatedCpus: cpuSet,
    coreOf: fc.constant(new Map(range(0, 6).map((cpu) => [cpu, cpu % 3]))),
    nodeOf: fc.constant(new Map(range(0, 6).map((cpu) => [cpu, cpu % 2]))),
    reservedCpus: fc.integer({ min: 0, max: 9 }),
    threadsPerCpu: fc.constantFrom(1, 2, 8),
  });
  const anyGuest: fc.Arbitrary<CpuGuest> = fc.record({
    name: fc.string({ maxLength: 3 }),
    vcpus: fc.array(
      fc.record({
        online: fc.boolean(),
        allowedCpus: fc.option(cpuSet, { nil: undefined }),
      }),
      { maxLength: 5 },
    ),
    emulatorCpus: fc.option(cpuSet, { nil: undefined }),
    memoryNodes: fc.option(fc.constant(cpus(0)), { nil: undefined }),
    weight: fc.option(
      fc.record({
        kind: fc.constantFrom('v1 shares' as const, 'v2 weight' as const),
        value: fc.integer({ min: 0, max: 300_000 }),
      }),
      { nil: undefined },
    ),
    quotaCpusPerVcpu: fc.option(fc.double({ min: 0, max: 4, noNaN: true }), { nil: undefined }),
    quotaCpus: fc.option(fc.double({ min: 0, max: 16, noNaN: true }), { nil: undefined }),
  });

  it('guarantee no more than there is, to all and to each', () => {
    fc.assert(
      fc.property(anyHost, fc.array(anyGuest, { maxLength: 6 }), (host, guests) => {
        const result = cpuOvercommit(host, guests);
        const there =
          result.shared.capacity.cpus +
          result.dedicated.capacity.cpus +
          result.isolated.capacity.cpus;
        const given = result.guests.reduce((sum, one) => sum + one.guaranteedCpus, 0);
        expect(given).toBeLessThanOrEqual(there + 1e-9);
        for (const one of result.guests) {
          expect(one.guaranteedCpus).toBeGreaterThanOrEqual(0);
          expect(one.guaranteedCpus).toBeLessThanOrEqual(one.capCpus + 1e-9);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('count every vCPU in exactly one of shared, dedicated and isolated', () => {
    fc.assert(
      fc.property(anyHost, fc.array(anyGuest, { maxLength: 6 }), (host, guests) => {
        const { shared, dedicated, isolated } = cpuOvercommit(host, guests);
        expect(
          shared.promised.maximum + dedicated.promised.maximum + isolated.promised.maximum,
        ).toBe(guests.reduce((sum, one) => sum + one.vcpus.length, 0));
        expect(shared.cpus.length + dedicated.cpus.length + isolated.cpus.length).toBe(
          host.onlineCpus.size,
        );
      }),
      { numRuns: 300 },
    );
  });

  it('are finite', () => {
    fc.assert(
      fc.property(anyHost, fc.array(anyGuest, { maxLength: 6 }), (host, guests) => {
        // JSON turns NaN and Infinity into null, and these figures have no other null.
        expect(JSON.stringify(cpuOvercommit(host, guests))).not.toContain('null');
      }),
      { numRuns: 300 },
    );
  });
});
