/**
 * Memory over-commitment: what has been promised, what can still be claimed of it, and the
 * supply to meet the claim.
 *
 * Every figure counts exactly the guests that are handed in: hand in the running ones. What
 * guests that are off would claim is in boot-storm.ts.
 */

import type { KsmSavings } from '../../model/facts/ksm-savings.ts';
import { computeMinimum } from './memory-minimum.ts';
import type { HugepageCell, MemoryKind } from '../../model/facts/memory-traits.ts';

export interface HugepagePool {
  /** Size of one page, from the directory name in /sys/kernel/mm/hugepages. */
  readonly pageBytes: number;
  /** nr_hugepages × page. */
  readonly totalBytes: number;
  /** free_hugepages × page. Includes what is reserved. */
  readonly freeBytes: number;
  /** resv_hugepages × page: free, but already promised to a mapping. */
  readonly reservedBytes: number;
}

export interface MemoryHost {
  /** /proc/meminfo MemTotal, which already lacks what the kernel keeps for itself. */
  readonly totalBytes: number;
  /** /proc/meminfo MemAvailable, with what of the ZFS cache the policy counts. */
  readonly availableBytes: number;
  /** Swap on devices and files. zram is left out by the caller: it is RAM under another name. */
  readonly swapTotalBytes: number;
  readonly swapFreeBytes: number;
  readonly hugepagePools: readonly HugepagePool[];
  /** What the policy keeps for the host itself. */
  readonly reserveBytes: number;
  /** Undefined: the kernel has no KSM. */
  readonly ksm: KsmSavings | undefined;
}

export interface MemoryGuest {
  readonly name: string;
  /** libvirt `balloon.current`: what the guest may use now. */
  readonly currentBytes: number;
  /** libvirt `balloon.maximum`: what it may use once the balloon is deflated. */
  readonly maximumBytes: number;
  /** RssAnon + RssShmem of /proc/<pid>/status, of a file RssFile too. Undefined: not readable. */
  readonly residentBytes: number | undefined;
  /** HugetlbPages of /proc/<pid>/status, which is not part of the resident size. */
  readonly hugetlbBytes: number;
  /**
   * Its memory in swap: VmSwap of /proc/<pid>/status, which lacks shared memory (proc.rst), so for
   * that memory.swap.current of its cgroup, if it has one of its own. Undefined: not readable.
   */
  readonly swapBytes: number | undefined;
  /** memory.swap.max, or what memsw leaves above the memory limit. Undefined: unlimited. */
  readonly swapLimitBytes: number | undefined;
  /** Of all its memory but what is in `hugepageCells`. */
  readonly backing: MemoryKind;
  /** Parts of the guest in huge pages while others are not, or are in pages of another size. */
  readonly hugepageCells?: readonly HugepageCell[];
  /** `<memoryBacking><locked/>`, or VmLck of about the guest's size. */
  readonly locked: boolean;
  /** Has a VFIO device, or is encrypted: all its memory is pinned from the start. */
  readonly vfio: boolean;
  /** What its manager guarantees it, or its cgroup keeps for it. Undefined: nothing is known. */
  readonly minimumBytes?: number | undefined;
  /** Part of its promise that virtio-mem devices can unplug; 0 without. */
  readonly virtioMemBytes?: number;
  /** Has a memory balloon device (`<memballoon model>` other than 'none'). */
  readonly balloonPresent: boolean;
  /** Runs on the host's own kernel: what it was promised is a limit. */
  readonly container?: boolean;
}

/**
 * The one class a promise is counted in, so that the classes add up to the whole: hugepages before
 * locked (VFIO or mlock) before file, shared, anonymous. A guest with some cells in huge pages is
 * counted in the class of the rest, with the bytes of the rest; those cells in hugepages.
 */
export type MemoryClass = 'anonymous' | 'shared' | 'file' | 'hugepages' | 'locked' | 'container';

export const MEMORY_CLASSES: readonly MemoryClass[] = [
  'anonymous',
  'shared',
  'file',
  'hugepages',
  'locked',
  'container',
];

interface PromisedMemory {
  readonly guests: number;
  readonly currentBytes: number;
  readonly maximumBytes: number;
}

