/**
 * One pool of huge pages of one size, in pages (Documentation/admin-guide/mm/hugetlbpage.rst).
 * Memory in the pool is lost to everything else, used or not; what is used can not be swapped.
 */
export interface HugePagePool {
  readonly pageBytes: number;
  readonly total: number;
  readonly free: number;
  /** Above the configured size; contained in total. */
  readonly surplus: number;
  /** Promised but not yet handed out; contained in free. The kernel keeps it for the host only. */
  readonly reserved: number | undefined;
  /** How far the pool may grow on demand; host only. */
  readonly overcommitLimit: number | undefined;
}

/**
 * Kernel same-page merging on the host, `/sys/kernel/mm/ksm`
 * (Documentation/admin-guide/mm/ksm.rst). Undefined: this kernel does not have the file. Page counts
 * are base pages.
 */
export interface Ksm {
  /** 0 stopped with merged pages kept, 1 running, 2 stopped and everything un-merged. */
  readonly run: number;
  readonly pagesToScan: number | undefined;
  /** Pause between two batches of pagesToScan. */
  readonly sleepSeconds: number | undefined;
  readonly mergeAcrossNodes: boolean | undefined;
  readonly useZeroPages: boolean | undefined;
  /** At most so many mappings share one page; more get another copy. */
  readonly maxPageSharing: number | undefined;
  readonly stableNodeChainsPruneSeconds: number | undefined;
  /** Skips pages which did not merge before (since 6.7). */
  readonly smartScan: boolean | undefined;

  /** Merged pages which exist: the cost, not the saving. */
  readonly pagesShared: number | undefined;
  /** Further mappings of them: pages saved. */
  readonly pagesSharing: number | undefined;
  /** Unique, scanned again and again. */
  readonly pagesUnshared: number | undefined;
  /** Change too fast to be merged. */
  readonly pagesVolatile: number | undefined;
  /** Counter (newer than 6.1). */
  readonly pagesScanned: number | undefined;
  /** Counter: passed over by smartScan. */
  readonly pagesSkipped: number | undefined;
  /** Replaced by the kernel's zero page: saved too, and no longer in the resident sizes. */
  readonly zeroPages: number | undefined;
  /** Counter. */
  readonly fullScans: number | undefined;
  readonly stableNodeChains: number | undefined;
  readonly stableNodeDuplicates: number | undefined;
  /** Saved memory minus KSM's own tracking structures; may be negative (since 6.4). */
  readonly generalProfitBytes: number | undefined;

  /** `none` or `scan-time`, which then sets pagesToScan itself (since 6.8). */
  readonly advisorMode: string | undefined;
  /** Percent of one CPU. */
  readonly advisorMaxCpuPercent: number | undefined;
  readonly advisorMinPagesToScan: number | undefined;
  readonly advisorMaxPagesToScan: number | undefined;
  readonly advisorTargetScanSeconds: number | undefined;
}

/**
 * The host's memory, `/proc/meminfo` (Documentation/filesystems/proc.rst), in bytes. A field is
 * undefined where the kernel is too old for it or built without.
 */
