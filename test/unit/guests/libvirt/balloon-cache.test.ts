import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { BalloonCache } from '../../../../src/guests/libvirt/balloon-cache.ts';
import type { Balloon } from '../../../../src/model/domain.ts';

const guest = { name: 'web', uuid: '11111111-1111-1111-1111-111111111111', id: 3 };

const balloon: Balloon = {
  currentBytes: 2 ** 30,
  maximumBytes: 2 ** 30,
  guestTotalBytes: undefined,
  guestFreeBytes: undefined,
  guestAvailableBytes: undefined,
  guestDiskCachesBytes: undefined,
  guestSwapInBytes: undefined,
  guestSwapOutBytes: undefined,
  guestMajorFaults: undefined,
  guestMinorFaults: undefined,
  guestHugetlbAllocations: undefined,
  guestHugetlbFailures: undefined,
  residentBytes: 2 ** 29,
  lastUpdateSeconds: undefined,
};

describe('when a guest is asked for its balloon', () => {
  it('is asked when it never was', () => {
    expect(new BalloonCache().isDue(guest, 10)).toBe(true);
  });

  it('is not asked again within its statistics period', () => {
    const cache = new BalloonCache();
    cache.put(guest, balloon);
    expect(cache.isDue(guest, 10)).toBe(false);
    expect(cache.get(guest.uuid)).toBe(balloon);
  });

  it('is asked again when the period has passed', () => {
    const cache = new BalloonCache();
    cache.put(guest, balloon);
    expect(cache.isDue(guest, 0)).toBe(true);
  });

  it('is not asked again soon when it has no period', () => {
    const cache = new BalloonCache();
    cache.put(guest, balloon);
    expect(cache.isDue(guest, undefined)).toBe(false);
  });

  it('is asked after an event said that its balloon changed', () => {
    const cache = new BalloonCache();
    cache.put(guest, balloon);
    cache.invalidate(guest.uuid);
    expect(cache.isDue(guest, 10)).toBe(true);
  });

  it('is asked after it was restarted, as its numbers are those of another run', () => {
    const cache = new BalloonCache();
    cache.put(guest, balloon);
    expect(cache.isDue({ ...guest, id: 4 }, 10)).toBe(true);
  });

  it('is asked again at once when it was busy, so that only its sizes are known', () => {
    const cache = new BalloonCache();
    cache.put(guest, { ...balloon, residentBytes: undefined });
    expect(cache.isDue(guest, undefined)).toBe(true);
  });

  it('is dropped with the guest', () => {
    const cache = new BalloonCache();
    cache.put(guest, balloon);
    cache.retain(new Set());
    expect(cache.get(guest.uuid)).toBeUndefined();
  });
});

describe('a guest that does not report, or no longer', () => {
  const PERIOD = 2;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance', 'Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Seconds at which a guest is asked that could be asked each second. */
  function questions(cache: BalloonCache, seconds: number, answer: () => Balloon): number[] {
    const asked: number[] = [];
    for (let second = 0; second <= seconds; second++) {
      if (cache.isDue(guest, PERIOD)) {
        asked.push(second);
        cache.put(guest, answer());
      }
      vi.advanceTimersByTime(1_000);
    }
    return asked;
  }

  it('is polled with back-off', () => {
    const cache = new BalloonCache();
    expect(questions(cache, 30, () => balloon)).toEqual([0, 2, 4, 6, 9, 14, 21]);
  });

  it('is asked at least once a minute', () => {
    const cache = new BalloonCache();
    questions(cache, 3_600, () => balloon);
    vi.advanceTimersByTime(60_000);
    expect(cache.isDue(guest, PERIOD)).toBe(true);
  });

  it('is asked once per period while it reports', () => {
    const reporting = (): Balloon => ({ ...balloon, lastUpdateSeconds: Date.now() / 1000 - 1 });
    expect(questions(new BalloonCache(), 600, reporting)).toHaveLength(301);
  });

  it('is polled with back-off again once it has stopped', () => {
    const stopped: Balloon = { ...balloon, lastUpdateSeconds: Date.now() / 1000 };
    expect(questions(new BalloonCache(), 600, () => stopped).length).toBeLessThan(30);
  });

  it('is asked often again after an event, such as that it was resumed', () => {
    const cache = new BalloonCache();
    questions(cache, 600, () => balloon);
    cache.invalidate(guest.uuid);
    expect(questions(cache, 6, () => balloon)).toEqual([0, 2, 4, 6]);
  });

  it('is asked often again after it was restarted', () => {
    const cache = new BalloonCache();
    questions(cache, 600, () => balloon);
    const restarted = { ...guest, id: 4 };
    cache.put(restarted, balloon);
    vi.advanceTimersByTime(2_000);
    expect(cache.isDue(restarted, PERIOD)).toBe(true);
  });
});
