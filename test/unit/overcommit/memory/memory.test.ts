import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  memoryOvercommit,
  type MemoryGuest,
  type MemoryHost,
} from '../../../../src/overcommit/memory/memory.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

function host(more: Partial<MemoryHost> = {}): MemoryHost {
  return {
    totalBytes: 16 * GIB,
    availableBytes: 6 * GIB,
    swapTotalBytes: 0,
    swapFreeBytes: 0,
    hugepagePools: [],
    reserveBytes: 0,
    ksm: undefined,
    ...more,
  };
}

/** A 1 GiB guest with nothing resident and nothing in swap. */
function guest(more: Partial<MemoryGuest> = {}): MemoryGuest {
  return {
    name: 'guest',
    currentBytes: GIB,
    maximumBytes: GIB,
    residentBytes: 0,
    hugetlbBytes: 0,
    swapBytes: 0,
    swapLimitBytes: undefined,
    backing: { kind: 'anonymous' },
    locked: false,
    vfio: false,
    balloonPresent: true,
    ...more,
  };
}

function many(count: number, more: Partial<MemoryGuest> = {}): MemoryGuest[] {
  return Array.from({ length: count }, (_, index) => guest({ name: `guest${index}`, ...more }));
}

describe('memory promise and capacity', () => {
  it('come to 2:1 for 32 guests of 1 GiB on 16 GiB', () => {
    const { promised, capacityBytes } = memoryOvercommit(host(), many(32));
    expect(promised).toEqual({ guests: 32, currentBytes: 32 * GIB, maximumBytes: 32 * GIB });
    expect(promised.currentBytes / capacityBytes).toBe(2);
  });

  it('are empty without guests', () => {
    const result = memoryOvercommit(host(), []);
    expect(result.promised).toEqual({ guests: 0, currentBytes: 0, maximumBytes: 0 });
    expect(result.current.exposureBytes).toBe(0);
    expect(result.current.shortfallBytes).toBe(-6 * GIB);
  });

  it('leave hugepage pools and the reserve out of the capacity', () => {
    const result = memoryOvercommit(
      host({
        reserveBytes: 2 * GIB,
        hugepagePools: [
          { pageBytes: 2 * MIB, totalBytes: 4 * GIB, freeBytes: 4 * GIB, reservedBytes: 0 },
          { pageBytes: GIB, totalBytes: 2 * GIB, freeBytes: 2 * GIB, reservedBytes: 0 },
        ],
      }),
      [],
    );
    expect(result.capacityBytes).toBe(8 * GIB);
  });

  it('never have a capacity below nothing', () => {
    expect(memoryOvercommit(host({ reserveBytes: 20 * GIB }), []).capacityBytes).toBe(0);
  });

  it('count each guest in one class: hugepages, then locked, then shared, then anonymous', () => {
    const { promisedByClass, promised } = memoryOvercommit(host(), [
      guest({ backing: { kind: 'hugepages', pageBytes: GIB }, vfio: true, currentBytes: 16 * GIB }),
      guest({ backing: { kind: 'shared' }, vfio: true, currentBytes: 8 * GIB }),
      guest({ locked: true, currentBytes: 4 * GIB }),
      guest({ backing: { kind: 'shared' }, currentBytes: 2 * GIB }),
      guest({ currentBytes: GIB }),
    ]);
    expect(promisedByClass.hugepages.currentBytes).toBe(16 * GIB);
    expect(promisedByClass.locked).toMatchObject({ guests: 2, currentBytes: 12 * GIB });
    expect(promisedByClass.shared.currentBytes).toBe(2 * GIB);
    expect(promisedByClass.anonymous.currentBytes).toBe(GIB);
    expect(promised.currentBytes).toBe(15 * GIB);
  });

  it('show a guest bigger than its host', () => {
    const { promised, capacityBytes, current } = memoryOvercommit(host(), [
      guest({ currentBytes: 64 * GIB, maximumBytes: 64 * GIB, residentBytes: 9 * GIB }),
    ]);
    expect(promised.currentBytes / capacityBytes).toBe(4);
    expect(current.shortfallBytes).toBe((64 - 9 - 6) * GIB);
  });
});

