/**
 * The CPU control of a guest. Its own quota is the tighter one of its group and libvirt's group
 * inside, its own throttling that of both; those of its threads are theirs alone.
 */
export interface GuestCgroupCpu extends CgroupBandwidth {
  readonly share: CpuShare | undefined;
  /** CPU time of all tasks in the group and in those inside. Undefined for v1 without cpuacct. */
  readonly usageSeconds: number | undefined;
  readonly vcpus: ReadonlyMap<number, CgroupBandwidth>;
  readonly iothreads: ReadonlyMap<number, CgroupBandwidth>;
  readonly emulator: CgroupBandwidth | undefined;
}

/** Both undefined where the cpu controller is not switched on for the group (v2). */
export interface CgroupBandwidth {
  readonly quota: CpuQuota | undefined;
  readonly throttling: CpuThrottling | undefined;
}

/** CPU bandwidth limit (sched-bwc.rst): so much CPU time in each period, over all CPUs. */
export type CpuQuota =
  'unlimited' | { readonly quotaSeconds: number; readonly periodSeconds: number };

/** What the bandwidth limit did. Counters of this group alone, not of the groups inside. */
export interface CpuThrottling {
  /** Periods in which the group wanted to run. */
  readonly periods: number;
  /** Of those, the ones in which it used up its quota and had to stop. */
  readonly throttledPeriods: number;
  /** Time stopped, summed over CPUs. */
  readonly throttledSeconds: number;
}

/**
 * A group's share of the CPU among its siblings in the same parent group, and only there. v1 and v2
 * have different scales, which libvirt does not convert: default 1024 of 2…262144 for v1 shares
 * (sched-design-CFS.rst), default 100 of 1…10000 for v2 weight (cgroup-v2.rst).
 */
export type CpuShare =
  | { readonly kind: 'weight'; readonly weight: number }
  | { readonly kind: 'shares'; readonly shares: number }
  /** cpu.idle, from Linux 5.15 on: it runs only where nobody else wants to, whatever its weight. */
  | { readonly kind: 'idle' };

export interface CgroupDeviceIo extends IoCounters {
  /** Kernel name of a whole disk, never a partition; `MAJ:MIN` where it has none. */
  readonly device: string;
}

/**
 * What a group read from and wrote to one block device since the group was made, the groups inside
 * included. Requests as the device was given them, after the page cache, the filesystem and the image
 * format; discards are not among them. Undefined where the kernel has no such counter.
 */
export interface IoCounters {
  readonly readBytes: bigint | undefined;
  readonly writtenBytes: bigint | undefined;
  readonly reads: bigint | undefined;
  readonly writes: bigint | undefined;
}

/** All of the above; events are undefined where their file is missing (kernels before 4.13). */
export interface CgroupMemory {
  readonly usage: CgroupMemoryUsage;
  readonly limits: CgroupMemoryLimits;
  readonly events: CgroupMemoryEvents | undefined;
  readonly paging?: CgroupPaging | undefined;
}

/**
 * Pages of a group that came back after the kernel had thrown them out, since the group was made, those
 * of the groups inside included (memory.stat).
 */
export interface CgroupPaging {
  /** Guest memory that was swapped out and wanted again, by whatever kind of swap; from Linux 5.9 on. */
  readonly anonymousRefaults: number | undefined;
  /** Page cache of images, or memory in a file. */
  readonly fileRefaults: number | undefined;
  /** Read from and written to a swap device; v2 from Linux 6.13 on. Neither zswap nor merged pages. */
  readonly swapIns: number | undefined;
  readonly swapOuts: number | undefined;
}

/** What is read only where the collector `cgroupdetail` is on; undefined where the kernel has it not. */
export interface CgroupDetail {
  /** memory.low: not reclaimed while there is something else to reclaim. 0: nothing. */
  readonly lowBytes: MemoryLimit;
  /** Times it was reclaimed from below that, since floors of all were over-committed. */
  readonly lowEvents: number | undefined;
  /** memory.swap.events: `high` slowed down, `max` at its limit, `fail` no swap to be had. */
  readonly swapEvents:
    | {
        readonly high: number | undefined;
        readonly max: number | undefined;
        readonly fail: number | undefined;
      }
    | undefined;
  /** Time siblings of its CPUs were kept idle for its sake by core scheduling; Linux 6.0. */
  readonly forcedIdleSeconds: number | undefined;
  /** Periods in which it used what it had saved up of its quota, and the CPU time beyond; Linux 5.15. */
  readonly bursts: number | undefined;
  readonly burstSeconds: number | undefined;
}

/**
 * Memory charged to a guest's group (cgroup-v2.rst, "Memory"; cgroup-v1/memory.rst), in bytes. It
 * includes the page cache of cached disks, and not hugetlb: it is not the guest's memory, but what
 * the limits below are compared with.
 */
export interface CgroupMemoryUsage {
  readonly currentBytes: number;
  /** Most that was charged since the group was made. Undefined: a v2 kernel before 5.19. */
  readonly peakBytes: number | undefined;
  readonly swapBytes: number | undefined;
  /** Compressed size in zswap's pool; v2 only. */
  readonly zswapBytes: number | undefined;
  readonly anonymousBytes: number | undefined;
  /** Page cache, shared memory (tmpfs, memfd) included. */
  readonly fileBytes: number | undefined;
  readonly sharedMemoryBytes: number | undefined;
  /** Anonymous memory in transparent huge pages. */
  readonly anonymousHugePageBytes: number | undefined;
}

/** The tighter one of the guest's group and libvirt's group inside. */
export interface CgroupMemoryLimits {
  /** libvirt `<hard_limit>`: above it the group is reclaimed, then OOM-killed. */
  readonly maxBytes: MemoryLimit;
  /** Above it the group is throttled and reclaimed (v2 memory.high). v1 has none. */
  readonly highBytes: MemoryLimit;
  /** v2: swap alone. v1: memory and swap together (memory.memsw), see {@link swapIncludesMemory}. */
  readonly swapMaxBytes: MemoryLimit;
  readonly swapIncludesMemory: boolean;
  /**
   * memory.min, the least of the group's and of those around it, since none can keep more than the one it
   * is in: never reclaimed. v2 only; 0: nothing is kept.
   */
  readonly guaranteedBytes?: MemoryLimit;
}

/** A limit: bytes, none, or undefined where the file is missing. */
export type MemoryLimit = number | 'unlimited' | undefined;

/** Counters since the group was made, of it and the groups inside. */
export interface CgroupMemoryEvents {
  /** Times usage went over `high` and tasks were throttled; v2 only. */
  readonly high: number | undefined;
  /** Times usage was about to go over `max`: v2 events `max`, v1 failcnt. */
  readonly max: number | undefined;
  /** Times reclaim failed and an allocation was about to fail; v2 only. */
  readonly oom: number | undefined;
  /** Processes killed by any OOM killer. */
  readonly oomKill: number | undefined;
}