export interface Meminfo {
  /** What the kernel manages: RAM minus its own image and firmware reservations. */
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** The kernel's estimate of what new programs can get without swapping (since 3.14). */
  readonly availableBytes: number | undefined;
  readonly buffersBytes: number | undefined;
  /** Page cache, shared memory INCLUDED: with memfd-backed guests, that is guest memory. */
  readonly cachedBytes: number | undefined;
  readonly swapCachedBytes: number | undefined;
  readonly dirtyBytes: number | undefined;
  readonly writebackBytes: number | undefined;
  readonly anonymousBytes: number | undefined;
  readonly sharedMemoryBytes: number | undefined;
  readonly unevictableBytes: number | undefined;
  readonly lockedBytes: number | undefined;
  readonly slabReclaimableBytes: number | undefined;
  readonly slabUnreclaimableBytes: number | undefined;
  readonly kernelStackBytes: number | undefined;
  readonly pageTableBytes: number | undefined;
  /** Second-level page tables, KVM's among them (since 6.1). */
  readonly secondaryPageTableBytes: number | undefined;
  readonly swapTotalBytes: number | undefined;
  readonly swapFreeBytes: number | undefined;
  /** RAM the zswap pool takes (since 5.19). */
  readonly zswapBytes: number | undefined;
  /** Size, before compression, of what is in the zswap pool (since 5.19). */
  readonly zswappedBytes: number | undefined;
  /** Enforced in vm.overcommit_memory=2 only. */
  readonly commitLimitBytes: number | undefined;
  /** Address space handed out that may have to be backed some day. */
  readonly committedBytes: number | undefined;
  readonly anonymousHugePageBytes: number | undefined;
  readonly sharedMemoryHugePageBytes: number | undefined;
  readonly sharedMemoryHugePageMappedBytes: number | undefined;
  /** RAM taken out of use after memory errors. */
  readonly hardwareCorruptedBytes: number | undefined;
  /** The pool of the default huge page size; undefined without hugetlbfs. Others: hugepages.ts. */
  readonly defaultHugePages: DefaultHugePages | undefined;
  /** All pools of all sizes together (since 4.20). */
  readonly hugetlbBytes: number | undefined;
}

/** Pages, not bytes. */
export interface DefaultHugePages {
  readonly pageBytes: number;
  readonly total: number;
  readonly free: number;
  /** Promised to mappings but not yet handed out; contained in free. */
  readonly reserved: number;
  /** Above the configured size of the pool; contained in total. */
  readonly surplus: number;
}

/**
 * Kernel settings which decide what over-committed memory and CPU statistics mean
 * (Documentation/admin-guide/sysctl/vm.rst and kernel.rst). Undefined: not on this kernel.
 */
export interface MemorySysctl {
  /** vm.overcommit_memory: 0 heuristic, 1 always, 2 never beyond CommitLimit. */
  readonly overcommitMode: number;
  /** vm.overcommit_ratio, percent of RAM; counts in mode 2, unless overcommitBytes is set. */
  readonly overcommitRatioPercent: number | undefined;
  /** vm.overcommit_kbytes; undefined while 0, i.e. the ratio counts. */
  readonly overcommitBytes: number | undefined;
  /** vm.swappiness, 0…200. */
  readonly swappiness: number | undefined;
  /** vm.min_free_kbytes: below it only the kernel itself gets memory. */
  readonly minFreeBytes: number | undefined;
  /** kernel.numa_balancing: 0 off, 1 on, 2 memory tiering, 3 both. */
  readonly numaBalancing: number | undefined;
  /** kernel.sched_schedstats: without it, wait_sum of libvirt's vcpu.<n>.wait stays 0. */
  readonly schedulerStatistics: boolean | undefined;
}

/** The multi-generational LRU (Documentation/admin-guide/mm/multigen_lru.rst). */
export interface MultiGenLru {
  readonly enabled: boolean;
  /** Clears accessed bits in leaf page tables in batches: what makes ageing guests cheap. */
  readonly leafAgeing: boolean;
  /** And in non-leaf ones. */
  readonly nonLeafAgeing: boolean;
  /** Memory used in this last time is not evicted, the OOM killer acts instead; undefined: off. */
  readonly minimumAgeSeconds: number | undefined;
}

/** One NUMA node. */
export interface NumaNode {
  readonly node: number;
  /** Online CPUs of the node; empty for memory-only nodes (CXL, persistent memory). */
  readonly cpus: readonly number[];
  readonly memory: NodeMemory;
  /**
   * The node's part of the pools of huge pages: a guest bound to the node can have no others.
   * Undefined without hugetlbfs.
   */
  readonly hugePages: readonly HugePagePool[] | undefined;
  /** Undefined where numa statistics are switched off (vm.numa_stat=0 keeps the file, frozen). */
  readonly allocations: NodeAllocations | undefined;
}

