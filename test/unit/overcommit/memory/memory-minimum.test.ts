import { describe, expect, it } from 'vitest';

import {
  memoryOvercommit,
  type MemoryGuest,
  type MemoryHost,
} from '../../../../src/overcommit/memory/memory.ts';

const GIB = 2 ** 30;

const host: MemoryHost = {
  totalBytes: 16 * GIB,
  availableBytes: 8 * GIB,
  swapTotalBytes: 0,
  swapFreeBytes: 0,
  hugepagePools: [],
  reserveBytes: 0,
  ksm: undefined,
};

function guest(more: Partial<MemoryGuest> = {}): MemoryGuest {
  return {
    name: 'guest',
    currentBytes: 2 * GIB,
    maximumBytes: 4 * GIB,
    residentBytes: GIB,
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

const minimumOf = (more: Partial<MemoryGuest>): number | undefined =>
  memoryOvercommit(host, [guest(more)]).guests[0]?.minimumBytes;

describe('what a guest cannot be shrunk below', () => {
  it.each<[string, Partial<MemoryGuest>, number | undefined]>([
    ['is not known of one with a balloon and no guarantee', {}, undefined],
    ['is what it is guaranteed', { minimumBytes: GIB }, GIB],
    ['is no more than it was promised', { minimumBytes: 64 * GIB }, 4 * GIB],
    ['is all of it without a balloon', { balloonPresent: false }, 4 * GIB],
    ['lacks what virtio-mem unplugs', { balloonPresent: false, virtioMemBytes: 3 * GIB }, GIB],
    ['is all of it where it is locked', { locked: true, minimumBytes: GIB }, 4 * GIB],
    ['is all of it where it is pinned for a device', { vfio: true }, 4 * GIB],
    ['is all of it in huge pages', { backing: { kind: 'hugepages', pageBytes: 2 ** 21 } }, 4 * GIB],
  ])('%s', (_, more, minimum) => {
    expect(minimumOf(more)).toBe(minimum);
  });

  it('is summed by class, and of a guest with cells in huge pages in both', () => {
    const { minimumByClass } = memoryOvercommit(host, [
      guest({ minimumBytes: GIB }),
      guest(),
      guest({ vfio: true }),
      guest({
        balloonPresent: false,
        hugepageCells: [{ pageBytes: 2 ** 21, bytes: 3 * GIB }],
      }),
    ]);
    expect(minimumByClass).toEqual({
      anonymous: 2 * GIB,
      shared: 0,
      container: 0,
      file: 0,
      hugepages: 3 * GIB,
      locked: 4 * GIB,
    });
  });
});