/** The run on the bank, for the promise as it is now (`current`) or at most (`maximum`). */
interface MemoryExposure {
  /** Σ of what guests may still claim. */
  readonly claimableBytes: number;
  /** claimableBytes plus what un-merging all KSM pages would cost. */
  readonly exposureBytes: number;
  /** MemAvailable, with what of the ZFS cache the policy counts. */
  readonly supplyWithoutSwapBytes: number;
  /** MemAvailable plus the free swap which guests can in fact be swapped to. */
  readonly supplyBytes: number;
  /** Exposure less supply. Negative: so much would be left. */
  readonly shortfallWithoutSwapBytes: number;
  readonly shortfallBytes: number;
}

interface PromisedHugepages {
  readonly pageBytes: number;
  /** Undefined where guests are promised pages of a size the host has no pool of. */
  readonly totalBytes: number | undefined;
  /** Free and not reserved. Undefined as above. */
  readonly unreservedBytes: number | undefined;
  readonly promised: PromisedMemory;
}

export interface MemoryOfGuest {
  readonly name: string;
  readonly class: MemoryClass;
  readonly backing: MemoryKind['kind'];
  /** The host can swap it. */
  readonly swappable: boolean;
  /** What it may still claim of its promise. Undefined: resident size unknown. */
  readonly claimableBytes: number | undefined;
  /** The same with its balloon deflated. */
  readonly claimableAtMaximumBytes: number | undefined;
  /** What it cannot be shrunk below, see computeMinimum. Undefined: nothing is known. */
  readonly minimumBytes: number | undefined;
  /** Its memory in swap, shared memory included as far as it is known. Undefined: not readable. */
  readonly swapBytes: number | undefined;
  /** `ineffective`: the guest gives memory up but the host does not get it back. */
  readonly balloon: 'absent' | 'effective' | 'ineffective';
}

export interface MemoryOvercommit {
  /** MemTotal less hugepage pools and reserve. */
  readonly capacityBytes: number;
  /** Promised on `capacityBytes`: all classes but hugepages. */
  readonly promised: PromisedMemory;
  readonly promisedByClass: Readonly<Record<MemoryClass, PromisedMemory>>;
  /** What guests cannot be shrunk below; those of which nothing is known have none. */
  readonly minimumByClass: Readonly<Record<MemoryClass, number>>;
  readonly current: MemoryExposure;
  readonly maximum: MemoryExposure;
  readonly ksmUnmergeBytes: number;
  readonly ksmSavedBytes: number;
  readonly hugepages: readonly PromisedHugepages[];
  readonly guestsWithUnknownResident: number;
  /** Guests of which nothing tells what they were promised: they are in no sum here. */
  readonly guestsWithUnknownPromise: number;
  readonly guestsWithoutBalloon: number;
  readonly guestsWithIneffectiveBalloon: number;
  readonly guests: readonly MemoryOfGuest[];
}

/**
 * What is counted, and why:
 *
 * - A guest that is VFIO-pinned or locked holds all its memory from the start, and its balloon
 *   frees nothing: it has no claim left. (With a virtual IOMMU, VFIO pins only what the guest maps;
 *   such a guest's claim is under-estimated.)
 * - A hugepage guest draws on its pool, not on ordinary memory: it has no claim here, and its
 *   promise is compared with the pool. Of a guest with some cells in huge pages, each cell draws on
 *   the pool of its size; what the balloon took is counted as taken from all of them alike.
 * - Memory in a file on a disk is claimed like any other, but goes back to the file, not to swap.
 * - Memory in swap has been claimed already. Of a guest with shared memory and without a cgroup of
 *   its own it cannot be told from memory never touched, so that its claim is over-estimated by as
 *   much.
 * - A resident size counts a merged page once per guest that has it, so un-merging costs
 *   pages_sharing on top of what guests may claim. ksm_zero_pages do not count: the kernel takes
 *   them out of the resident size, so they are part of the claims already (mm/ksm.c replace_page).
 * - Only free swap that some guest can be swapped to helps: locked and hugepage memory stays, and a
 *   cgroup's swap limit binds. Without any limit (memory.swap.max = max) free swap is the bound.
 * - Promises leave out what QEMU itself needs (device state, video memory, page tables): the
 *   reserve has to cover it.
 */