describe('the run on the memory bank', () => {
  it('is what 32 guests have not claimed yet, against what is available', () => {
    const result = memoryOvercommit(
      host({ swapTotalBytes: 8 * GIB, swapFreeBytes: 4 * GIB }),
      many(32, { residentBytes: 256 * MIB }),
    );
    expect(result.current).toEqual({
      claimableBytes: 24 * GIB,
      exposureBytes: 24 * GIB,
      supplyWithoutSwapBytes: 6 * GIB,
      supplyBytes: 10 * GIB,
      shortfallWithoutSwapBytes: 18 * GIB,
      shortfallBytes: 14 * GIB,
    });
  });

  it('is the same with and without swap on a host that has none', () => {
    const { current } = memoryOvercommit(host(), many(4));
    expect(current.supplyBytes).toBe(current.supplyWithoutSwapBytes);
    expect(current.shortfallBytes).toBe(-2 * GIB);
  });

  it('grows to the maximum if balloons deflate', () => {
    const { current, maximum } = memoryOvercommit(host(), [
      guest({ currentBytes: GIB, maximumBytes: 4 * GIB, residentBytes: GIB / 2 }),
    ]);
    expect(current.claimableBytes).toBe(0.5 * GIB);
    expect(maximum.claimableBytes).toBe(3.5 * GIB);
  });

  it('counts nothing for a guest with more resident than promised', () => {
    const { current, guests } = memoryOvercommit(host(), [
      guest({ residentBytes: 1.2 * GIB }),
      guest({ residentBytes: 0.75 * GIB }),
    ]);
    expect(guests[0]?.claimableBytes).toBe(0);
    expect(current.claimableBytes).toBe(0.25 * GIB);
  });

  it('takes what is swapped out or in hugepages as claimed', () => {
    const { current } = memoryOvercommit(host(), [
      guest({
        currentBytes: 8 * GIB,
        residentBytes: 2 * GIB,
        swapBytes: GIB,
        hugetlbBytes: 3 * GIB,
      }),
    ]);
    expect(current.claimableBytes).toBe(2 * GIB);
  });

  it('over-estimates a memfd guest that is swapped out, because its VmSwap stays 0', () => {
    const { current } = memoryOvercommit(host(), [
      guest({ backing: { kind: 'shared' }, currentBytes: 4 * GIB, residentBytes: GIB }),
    ]);
    expect(current.claimableBytes).toBe(3 * GIB);
  });

  it('counts nothing for VFIO, locked and hugepage guests, which hold all they may', () => {
    const half = { currentBytes: 2 * GIB, maximumBytes: 4 * GIB, residentBytes: GIB };
    const result = memoryOvercommit(host(), [
      guest({ ...half, vfio: true }),
      guest({ ...half, locked: true }),
      guest({ ...half, backing: { kind: 'hugepages', pageBytes: 2 * MIB } }),
    ]);
    expect(result.current.claimableBytes).toBe(0);
    expect(result.maximum.claimableBytes).toBe(0);
  });

  it('lets swap help only as far as guests can be swapped', () => {
    const swap = { swapTotalBytes: 8 * GIB, swapFreeBytes: 8 * GIB };
    const noSwap = memoryOvercommit(host(swap), many(4, { swapLimitBytes: 0 }));
    expect(noSwap.current.supplyBytes).toBe(6 * GIB);
    const halfUsed = memoryOvercommit(
      host(swap),
      many(4, { swapLimitBytes: GIB / 2, swapBytes: GIB / 4, residentBytes: GIB / 2 }),
    );
    expect(halfUsed.current.supplyBytes).toBe(7 * GIB);
    const locked = memoryOvercommit(host(swap), many(4, { locked: true, residentBytes: GIB }));
    expect(locked.current.supplyBytes).toBe(6 * GIB);
  });

  it('stays finite where a cgroup allows unlimited swap', () => {
    const swap = { swapTotalBytes: 2 * GIB, swapFreeBytes: 2 * GIB };
    // What memory.memsw.limit_in_bytes shows for "no limit" (v1).
    for (const swapLimitBytes of [undefined, 9_223_372_036_854_771_712, Infinity]) {
      const { current } = memoryOvercommit(host(swap), many(4, { swapLimitBytes }));
      expect(current.supplyBytes).toBe(8 * GIB);
    }
  });
});

describe('KSM in the exposure', () => {
  const ksm = { sharingBytes: 2 * GIB, zeroBytes: GIB };

  it('costs pages_sharing to un-merge; zero pages are part of the claims already', () => {
    const result = memoryOvercommit(host({ ksm }), many(4, { residentBytes: GIB / 2 }));
    expect(result.ksmUnmergeBytes).toBe(2 * GIB);
    expect(result.current.claimableBytes).toBe(2 * GIB);
    expect(result.current.exposureBytes).toBe(4 * GIB);
  });

  it('saves both', () => {
    expect(memoryOvercommit(host({ ksm }), []).ksmSavedBytes).toBe(3 * GIB);
  });

  it('adds nothing on a kernel without KSM', () => {
    const result = memoryOvercommit(host(), many(2));
    expect(result.ksmUnmergeBytes).toBe(0);
    expect(result.current.exposureBytes).toBe(2 * GIB);
  });
});

describe('hugepage pools', () => {
  const pool = {
    pageBytes: 2 * MIB,
    totalBytes: 8 * GIB,
    freeBytes: 3 * GIB,
    reservedBytes: GIB,
  };

  it('are compared with what is promised of their page size', () => {
    const backing = { kind: 'hugepages', pageBytes: 2 * MIB } as const;
    const { hugepages } = memoryOvercommit(
      host({ hugepagePools: [pool] }),
      many(3, { backing, currentBytes: 3 * GIB, maximumBytes: 4 * GIB }),
    );
    expect(hugepages).toEqual([
      {
        pageBytes: 2 * MIB,
        totalBytes: 8 * GIB,
        unreservedBytes: 2 * GIB,
        promised: { guests: 3, currentBytes: 9 * GIB, maximumBytes: 12 * GIB },
      },
    ]);
  });

  it('are listed without guests, and a promise is listed without a pool', () => {
    const { hugepages } = memoryOvercommit(host({ hugepagePools: [pool] }), [
      guest({ backing: { kind: 'hugepages', pageBytes: GIB } }),
    ]);
    expect(hugepages.map((one) => [one.pageBytes, one.totalBytes, one.promised.guests])).toEqual([
      [2 * MIB, 8 * GIB, 0],
      [GIB, undefined, 1],
    ]);
  });
});

