/**
 * Memory over-commitment: what has been promised, what may still be claimed of it, and what there
 * is to meet the claim.
 *
 * Every figure counts exactly the guests that are handed in: hand in the running ones. What
 * guests that are off would claim is in boot-storm.ts.
 */

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
  /** /proc/meminfo MemAvailable. */
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

/** From /sys/kernel/mm/ksm, times the page size. */
export interface KsmSavings {
  /** pages_sharing: mappings beyond the first of each merged page. */
  readonly sharingBytes: number;
  /** ksm_zero_pages: mappings replaced by the kernel's zero page. 0 where the file is absent. */
  readonly zeroBytes: number;
}

/**
 * What a guest's RAM is made of, from `<memoryBacking>`: private anonymous memory; memory shared
 * with another process (memfd, or a file with access='shared': virtiofs, vhost-user), which KSM
 * cannot merge and whose swap VmSwap does not show; or pages of a hugepage pool.
 */
export type MemoryBacking =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'shared' }
  | { readonly kind: 'hugepages'; readonly pageBytes: number };

export interface MemoryGuest {
  readonly name: string;
  /** libvirt `balloon.current`: what the guest may use now. */
  readonly currentBytes: number;
  /** libvirt `balloon.maximum`: what it may use once the balloon is deflated. */
  readonly maximumBytes: number;
  /** RssAnon + RssShmem of /proc/<pid>/status. Undefined: not readable. */
  readonly residentBytes: number | undefined;
  /** HugetlbPages of /proc/<pid>/status, which is not part of the resident size. */
  readonly hugetlbBytes: number;
  /** VmSwap of /proc/<pid>/status. Always 0 for shared memory, swapped or not (proc.rst). */
  readonly swapBytes: number;
  /** memory.swap.max, or what memsw leaves above the memory limit. Undefined: unlimited. */
  readonly swapLimitBytes: number | undefined;
  readonly backing: MemoryBacking;
  /** `<memoryBacking><locked/>`, or VmLck of about the guest's size. */
  readonly locked: boolean;
  /** Has a VFIO device: all its memory is pinned from the start. */
  readonly vfio: boolean;
  /** Has a memory balloon device (`<memballoon model>` other than 'none'). */
  readonly balloonPresent: boolean;
}

/**
 * The one class a guest's promise is counted in, so that the classes add up to the whole:
 * hugepages before locked (VFIO or mlock) before shared before anonymous.
 */
export type MemoryClass = 'anonymous' | 'shared' | 'hugepages' | 'locked';

export const MEMORY_CLASSES: readonly MemoryClass[] = [
  'anonymous',
  'shared',
  'hugepages',
  'locked',
];

export interface PromisedMemory {
  readonly guests: number;
  readonly currentBytes: number;
  readonly maximumBytes: number;
}

/** The run on the bank, for the promise as it is now (`current`) or at most (`maximum`). */
export interface MemoryExposure {
  /** Σ of what guests may still claim. */
  readonly claimableBytes: number;
  /** claimableBytes plus what un-merging all KSM pages would cost. */
  readonly exposureBytes: number;
  /** MemAvailable. */
  readonly supplyWithoutSwapBytes: number;
  /** MemAvailable plus the free swap which guests can in fact be swapped to. */
  readonly supplyBytes: number;
  /** Exposure less supply. Negative: so much would be left. */
  readonly shortfallWithoutSwapBytes: number;
  readonly shortfallBytes: number;
}

export interface HugepagePromise {
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
  /** What it may still claim of its promise. Undefined: resident size unknown. */
  readonly claimableBytes: number | undefined;
  /** The same with its balloon deflated. */
  readonly claimableAtMaximumBytes: number | undefined;
  /** `ineffective`: the guest gives memory up but the host does not get it back. */
  readonly balloon: 'absent' | 'effective' | 'ineffective';
}

export interface MemoryOvercommit {
  /** MemTotal less hugepage pools and reserve. */
  readonly capacityBytes: number;
  /** Promised on `capacityBytes`: all classes but hugepages. */
  readonly promised: PromisedMemory;
  readonly promisedByClass: Readonly<Record<MemoryClass, PromisedMemory>>;
  readonly current: MemoryExposure;
  readonly maximum: MemoryExposure;
  readonly ksmUnmergeBytes: number;
  readonly ksmSavedBytes: number;
  readonly hugepages: readonly HugepagePromise[];
  readonly guestsWithUnknownResident: number;
  readonly guestsWithoutBalloon: number;
  readonly guestsWithIneffectiveBalloon: number;
  readonly guests: readonly MemoryOfGuest[];
}
