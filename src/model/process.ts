/**
 * KSM in one process (Documentation/admin-guide/mm/ksm.rst). Fields the running kernel does not
 * have are undefined: before 5.19 none, 6.1 rmapItems and mergingPages, 6.12 the first four, later ones all.
 */
export interface ProcessKsm {
  /** Tracking structures ksmd keeps for this process (64 bytes each on 64-bit). */
  readonly rmapItems: number | undefined;
  /** Pages which were replaced by the kernel's zero page; no longer in the resident size. */
  readonly zeroPages: number | undefined;
  /** Pages of this process which are KSM pages, shared or not. NOT the saving. */
  readonly mergingPages: number | undefined;
  /** (mergingPages + zeroPages) pages minus the tracking structures; negative when it costs. */
  readonly profitBytes: number | undefined;
  /** All its memory was declared mergeable with prctl(PR_SET_MEMORY_MERGE). */
  readonly mergeAny: boolean | undefined;
  /** It has at least one mergeable area. */
  readonly mergeable: boolean | undefined;
}

/** One per node, ascending. */
export type ProcessNuma = readonly NodeResidency[];

/** What a guest has on one NUMA node, in bytes. */
interface NodeResidency {
  readonly node: number;
  /**
   * Memory which only swap could take: anonymous and shared. v2: `anon` + `shmem`. v1: `anon` +
   * `unevictable`, the latter because there locked memory is on no other list.
   */
  readonly swapBackedBytes: number;
  /** Page cache of cached disks. v2: `file` - `shmem`. v1: `file`. */
  readonly fileCacheBytes: number;
}

/** One process or thread as `/proc/<pid>/stat` shows it (proc_pid_stat(5)). */
export interface ProcessStat {
  readonly pid: number;
  /** At most 15 bytes; may hold spaces and parentheses. */
  readonly comm: string;
  /** R running, S sleeping, D uninterruptible, T stopped, Z zombie, X dead, I idle, … */
  readonly state: string;
  readonly parentPid: number;
  readonly kernelThread: boolean;
  readonly minorFaults: number;
  /** Faults which had to read from a device (swap or file). */
  readonly majorFaults: number;
  /** User time of all threads including guest time, exited threads included. */
  readonly userSeconds: number;
  readonly systemSeconds: number;
  readonly threads: number;
  /** Ticks of USER_HZ since boot. With the pid it names a process for good: pids are reused. */
  readonly startTimeTicks: number;
  readonly virtualBytes: number;
  /** Resident pages (not hugetlb); multiply by the page size. Approximate, see status VmRSS. */
  readonly residentPages: number;
  /** CPU the leader thread last ran on. */
  readonly processor: number;
  /**
   * Time the process waited for block I/O, swap-in included. 0 unless delay accounting is on
   * (`kernel.task_delayacct=1`; off by default since 5.14), so undefined while it is 0.
   */
  readonly blockIoDelaySeconds: number | undefined;
  /** Time spent in guest mode by all threads (the vCPUs); also contained in userSeconds. */
  readonly guestSeconds: number;
}

/**
 * What `/proc/<pid>/status` says of a process (Documentation/filesystems/proc.rst, table 1-2).
 * The memory fields are undefined where the process has no address space: kernel threads, zombies.
 */
export interface ProcessStatus {
  readonly virtualBytes: number | undefined;
  /** RssAnon + RssFile + RssShmem. A KSM page counts once per sharer; hugetlb does not count. */
  readonly residentBytes: number | undefined;
  readonly residentAnonymousBytes: number | undefined;
  readonly residentFileBytes: number | undefined;
  /** memfd and other shared memory: the guest's memory when it is backed by it. */
  readonly residentSharedBytes: number | undefined;
  /** Anonymous memory in swap. Swapped shared memory is NOT in here. */
  readonly swappedBytes: number | undefined;
  /** Hugetlb pages, which are not in residentBytes and can not be swapped. */
  readonly hugetlbBytes: number | undefined;
  /** mlock()ed: `<locked/>` guests. */
  readonly lockedBytes: number | undefined;
  /** Pinned for devices: VFIO guests. */
  readonly pinnedBytes: number | undefined;
  readonly threads: number | undefined;
  readonly voluntaryContextSwitches: number | undefined;
  readonly involuntaryContextSwitches: number | undefined;
  /** cpulist of the leader thread, e.g. `0-3,8`. vCPU threads may be pinned differently. */
  readonly allowedCpus: string | undefined;
  /** Node list the leader thread may allocate from, e.g. `0-1`. */
  readonly allowedNodes: string | undefined;
}