/** `/sys/devices/system/node/node<n>/meminfo`, in bytes. */
export interface NodeMemory {
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** Page cache, shared memory included. */
  readonly fileBytes: number | undefined;
  readonly anonymousBytes: number | undefined;
  readonly sharedMemoryBytes: number | undefined;
  readonly anonymousHugePageBytes: number | undefined;
  readonly dirtyBytes: number | undefined;
  readonly unevictableBytes: number | undefined;
  readonly lockedBytes: number | undefined;
  readonly slabReclaimableBytes: number | undefined;
  readonly slabUnreclaimableBytes: number | undefined;
}

/** `numastat` of the node (Documentation/admin-guide/numastat.rst), in pages since boot. */
export interface NodeAllocations {
  /** Wanted here, got here. */
  readonly hit: bigint;
  /** Wanted on another node, which had none left, got here. */
  readonly miss: bigint;
  /** Wanted here, had to go elsewhere: this node was full. */
  readonly foreign: bigint;
  /** By a task running on this node. */
  readonly local: bigint;
  /** By a task running on another node. */
  readonly other: bigint;
}

/** One active swap area, a line of `/proc/swaps`. */
export interface SwapArea {
  /** Device or file. */
  readonly path: string;
  /** zram: a compressed RAM disk, i.e. swapping to it frees only part of what it takes. */
  readonly kind: 'zram' | 'partition' | 'file';
  readonly sizeBytes: number;
  readonly usedBytes: number;
  /** Highest is used first. */
  readonly priority: number;
  readonly zram: ZramUsage | undefined;
}

/** mm_stat of a zram device (Documentation/admin-guide/blockdev/zram.rst), in bytes. */
export interface ZramUsage {
  /** Data held, before compression. */
  readonly originalBytes: number;
  readonly compressedBytes: number;
  /** RAM it takes, its own overhead included. */
  readonly memoryBytes: number;
  /** Limit of the former; undefined: none. */
  readonly memoryLimitBytes: number | undefined;
}

/**
 * Settings and counters of transparent huge pages, `/sys/kernel/mm/transparent_hugepage`
 * (Documentation/admin-guide/mm/transhuge.rst).
 */
export interface TransparentHugePages {
  /** `always`, `madvise` (QEMU asks for it) or `never`. */
  readonly enabled: string;
  /** What an allocation does to get one: `always`, `defer`, `defer+madvise`, `madvise`, `never`. */
  readonly defrag: string | undefined;
  /** For memfd and tmpfs: `always`, `within_size`, `advise`, `never`, `deny`, `force`. */
  readonly sharedMemoryEnabled: string | undefined;
  /** Size of one, 2 MiB on x86. */
  readonly pageBytes: number | undefined;
  readonly khugepaged: {
    readonly defrag: boolean | undefined;
    readonly pagesToScan: number | undefined;
    readonly scanSleepSeconds: number | undefined;
    /** Counters. */
    readonly pagesCollapsed: number | undefined;
    readonly fullScans: number | undefined;
    /** How many of a huge page's base pages may be empty, i.e. how much a collapse may grow RSS. */
    readonly maxEmptyPages: number | undefined;
  };
}

export interface Vmstat {
  /** A counter this kernel does not have is not in here. */
  readonly counters: ReadonlyMap<VmstatCounter, bigint>;
  /**
   * Times a task had to reclaim memory itself before its allocation could succeed (`allocstall_*`),
   * by memory zone (dma32, normal, movable …).
   */
  readonly directReclaimsByZone: ReadonlyMap<string, bigint>;
  /** The sum over zones; undefined where there is no such counter. */
  readonly directReclaims: bigint | undefined;
}

export type VmstatCounter = (typeof VMSTAT_COUNTERS)[number];

/**
 * Event counters of the host's memory management from `/proc/vmstat` (mm/vmstat.c, vmstat_text).
 * Names are the kernel's; units are events, or pages where the comment says so.
 */