export function memoryOvercommit(
  host: MemoryHost,
  guests: readonly MemoryGuest[],
  guestsWithUnknownPromise = 0,
): MemoryOvercommit {
  const pools = host.hugepagePools.reduce((sum, pool) => sum + pool.totalBytes, 0);
  const ordinary = guests.filter((guest) => toMemoryClass(guest) !== 'hugepages');
  const ofClass = (one: MemoryClass): PromisedMemory =>
    sumPromised(guests.filter((guest) => toMemoryClass(guest) === one).map(withoutCells));
  const inCells = sumPromised(guests.flatMap(listCells));
  const hugepages = ofClass('hugepages');
  const promisedByClass = {
    anonymous: ofClass('anonymous'),
    shared: ofClass('shared'),
    file: ofClass('file'),
    hugepages: {
      guests: hugepages.guests,
      currentBytes: hugepages.currentBytes + inCells.currentBytes,
      maximumBytes: hugepages.maximumBytes + inCells.maximumBytes,
    },
    locked: ofClass('locked'),
    container: ofClass('container'),
  };
  const ofGuests = guests.map((guest): MemoryOfGuest => ({
    name: guest.name,
    class: toMemoryClass(guest),
    backing: guest.backing.kind,
    swappable: isSwappable(guest),
    claimableBytes: claimable(guest, (promise) => promise.currentBytes),
    claimableAtMaximumBytes: claimable(guest, (promise) => promise.maximumBytes),
    minimumBytes: computeMinimum(guest, holdsAll(guest)),
    swapBytes: guest.swapBytes,
    balloon: computeBalloonEffect(guest),
  }));
  const ksmUnmergeBytes = host.ksm?.sharingBytes ?? 0;
  return {
    capacityBytes: Math.max(0, host.totalBytes - pools - host.reserveBytes),
    promised: sumPromised(ordinary.map(withoutCells)),
    promisedByClass,
    minimumByClass: sumMinima(guests, ofGuests),
    current: computeExposure(host, guests, ksmUnmergeBytes, (promise) => promise.currentBytes),
    maximum: computeExposure(host, guests, ksmUnmergeBytes, (promise) => promise.maximumBytes),
    ksmUnmergeBytes,
    ksmSavedBytes: ksmUnmergeBytes + (host.ksm?.zeroBytes ?? 0),
    hugepages: hugepagePromises(host.hugepagePools, guests),
    guestsWithUnknownResident: ofGuests.filter((guest) => guest.claimableBytes === undefined)
      .length,
    guestsWithUnknownPromise,
    guestsWithoutBalloon: ofGuests.filter((guest) => guest.balloon === 'absent').length,
    guestsWithIneffectiveBalloon: ofGuests.filter((guest) => guest.balloon === 'ineffective')
      .length,
    guests: ofGuests,
  };
}

/** Running guests that sums of promised and claimable memory lack, or lack a part of. */
export function countUnknownGuests({
  guestsWithUnknownPromise,
  guestsWithUnknownResident,
}: MemoryOvercommit): number {
  return guestsWithUnknownPromise + guestsWithUnknownResident;
}

/** Of a guest with some cells in huge pages, those draw on their pool with their part of its minimum. */
function sumMinima(
  guests: readonly MemoryGuest[],
  ofGuests: readonly MemoryOfGuest[],
): Readonly<Record<MemoryClass, number>> {
  const sums = { anonymous: 0, shared: 0, file: 0, hugepages: 0, locked: 0, container: 0 };
  for (const [index, guest] of guests.entries()) {
    const minimumBytes = ofGuests[index]?.minimumBytes ?? 0;
    const part = guest.maximumBytes === 0 ? 0 : minimumBytes / guest.maximumBytes;
    const inCells = Math.round(part * sumPromised(listCells(guest)).maximumBytes);
    sums[toMemoryClass(guest)] += minimumBytes - inCells;
    sums.hugepages += inCells;
  }
  return sums;
}

function toMemoryClass(guest: MemoryGuest): MemoryClass {
  if (guest.container === true) return 'container';
  if (guest.backing.kind === 'hugepages') return 'hugepages';
  return guest.locked || guest.vfio ? 'locked' : guest.backing.kind;
}

/** Now, and at most. */
interface Promised {
  readonly currentBytes: number;
  readonly maximumBytes: number;
}

interface PromisedOfPool extends Promised {
  readonly pageBytes: number;
}

function sumPromised(promises: readonly Promised[]): PromisedMemory {
  return {
    guests: promises.length,
    currentBytes: promises.reduce((sum, one) => sum + one.currentBytes, 0),
    maximumBytes: promises.reduce((sum, one) => sum + one.maximumBytes, 0),
  };
}

/** What a guest was promised of each pool beside its main backing. */
function listCells(guest: MemoryGuest): readonly PromisedOfPool[] {
  const part = guest.maximumBytes === 0 ? 0 : guest.currentBytes / guest.maximumBytes;
  return (guest.hugepageCells ?? []).map(({ pageBytes, bytes }) => ({
    pageBytes,
    currentBytes: Math.round(bytes * part),
    maximumBytes: bytes,
  }));
}

