import type { CpuTopology, HostCpuTime, LoadAverage } from './host-cpu.ts';
import type {
  HugePagePool,
  Ksm,
  Meminfo,
  MemorySysctl,
  MultiGenLru,
  NumaNode,
  SwapArea,
  TransparentHugePages,
  Vmstat,
  ZfsArc,
  Zswap,
} from './host-memory.ts';
import type { Pressure, PressureResource } from './pressure.ts';

/** The hypervisor itself, from /proc and /sys. Everything is undefined that could not be read. */
export interface Host {
  /** Size of a base page; always known, since nothing in memory management makes sense without. */
  readonly pageBytes: number;
  readonly cpuTime: HostCpuTime | undefined;
  readonly cpuTopology: CpuTopology | undefined;
  readonly load: LoadAverage | undefined;
  /** Packets dropped because the queue of a CPU was full, of all CPUs that are online. */
  readonly softnetDrops: number | undefined;
  readonly meminfo: Meminfo | undefined;
  readonly hugePages: readonly HugePagePool[] | undefined;
  readonly transparentHugePages: TransparentHugePages | undefined;
  readonly memorySysctl: MemorySysctl | undefined;
  readonly multiGenLru: MultiGenLru | undefined;
  readonly kvmModule: KvmModule | undefined;
  readonly vmstat: Vmstat | undefined;
  readonly swapAreas: readonly SwapArea[] | undefined;
  readonly zswap: Zswap | undefined;
  readonly zfsArc: ZfsArc | undefined;
  /** A resource whose pressure the kernel does not report is missing. */
  readonly pressure: ReadonlyMap<PressureResource, Pressure> | undefined;
  readonly ksm: Ksm | undefined;
  readonly numaNodes: readonly NumaNode[] | undefined;
  /** ksmd, kswapd<n>, kcompactd<n>, khugepaged. */
  readonly kernelThreads: readonly KernelThread[] | undefined;
  /** Slow-changing facts for people, read in the background. */
  readonly inventory: HostFacts | undefined;
  /** At most a minute old. */
  readonly fileHandles: FileHandles | undefined;
}

/** A host of which nothing has been read yet. */
export function emptyHost(pageBytes: number): Host {
  return {
    pageBytes,
    cpuTime: undefined,
    cpuTopology: undefined,
    load: undefined,
    softnetDrops: undefined,
    meminfo: undefined,
    hugePages: undefined,
    transparentHugePages: undefined,
    memorySysctl: undefined,
    multiGenLru: undefined,
    kvmModule: undefined,
    vmstat: undefined,
    swapAreas: undefined,
    zswap: undefined,
    zfsArc: undefined,
    pressure: undefined,
    ksm: undefined,
    numaNodes: undefined,
    kernelThreads: undefined,
    inventory: undefined,
    fileHandles: undefined,
  };
}

/** Open files of the whole host. Each guest's disks, taps and vhosts take some. */
export interface FileHandles {
  readonly allocated: number;
  /** Above it, nobody but root can open a file. 2^63 - 1, rounded, where nothing is limited. */
  readonly limit: number;
}

/** What the host is, for people: facts that hardly ever change. Empty where the host does not say. */
export interface HostFacts {
  readonly cpuModel: string;
  readonly cpuVendor: string;
  readonly osName: string;
  readonly osRelease: string;
  /** As `uname -r`. */
  readonly kernel: string;
  readonly hostname: string;
}

/**
 * What memory management costs the host in CPU time: `ksmd` (merging), `kswapd<node>` (background
 * reclaim), `kcompactd<node>` and `khugepaged` (making huge pages). Reclaim done by a vCPU thread
 * itself is not in here, but in that thread's system time.
 */
export interface KernelThread {
  readonly pid: number;
  /** E.g. `kswapd0`. */
  readonly comm: string;
  readonly cpuSeconds: number;
}

/**
 * How KVM runs on this host, from `/sys/module/kvm*` (built in or loaded). Parameters the module
 * does not have are undefined (Documentation/admin-guide/kernel-parameters.txt, "kvm.").
 */
export interface KvmModule {
  /** Undefined where KVM needs no second module (arm64, s390) or uses another one. */
  readonly vendor: 'intel' | 'amd' | undefined;
  /** Hardware second-level page tables: EPT or NPT. Off means shadow paging. */
  readonly secondLevelPaging: boolean | undefined;
  /**
   * EPT accessed/dirty bits (Intel). Off means that ageing guest memory costs page faults: bad with
   * swap. NPT always has them, so undefined on AMD.
   */
  readonly accessedDirtyBits: boolean | undefined;
  readonly nested: boolean | undefined;
  /** How long a halting vCPU polls before it gives up its CPU. */
  readonly haltPollSeconds: number | undefined;
  /** The scalable page-table code is in use (x86, since 5.10). */
  readonly tdpMmu: boolean | undefined;
}