export interface ProcessThread {
  readonly tid: number;
  readonly comm: string;
  readonly role: ThreadRole;
  /**
   * Undefined when the kernel keeps no such statistics (no CONFIG_SCHED_INFO: all three are 0) or
   * the thread ended while being read.
   */
  readonly schedule: ThreadSchedule | undefined;
  /** As in {@link ProcessStat.state}; undefined where it was not read. */
  readonly state: string | undefined;
  /** How long it has been seen not to run: the time since the first look that found it as it is. */
  readonly stillMs: number;
}

/**
 * What a thread of a QEMU process is for. QEMU names its threads when started with
 * `-name …,debug-threads=on`, as libvirt does:
 * - `vcpu`: `CPU <n>/KVM`, or `CPU <n>/TCG` when emulating (accel/kvm/kvm-accel-ops.c).
 * - `all-vcpus`: `ALL CPUs/TCG`, the one thread of single-threaded emulation.
 * - `iothread`: `IO iothread<id>`, libvirt's numbering of `<iothread id=…>`.
 * - `monitor`: `IO mon_iothread`, which serves QMP.
 * - `emulator`: the main thread, where the device models run.
 * - `vhost`: `vhost-<pid>`, the host half of a virtio NIC. In the process since Linux 6.4; before,
 *   kernel threads of their own (see kernel-threads.ts).
 * - `other`: `worker` (thread pool), `call_rcu`, `vnc_worker`, migration threads, …
 */
export type ThreadRole =
  | { readonly kind: 'vcpu'; readonly index: number }
  | { readonly kind: 'iothread'; readonly id: number }
  | { readonly kind: 'all-vcpus' | 'monitor' | 'emulator' | 'vhost' | 'other' };

/**
 * Scheduler statistics of one thread, `/proc/<pid>/task/<tid>/schedstat`
 * (Documentation/scheduler/sched-stats.rst). Never reset while the thread lives.
 */
export interface ThreadSchedule {
  /** Time on a CPU. For a vCPU this is guest mode plus KVM's own work for it. */
  readonly runNanoseconds: bigint;
  /**
   * Time runnable but waiting for a CPU: what KVM hands to the guest as steal. On kernels before
   * the task-based bandwidth throttle (6.12 and older at least) time throttled by cpu.max counts
   * here as well.
   */
  readonly delayNanoseconds: bigint;
  /** Times it was put on a CPU. */
  readonly timeslices: bigint;
}

/**
 * The sums over a process's whole address space in `/proc/<pid>/smaps_rollup`
 * (Documentation/ABI/testing/procfs-smaps_rollup), in bytes. A field the kernel does not have is
 * undefined (Pss_* since 5.9, Pss_Dirty 6.0, KSM 6.7).
 */
export interface SmapsRollup {
  readonly residentBytes: number;
  /** Each page divided by the number of processes which map it: merged pages count once in all. */
  readonly proportionalBytes: number;
  readonly proportionalDirtyBytes: number | undefined;
  readonly proportionalAnonymousBytes: number | undefined;
  readonly proportionalFileBytes: number | undefined;
  readonly proportionalSharedMemoryBytes: number | undefined;
  readonly sharedCleanBytes: number | undefined;
  readonly sharedDirtyBytes: number | undefined;
  readonly privateCleanBytes: number | undefined;
  readonly privateDirtyBytes: number | undefined;
  /** Touched since the reference bits were last cleared. */
  readonly referencedBytes: number | undefined;
  readonly anonymousBytes: number | undefined;
  /** Resident KSM pages, zero pages not included. */
  readonly ksmBytes: number | undefined;
  readonly lazyFreeBytes: number | undefined;
  readonly anonymousHugePageBytes: number | undefined;
  readonly sharedMemoryHugePageBytes: number | undefined;
  readonly fileHugePageBytes: number | undefined;
  readonly sharedHugetlbBytes: number | undefined;
  readonly privateHugetlbBytes: number | undefined;
  /** Anonymous and, unlike VmSwap, shared memory in swap. */
  readonly swappedBytes: number | undefined;
  readonly proportionalSwappedBytes: number | undefined;
  readonly lockedBytes: number | undefined;
}

/** A file a guest has as its memory. */
export interface MemoryFile {
  /** QEMU's name of the memory: `pc.ram`, `ram-node0`, `memdimm0`. */
  readonly id: string;
  readonly path: string;
}