/** What a guest was promised of its main backing. */
function withoutCells(guest: MemoryGuest): Promised {
  const cells = sumPromised(listCells(guest));
  return {
    currentBytes: Math.max(0, guest.currentBytes - cells.currentBytes),
    maximumBytes: Math.max(0, guest.maximumBytes - cells.maximumBytes),
  };
}

/**
 * VFIO and mlock: QEMU's discard fails or is switched off (hw/virtio/virtio-balloon.c asks
 * ram_block_discard_is_disabled). Hugepages: a page goes back only when all its 4 KiB pieces are in
 * the balloon, and then to the pool.
 */
function computeBalloonEffect(guest: MemoryGuest): MemoryOfGuest['balloon'] {
  if (!guest.balloonPresent) return 'absent';
  return holdsAll(guest) ? 'ineffective' : 'effective';
}

/** It has all its memory from the start, and gives none of it back. */
function holdsAll(guest: MemoryGuest): boolean {
  const memoryClass = toMemoryClass(guest);
  return memoryClass === 'hugepages' || memoryClass === 'locked';
}

function isSwappable(guest: MemoryGuest): boolean {
  const memoryClass = toMemoryClass(guest);
  return memoryClass === 'anonymous' || memoryClass === 'shared' || memoryClass === 'container';
}

/** What is left of a promise on ordinary memory; undefined where the resident size is unknown. */
function claimable(
  guest: MemoryGuest,
  promisedBytes: (promise: Promised) => number,
): number | undefined {
  if (holdsAll(guest)) return 0;
  if (guest.residentBytes === undefined) return undefined;
  // Huge pages beyond those of its cells are those of a guest whose XML is not known.
  const inCells = sumPromised(listCells(guest)).maximumBytes;
  const otherHugetlb = Math.max(0, guest.hugetlbBytes - inCells);
  const held = guest.residentBytes + otherHugetlb + (guest.swapBytes ?? 0);
  return Math.max(0, promisedBytes(withoutCells(guest)) - held);
}

function computeExposure(
  host: MemoryHost,
  guests: readonly MemoryGuest[],
  ksmUnmergeBytes: number,
  promisedBytes: (promise: Promised) => number,
): MemoryExposure {
  let claimableBytes = 0;
  let swappableBytes = 0;
  for (const guest of guests) {
    const claim = claimable(guest, promisedBytes);
    if (claim === undefined) continue;
    claimableBytes += claim;
    if (!isSwappable(guest)) continue;
    const allowance = Math.max(0, (guest.swapLimitBytes ?? Infinity) - (guest.swapBytes ?? 0));
    swappableBytes += Math.min((guest.residentBytes ?? 0) + claim, allowance);
  }
  const exposureBytes = claimableBytes + ksmUnmergeBytes;
  const supplyWithoutSwapBytes = host.availableBytes;
  const supplyBytes = host.availableBytes + Math.min(host.swapFreeBytes, swappableBytes);
  return {
    claimableBytes,
    exposureBytes,
    supplyWithoutSwapBytes,
    supplyBytes,
    shortfallWithoutSwapBytes: exposureBytes - supplyWithoutSwapBytes,
    shortfallBytes: exposureBytes - supplyBytes,
  };
}

/** One entry per pool of the host and per page size some guest was promised, smallest first. */
function hugepagePromises(
  pools: readonly HugepagePool[],
  guests: readonly MemoryGuest[],
): readonly PromisedHugepages[] {
  const guestsOf = new Map<number, Promised[]>(pools.map((pool) => [pool.pageBytes, []]));
  const add = (pageBytes: number, promise: Promised): void => {
    const list = guestsOf.get(pageBytes);
    if (list === undefined) guestsOf.set(pageBytes, [promise]);
    else list.push(promise);
  };
  for (const guest of guests) {
    const { backing } = guest;
    if (backing.kind === 'hugepages') add(backing.pageBytes, withoutCells(guest));
    for (const cell of listCells(guest)) add(cell.pageBytes, cell);
  }
  return [...guestsOf]
    .sort(([one], [other]) => one - other)
    .map(([pageBytes, own]) => {
      const pool = pools.find((candidate) => candidate.pageBytes === pageBytes);
      return {
        pageBytes,
        totalBytes: pool?.totalBytes,
        unreservedBytes:
          pool === undefined ? undefined : Math.max(0, pool.freeBytes - pool.reservedBytes),
        promised: sumPromised(own),
      };
    });
}
