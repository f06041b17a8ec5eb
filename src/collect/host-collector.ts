import { readCpuTime } from '../sources/kernel/cpu-time.ts';
import { CpuTopologyReader } from '../sources/host/cpu-topology.ts';
import { readHugePagePools } from '../sources/host/hugepages.ts';
import { KernelThreadReader } from '../sources/process/kernel-threads.ts';
import { readKsm } from '../sources/host/ksm.ts';
import { readKvmModule } from '../sources/host/kvm-module.ts';
import { readLoadAverage } from '../sources/host/load-average.ts';
import { readMeminfo } from '../sources/host/meminfo.ts';
import { readMemorySysctl } from '../sources/host/memory-sysctl.ts';
import { readMultiGenLru } from '../sources/host/multi-gen-lru.ts';
import { readNumaNodes } from '../sources/host/numa.ts';
import { readPageSize } from '../sources/kernel/page-size.ts';
import { readHostPressure } from '../sources/host/pressure.ts';
import { toValue, type Result } from '../runtime/result.ts';
import { TimeSlice } from '../runtime/time-slice.ts';
import type { Roots } from '../sources/kernel/roots.ts';
import { readSoftnetDrops } from '../sources/host/softnet.ts';
import { readSwapAreas } from '../sources/host/swap.ts';
import { readTransparentHugePages } from '../sources/host/transparent-hugepage.ts';
import { readVmstat } from '../sources/host/vmstat.ts';
import { readZfsArc } from '../sources/zfs/arc.ts';
import { readZswap } from '../sources/host/zswap.ts';
import type { Host } from '../model/host.ts';
import type { CollectorName } from '../model/collectors.ts';
import type { Inventory } from './inventory-refresher.ts';
import type { OutcomeLog } from '../model/outcome-log.ts';
import { type Pressure, PRESSURE_RESOURCES, type PressureResource } from '../model/pressure.ts';

/** Page size of the architectures KVM runs on most; only used where auxv cannot be read. */
const USUAL_PAGE_BYTES = 4096;

/** Reads the host's own /proc and /sys: about thirty small files, in a few ms. */
export class HostCollector {
  readonly #roots: Roots;
  readonly #cpuTopology: CpuTopologyReader;
  readonly #kernelThreads: KernelThreadReader;
  readonly #pageSize: Result<number>;
  readonly pageBytes: number;

  constructor(roots: Roots) {
    this.#roots = roots;
    this.#cpuTopology = new CpuTopologyReader(roots);
    this.#kernelThreads = new KernelThreadReader(roots);
    this.#pageSize = readPageSize(roots);
    this.pageBytes = toValue(this.#pageSize) ?? USUAL_PAGE_BYTES;
  }

  async collect(log: OutcomeLog, inventory: Inventory): Promise<Host> {
    const roots = this.#roots;
    // Taken to be the usual one, all sizes counted in pages would be a guess.
    log.run('memory', () => log.optional('memory', this.#pageSize));
    const kernelThreads = log.runAsync('kernelthreads', async () =>
      log.required('kernelthreads', await this.#kernelThreads.readMemoryManagement()),
    );
    const slice = new TimeSlice();
    const run = async <T>(collector: CollectorName, part: () => T): Promise<T | undefined> => {
      if (slice.isOver) await slice.nextTurn();
      return log.run(collector, part);
    };
    return {
      pageBytes: this.pageBytes,
      cpuTime: await run('cpu', () => log.required('cpu', readCpuTime(roots))),
      cpuTopology: await run('cpu', () => log.required('cpu', this.#cpuTopology.read())),
      load: await run('cpu', () => log.required('cpu', readLoadAverage(roots))),
      softnetDrops: await run('network', () => log.optional('network', readSoftnetDrops(roots))),
      kvmModule: await run('cpu', () => log.optional('cpu', readKvmModule(roots))),
      meminfo: await run('memory', () => log.required('memory', readMeminfo(roots))),
      hugePages: await run('memory', () => log.optional('memory', readHugePagePools(roots))),
      transparentHugePages: await run('memory', () =>
        log.optional('memory', readTransparentHugePages(roots)),
      ),
      memorySysctl: await run('memory', () => log.required('memory', readMemorySysctl(roots))),
      zfsArc: await run('memory', () => log.optional('memory', readZfsArc(roots))),
      multiGenLru: await run('memory', () => log.optional('memory', readMultiGenLru(roots))),
      vmstat: await run('vmstat', () => log.required('vmstat', readVmstat(roots))),
      swapAreas: await run('swap', () => log.optional('swap', readSwapAreas(roots))),
      zswap: await run('swap', () => log.optional('swap', readZswap(roots))),
      pressure: await run('pressure', () => this.#pressure(log)),
      ksm: await run('ksm', () => log.optional('ksm', readKsm(roots))),
      numaNodes: await run('numa', () => log.optional('numa', readNumaNodes(roots))),
      kernelThreads: await kernelThreads,
      inventory: await run('inventory', () => log.required('inventory', inventory.facts)),
      fileHandles: await run('inventory', () => log.optional('inventory', inventory.fileHandles)),
    };
  }

  #pressure(log: OutcomeLog): ReadonlyMap<PressureResource, Pressure> {
    const pressure = new Map<PressureResource, Pressure>();
    for (const resource of PRESSURE_RESOURCES) {
      const reading = log.optional('pressure', readHostPressure(this.#roots, resource));
      if (reading !== undefined) pressure.set(resource, reading);
    }
    return pressure;
  }
}