describe('what is not known', () => {
  it('is counted, and sums are over the rest', () => {
    const result = memoryOvercommit(host(), [
      guest({ residentBytes: undefined, currentBytes: 8 * GIB }),
      guest({ residentBytes: GIB / 4 }),
    ]);
    expect(result.guestsWithUnknownResident).toBe(1);
    expect(result.current.claimableBytes).toBe(0.75 * GIB);
    expect(result.guests.map((one) => one.claimableBytes)).toEqual([undefined, 0.75 * GIB]);
  });

  it('is not missed for a guest that has no claim anyway', () => {
    const result = memoryOvercommit(host(), [guest({ residentBytes: undefined, vfio: true })]);
    expect(result.guestsWithUnknownResident).toBe(0);
  });
});

describe('balloons', () => {
  it('are absent, effective, or take from the guest without giving to the host', () => {
    const result = memoryOvercommit(host(), [
      guest({ balloonPresent: false, vfio: true }),
      guest(),
      guest({ backing: { kind: 'shared' } }),
      guest({ vfio: true }),
      guest({ locked: true }),
      guest({ backing: { kind: 'hugepages', pageBytes: GIB } }),
    ]);
    expect(result.guests.map((one) => one.balloon)).toEqual([
      'absent',
      'effective',
      'effective',
      'ineffective',
      'ineffective',
      'ineffective',
    ]);
    expect(result.guestsWithoutBalloon).toBe(1);
    expect(result.guestsWithIneffectiveBalloon).toBe(3);
  });
});

describe('memory figures of any host', () => {
  const bytes = fc.integer({ min: 0, max: 2 ** 45 });
  const anyGuest: fc.Arbitrary<MemoryGuest> = fc.record({
    name: fc.string(),
    currentBytes: bytes,
    maximumBytes: bytes,
    residentBytes: fc.option(bytes, { nil: undefined }),
    hugetlbBytes: bytes,
    swapBytes: bytes,
    swapLimitBytes: fc.option(bytes, { nil: undefined }),
    backing: fc.oneof(
      fc.constant({ kind: 'anonymous' } as const),
      fc.constant({ kind: 'shared' } as const),
      fc.constant({ kind: 'hugepages', pageBytes: GIB } as const),
    ),
    locked: fc.boolean(),
    vfio: fc.boolean(),
    balloonPresent: fc.boolean(),
  });
  const anyHost: fc.Arbitrary<MemoryHost> = fc.record({
    totalBytes: bytes,
    availableBytes: bytes,
    swapTotalBytes: bytes,
    swapFreeBytes: bytes,
    hugepagePools: fc.array(
      fc.record({
        pageBytes: fc.constant(GIB),
        totalBytes: bytes,
        freeBytes: bytes,
        reservedBytes: bytes,
      }),
      { maxLength: 1 },
    ),
    reserveBytes: bytes,
    ksm: fc.option(fc.record({ sharingBytes: bytes, zeroBytes: bytes }), { nil: undefined }),
  });
  const guests = fc.array(anyGuest, { maxLength: 6 });

  it('never fall in exposure when more is promised', () => {
    fc.assert(
      fc.property(anyHost, guests, bytes, (some, before, extra) => {
        const after = before.map((one) => ({ ...one, currentBytes: one.currentBytes + extra }));
        expect(memoryOvercommit(some, after).current.exposureBytes).toBeGreaterThanOrEqual(
          memoryOvercommit(some, before).current.exposureBytes,
        );
      }),
    );
  });

  it('are finite, and swap never makes a shortfall larger', () => {
    fc.assert(
      fc.property(anyHost, guests, (some, list) => {
        const { current, maximum } = memoryOvercommit(some, list);
        for (const exposure of [current, maximum]) {
          expect(Object.values(exposure).every(Number.isFinite)).toBe(true);
          expect(exposure.shortfallBytes).toBeLessThanOrEqual(exposure.shortfallWithoutSwapBytes);
        }
      }),
    );
  });

  it('add up over the classes', () => {
    fc.assert(
      fc.property(anyHost, guests, (some, list) => {
        const { promised, promisedByClass } = memoryOvercommit(some, list);
        expect(promised.guests + promisedByClass.hugepages.guests).toBe(list.length);
        expect(promised.currentBytes).toBe(
          promisedByClass.anonymous.currentBytes +
            promisedByClass.shared.currentBytes +
            promisedByClass.locked.currentBytes,
        );
      }),
    );
  });
});
