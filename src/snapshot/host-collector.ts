import { readCpuTime } from '../sources/cpu-time.ts';
import { readCpuTopology } from '../sources/cpu-topology.ts';
import { readHugePagePools } from '../sources/hugepages.ts';
import { KernelThreadReader } from '../sources/kernel-threads.ts';
import { readKsm } from '../sources/ksm.ts';
import { readKvmModule } from '../sources/kvm-module.ts';
import { readLoadAverage } from '../sources/load-average.ts';
import { readMeminfo } from '../sources/meminfo.ts';
import { readMemorySysctl } from '../sources/memory-sysctl.ts';
import { readMultiGenLru } from '../sources/multi-gen-lru.ts';
import { readNumaNodes } from '../sources/numa.ts';
import { readPageSize } from '../sources/page-size.ts';
import {
  PRESSURE_RESOURCES,
  readHostPressure,
  type Pressure,
  type PressureResource,
} from '../sources/pressure.ts';
import { toValue, type Reading } from '../sources/reading.ts';
import type { Roots } from '../sources/roots.ts';
import { readSwapAreas } from '../sources/swap.ts';
import { readTransparentHugePages } from '../sources/transparent-hugepage.ts';
import { readVmstat } from '../sources/vmstat.ts';
import { readZfsArc } from '../sources/zfs-arc.ts';
import { readZswap } from '../sources/zswap.ts';
import type { Host } from './host.ts';
import type { Inventory } from './inventory-refresher.ts';
import type { OutcomeLog } from './outcome-log.ts';

/** Page size of the architectures KVM runs on most; only used where auxv cannot be read. */
const USUAL_PAGE_BYTES = 4096;

/** Reads the host's own /proc and /sys: about thirty small files, in a few ms. */
export class HostCollector {
  readonly #roots: Roots;
  readonly #kernelThreads: KernelThreadReader;
  readonly #pageSize: Reading<number>;
  readonly pageBytes: number;

  constructor(roots: Roots) {
    this.#roots = roots;
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
    return {
      pageBytes: this.pageBytes,
      cpuTime: log.run('cpu', () => log.required('cpu', readCpuTime(roots))),
      cpuTopology: log.run('cpu', () => log.required('cpu', readCpuTopology(roots))),
      load: log.run('cpu', () => log.required('cpu', readLoadAverage(roots))),
      kvmModule: log.run('cpu', () => log.optional('cpu', readKvmModule(roots))),
      meminfo: log.run('memory', () => log.required('memory', readMeminfo(roots))),
      hugePages: log.run('memory', () => log.optional('memory', readHugePagePools(roots))),
      transparentHugePages: log.run('memory', () =>
        log.optional('memory', readTransparentHugePages(roots)),
      ),
      memorySysctl: log.run('memory', () => log.required('memory', readMemorySysctl(roots))),
      zfsArc: log.run('memory', () => log.optional('memory', readZfsArc(roots))),
      multiGenLru: log.run('memory', () => log.optional('memory', readMultiGenLru(roots))),
      vmstat: log.run('vmstat', () => log.required('vmstat', readVmstat(roots))),
      swapAreas: log.run('swap', () => log.optional('swap', readSwapAreas(roots))),
      zswap: log.run('swap', () => log.optional('swap', readZswap(roots))),
      pressure: log.run('pressure', () => this.#pressure(log)),
      ksm: log.run('ksm', () => log.optional('ksm', readKsm(roots))),
      numaNodes: log.run('numa', () => log.optional('numa', readNumaNodes(roots))),
      kernelThreads: await kernelThreads,
      inventory: log.run('inventory', () => log.required('inventory', inventory.facts)),
      fileHandles: log.run('inventory', () => log.optional('inventory', inventory.fileHandles)),
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
