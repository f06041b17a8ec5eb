import type { HostCpuTime } from '../sources/kernel/cpu-time.ts';
import type { CpuTopology } from '../sources/host/cpu-topology.ts';
import type { FileHandles } from '../sources/host/file-handles.ts';
import type { HostFacts } from '../sources/host/host-facts.ts';
import type { HugePagePool } from '../sources/host/hugepages.ts';
import type { KernelThread } from '../sources/process/kernel-threads.ts';
import type { Ksm } from '../sources/host/ksm.ts';
import type { KvmModule } from '../sources/host/kvm-module.ts';
import type { LoadAverage } from '../sources/host/load-average.ts';
import type { Meminfo } from '../sources/host/meminfo.ts';
import type { MemorySysctl } from '../sources/host/memory-sysctl.ts';
import type { MultiGenLru } from '../sources/host/multi-gen-lru.ts';
import type { NumaNode } from '../sources/host/numa.ts';
import type { Pressure, PressureResource } from '../sources/host/pressure.ts';
import type { SwapArea } from '../sources/host/swap.ts';
import type { TransparentHugePages } from '../sources/host/transparent-hugepage.ts';
import type { Vmstat } from '../sources/host/vmstat.ts';
import type { ZfsArc } from '../sources/zfs/arc.ts';
import type { Zswap } from '../sources/host/zswap.ts';

/** The hypervisor itself, from /proc and /sys. Everything is undefined that could not be read. */
export interface Host {
  /** Size of a base page; always known, since nothing in memory management makes sense without. */
  readonly pageBytes: number;
  readonly cpuTime: HostCpuTime | undefined;
  readonly cpuTopology: CpuTopology | undefined;
  readonly load: LoadAverage | undefined;
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
