import { describe, expect, it } from 'vitest';

import { BalloonCache } from '../../../src/snapshot/balloon-cache.ts';
import type { Balloon } from '../../../src/snapshot/domain.ts';

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

  it('is forgotten with the guest', () => {
    const cache = new BalloonCache();
    cache.put(guest, balloon);
    cache.retain(new Set());
    expect(cache.get(guest.uuid)).toBeUndefined();
  });
});
