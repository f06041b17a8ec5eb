import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { momDecision, type MomGuest, type MomHost } from '../../../../src/overcommit/mom/mom.ts';

const KIB = 1024;
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** 16 GiB, of which `free` in MemFree; as much is available. */
function host(free: number, more: Partial<MomHost> = {}): MomHost {
  return {
    totalBytes: 16 * GIB,
    averageFreeBytes: free,
    averageBuffersBytes: 0,
    averageCachedBytes: 0,
    averageAvailableBytes: free,
    ksmPagesToScan: 100,
    guestsVirtualBytes: 10 * GIB,
    guestsMergeableBytes: 10 * GIB,
    ...more,
  };
}

/** A guest of 1 GiB with a full-size balloon range and half its memory free. */
function guest(more: Partial<MomGuest> = {}): MomGuest {
  const balloonCurrentBytes = more.balloonCurrentBytes ?? 1024 * MIB;
  return {
    name: 'guest',
    balloonCurrentBytes,
    averageBalloonCurrentBytes: balloonCurrentBytes,
    balloonMaximumBytes: 1024 * MIB,
    balloonMinimumBytes: 0,
    averageUnusedBytes: 512 * MIB,
    averageUsableBytes: 512 * MIB,
    ...more,
  };
}

function target(free: number, one: MomGuest): number | undefined {
  return momDecision('mom', host(free), [one])?.guests[0]?.targetBytes;
}

const COMFORTABLE = 8 * GIB;
/** 10 % free. */
const PRESSURE = 1638.4 * MIB;
/** 3 % free. */
const CRITICAL = 491.52 * MIB;

describe("MOM's zone", () => {
  it('is comfortable from 20 % free, critical up to 5 %, pressure between', () => {
    const zone = (ratio: number): string | undefined =>
      momDecision('mom', host(ratio * 100, { totalBytes: 100 }), [])?.zone;
    expect([0.5, 0.2, 0.19, 0.06, 0.05, 0].map(zone)).toEqual([
      'comfortable',
      'comfortable',
      'pressure',
      'pressure',
      'critical',
      'critical',
    ]);
  });

  it('counts buffers and all of the page cache as free', () => {
    const decision = momDecision(
      'mom',
      host(GIB, { averageBuffersBytes: GIB, averageCachedBytes: 2 * GIB }),
      [],
    );
    expect(decision?.hostFreeRatio).toBe(0.25);
  });

  it('does not exist for a host of unknown size', () => {
    expect(momDecision('mom', host(0, { totalBytes: 0 }), [])).toBeUndefined();
  });
});

describe("MOM's balloon target under pressure", () => {
  it('takes 5 % at a time from a guest with room', () => {
    // 0.95 × 1024 MiB = 996147.2 KiB, in whole KiB.
    expect(target(PRESSURE, guest())).toBe(996_147 * KIB);
  });

  it('leaves a guest its used memory and a free part scaled to the pressure', () => {
    // 10 % free on the host: 0.2 × 0.1 / 0.2 = 10 % of 1000 MiB free, over 880 MiB used.
    const one = guest({ balloonCurrentBytes: 1000 * MIB, averageUnusedBytes: 120 * MIB });
    expect(target(PRESSURE, one)).toBe(980 * MIB);
  });

  it('asks nothing of a guest that has less free than that', () => {
    expect(target(PRESSURE, guest({ averageUnusedBytes: 64 * MIB }))).toBe(1024 * MIB);
  });

  it('pushes a full guest into its own swap when critical', () => {
    // 3 % − 5 % = −2 % of 1000 MiB: 20 MiB less than the 985 MiB it uses.
    const one = guest({ balloonCurrentBytes: 1000 * MIB, averageUnusedBytes: 15 * MIB });
    const bytes = target(CRITICAL, one) ?? 0;
    expect(Math.abs(bytes - 965 * MIB)).toBeLessThanOrEqual(KIB);
  });

  it('does not go below the minimum', () => {
    const one = guest({ balloonMinimumBytes: 1000 * MIB });
    expect(target(PRESSURE, one)).toBe(1000 * MIB);
  });

  it('does not bother with a change of a quarter per cent', () => {
    const one = guest({ balloonMinimumBytes: 1022 * MIB });
    expect(target(PRESSURE, one)).toBe(1024 * MIB);
  });
});

