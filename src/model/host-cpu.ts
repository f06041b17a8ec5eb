export interface HostCpuTime {
  /** Sum over the CPUs, offline ones included while they were online. */
  readonly total: CpuTime;
  /** By CPU number; online CPUs only. */
  readonly cpus: ReadonlyMap<number, CpuTime>;
  readonly contextSwitches: number;
  /** Unix time of boot: what process start times count from. */
  readonly bootTimeSeconds: number;
  readonly processesCreated: number | undefined;
  /** Tasks running or waiting for a CPU now. */
  readonly runningTasks: number | undefined;
  /** Tasks waiting for I/O now. */
  readonly blockedTasks: number | undefined;
}

/**
 * How a CPU's time was spent since boot, in seconds (proc_stat(5)). Granularity 10 ms. idle and
 * iowait may step back a little; everything else only grows.
 */
export interface CpuTime {
  /** Guest mode INCLUDED. */
  readonly userSeconds: number;
  /** Low-priority user time, guestNiceSeconds included. */
  readonly niceSeconds: number;
  readonly systemSeconds: number;
  readonly idleSeconds: number;
  readonly ioWaitSeconds: number;
  readonly irqSeconds: number;
  readonly softIrqSeconds: number;
  /** The host is a guest itself: time its own hypervisor took away. */
  readonly stealSeconds: number;
  /** Time running vCPUs of guests. */
  readonly guestSeconds: number;
  readonly guestNiceSeconds: number;
}

/** Documentation/admin-guide/cputopology.rst and ABI/stable/sysfs-devices-system-cpu. */
export interface CpuTopology {
  readonly present: readonly number[];
  readonly online: readonly number[];
  readonly offline: readonly number[];
  /** Taken from the scheduler's load balancing with isolcpus=: unpinned vCPUs never run there. */
  readonly isolated: readonly number[];
  /** Without timer tick (nohz_full=). */
  readonly tickless: readonly number[];
  /** One per online CPU, ascending. */
  readonly cpus: readonly CpuPlace[];
  /** Physical cores with at least one online thread. */
  readonly coreCount: number;
  readonly packageCount: number;
  /**
   * How many vCPUs can run at once where one online CPU stands: 1, but on POWER7 and POWER8 all threads
   * of a (sub-)core. There the host itself runs on the first thread alone, the others are offline by
   * design, and KVM wakes them for guests.
   */
  readonly threadsPerCpu: number;
}

/** Where one online CPU (a hardware thread) sits. */
export interface CpuPlace {
  readonly cpu: number;
  /** Hardware threads of the same core, itself included; just itself without SMT. */
  readonly siblings: readonly number[];
  /** Socket; undefined where the firmware does not say (-1). */
  readonly package: number | undefined;
  /** NUMA node; undefined on kernels without NUMA. */
  readonly node: number | undefined;
}

/**
 * Mean number of tasks running, waiting for a CPU or in uninterruptible sleep (proc_loadavg(5)). A
 * busy vCPU counts as one task.
 */
export interface LoadAverage {
  readonly oneMinute: number;
  readonly fiveMinutes: number;
  readonly fifteenMinutes: number;
}