export const VMSTAT_COUNTERS = [
  // Swap, in pages. Hits in zswap and all-zero pages are not in pswpin and pswpout.
  'pswpin',
  'pswpout',
  'zswpin',
  'zswpout',
  'zswpwb',
  'swpin_zero',
  'swpout_zero',
  'swap_ra',
  'swap_ra_hit',
  // Faults.
  'pgfault',
  'pgmajfault',
  'oom_kill',
  // Reclaim, in pages. *_proactive are newer than 6.12; before, they counted as direct.
  'pgscan_kswapd',
  'pgscan_direct',
  'pgscan_khugepaged',
  'pgscan_proactive',
  'pgscan_direct_throttle',
  'pgscan_anon',
  'pgscan_file',
  'pgsteal_kswapd',
  'pgsteal_direct',
  'pgsteal_khugepaged',
  'pgsteal_proactive',
  'pgsteal_anon',
  'pgsteal_file',
  'pageoutrun',
  'kswapd_low_wmark_hit_quickly',
  'kswapd_high_wmark_hit_quickly',
  'slabs_scanned',
  // Pages which came back after being evicted.
  'workingset_refault_anon',
  'workingset_refault_file',
  'workingset_activate_anon',
  'workingset_activate_file',
  'workingset_restore_anon',
  'workingset_restore_file',
  'workingset_nodereclaim',
  // Transparent huge pages, in huge pages.
  'thp_fault_alloc',
  'thp_fault_fallback',
  'thp_collapse_alloc',
  'thp_collapse_alloc_failed',
  'thp_split_page',
  'thp_split_page_failed',
  'thp_deferred_split_page',
  'thp_underused_split_page',
  'thp_split_pmd',
  'thp_swpout',
  'thp_swpout_fallback',
  // Compaction: what making huge pages costs.
  'compact_stall',
  'compact_fail',
  'compact_success',
  'compact_migrate_scanned',
  'compact_free_scanned',
  'compact_daemon_wake',
  // NUMA, in pages.
  'numa_hit',
  'numa_miss',
  'numa_foreign',
  'numa_local',
  'numa_other',
  'numa_pte_updates',
  'numa_hint_faults',
  'numa_hint_faults_local',
  'numa_pages_migrated',
  'pgmigrate_success',
  'pgmigrate_fail',
  // KSM: pages copied because a guest wrote to a merged one, or brought in from swap.
  'cow_ksm',
  'ksm_swpin_copy',
] as const;

/**
 * The cache of OpenZFS (ARC), in bytes. On Linux it lies outside the page cache, so that MemAvailable
 * lacks it (openzfs/zfs issue 10255), though much of it can be given up.
 */
export interface ZfsArc {
  readonly sizeBytes: number;
  /** `c_min`: it does not shrink below this by itself. */
  readonly minimumBytes: number;
  /** `c_max`: it does not grow beyond this. */
  readonly maximumBytes: number;
  /**
   * What it can give up: buffers nobody uses, and no more than what it is larger than its minimum.
   * Undefined before ZFS 0.7, which does not say what can be evicted.
   */
  readonly reclaimableBytes: number | undefined;
}

/**
 * zswap: a compressed cache in RAM before the swap device
 * (Documentation/admin-guide/mm/zswap.rst). Its pool size is in meminfo (Zswap, Zswapped), its
 * traffic in vmstat (zswpin, zswpout, zswpwb).
 */
export interface Zswap {
  readonly enabled: boolean;
  readonly compressor: string | undefined;
  /** Percent of RAM the pool may take. */
  readonly maxPoolPercent: number | undefined;
  /** Below this percentage of the full pool it takes pages again. */
  readonly acceptThresholdPercent: number | undefined;
  /** Writes cold pages back before the pool is full (since 6.8). */
  readonly shrinkerEnabled: boolean | undefined;
  /** Undefined where debugfs is not mounted or not for us: root only. */
  readonly debug: ZswapDebug | undefined;
}

/** `/sys/kernel/debug/zswap`: no stable interface, so each may be missing. */
export interface ZswapDebug {
  readonly poolBytes: number | undefined;
  readonly storedPages: number | undefined;
  /** Counters. */
  readonly writtenBackPages: number | undefined;
  readonly poolLimitHits: number | undefined;
  readonly rejectedCompressPoor: number | undefined;
  readonly rejectedReclaimFail: number | undefined;
}