describe("MOM's balloon target with room", () => {
  it('gives 5 % at a time back', () => {
    const one = guest({ balloonCurrentBytes: 500 * MIB, averageUnusedBytes: 300 * MIB });
    expect(target(COMFORTABLE, one)).toBe(525 * MIB);
  });

  it('gives a full guest at once what makes 20 % free', () => {
    const one = guest({ balloonCurrentBytes: 500 * MIB, averageUnusedBytes: 20 * MIB });
    expect(target(COMFORTABLE, one)).toBe(580 * MIB);
  });

  it('stops at the maximum', () => {
    expect(target(COMFORTABLE, guest({ balloonCurrentBytes: 1000 * MIB }))).toBe(1024 * MIB);
    expect(target(COMFORTABLE, guest())).toBe(1024 * MIB);
  });

  it('is not known without guest statistics', () => {
    expect(target(COMFORTABLE, guest({ averageUnusedBytes: undefined }))).toBeUndefined();
  });
});

describe("MOM's KSM setting", () => {
  const ksm = (free: number, more: Partial<MomHost>) =>
    momDecision('mom', host(free, more), [])?.ksm;

  it('stops when guests fit beside a fifth that is free', () => {
    expect(ksm(8 * GIB, {})).toEqual({ run: false });
  });

  it('runs, and slows down, when guests do not fit but there is room', () => {
    expect(ksm(8 * GIB, { guestsVirtualBytes: 14 * GIB, ksmPagesToScan: 200 })).toEqual({
      run: true,
      pagesToScan: 150,
      sleepMilliseconds: 10,
    });
  });

  it('speeds up when less than a fifth is free', () => {
    expect(ksm(2 * GIB, {})).toMatchObject({ run: true, pagesToScan: 400 });
  });

  it('keeps between 64 and 1250 pages', () => {
    expect(ksm(8 * GIB, { guestsVirtualBytes: 14 * GIB })).toMatchObject({ pagesToScan: 64 });
    expect(ksm(2 * GIB, { ksmPagesToScan: 1000 })).toMatchObject({ pagesToScan: 1250 });
  });

  it('sleeps less on larger hosts, and from 160 GiB on not at all', () => {
    const sleep = (gib: number) => {
      const setting = ksm(0, { totalBytes: gib * GIB });
      return setting?.run === true ? setting.sleepMilliseconds : undefined;
    };
    expect([8, 16, 64, 160, 161, 256].map(sleep)).toEqual([20, 10, 2, 1, 0, 0]);
  });

  it('is not known without KSM or without the size of the guests', () => {
    expect(ksm(GIB, { ksmPagesToScan: undefined })).toBeUndefined();
    expect(ksm(GIB, { guestsVirtualBytes: undefined })).toBeUndefined();
  });
});

describe('the corrected variant', () => {
  it('sees pressure where memfd guests fill the page cache that MOM takes for free', () => {
    const memfd = host(GIB / 2, { averageCachedBytes: 10 * GIB, averageAvailableBytes: GIB });
    expect(momDecision('mom', memfd, [])?.zone).toBe('comfortable');
    expect(momDecision('corrected', memfd, [])?.zone).toBe('pressure');
  });

  it('does not start KSM for address space nobody uses', () => {
    const idle = host(8 * GIB, { guestsVirtualBytes: 40 * GIB, guestsMergeableBytes: 3 * GIB });
    expect(momDecision('mom', idle, [])?.ksm?.run).toBe(true);
    expect(momDecision('corrected', idle, [])?.ksm?.run).toBe(false);
  });

  it('takes from a guest full of page cache what MOM would leave', () => {
    const caching = guest({ averageUnusedBytes: 10 * MIB, averageUsableBytes: 700 * MIB });
    const targets = (['mom', 'corrected'] as const).map(
      (variant) => momDecision(variant, host(PRESSURE), [caching])?.guests[0]?.targetBytes,
    );
    expect(targets).toEqual([1024 * MIB, 996_147 * KIB]);
  });
});

describe("MOM's decisions for any input", () => {
  const bytes = fc.integer({ min: 0, max: 2 ** 45 });

  it('are finite, and shrink or grow by no more than the policy allows', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 45 }),
        bytes,
        bytes,
        bytes,
        bytes,
        fc.constantFrom('mom' as const, 'corrected' as const),
        (totalBytes, free, current, maximum, unused, variant) => {
          const decision = momDecision(variant, host(free, { totalBytes }), [
            guest({
              balloonCurrentBytes: current,
              balloonMaximumBytes: maximum,
              averageUnusedBytes: unused,
              averageUsableBytes: unused,
            }),
          ]);
          const size = decision?.guests[0]?.targetBytes ?? Number.NaN;
          expect(Number.isFinite(size)).toBe(true);
          expect(Number.isFinite(decision?.hostFreeRatio)).toBe(true);
          expect(size).toBeGreaterThanOrEqual(Math.floor(current * 0.95) - KIB);
          expect(size).toBeLessThanOrEqual(Math.max(current, maximum));
          expect(JSON.stringify(decision)).not.toContain('null');
        },
      ),
    );
  });
});
