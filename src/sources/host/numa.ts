import { parseCpuList } from '../../model/facts/cpu-list.ts';
import { readNodeHugePagePools, type HugePagePool } from './hugepages.ts';
import { readKernelFile, readKernelValue } from '../kernel/kernel-file.ts';
import { parseBigDecimal, parseKeyedLines, parseKibibytes } from '../kernel/kernel-text.ts';
import { failed, Faults, isAbsence, type Reading } from '../../runtime/reading.ts';
import type { Roots } from '../kernel/roots.ts';

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

/**
 * Reads every online node. Some kernels for small machines are built without NUMA: then `absent`. A
 * host with one node gives one.
 */
export function readNumaNodes(roots: Roots): Reading<readonly NumaNode[]> {
  const directory = `${roots.sysfs}/devices/system/node`;
  const online = readKernelFile(`${directory}/online`);
  if (!online.ok) return online;
  const numbers = parseCpuList(online.value, `${directory}/online`);
  if (!numbers.ok) return numbers;
  if (numbers.value.length === 0) return failed('malformed', `${directory}/online`, 'no node');
  const faults = new Faults();
  const nodes: NumaNode[] = [];
  for (const node of numbers.value) {
    const path = `${directory}/node${node}/meminfo`;
    const text = readKernelFile(path);
    if (!text.ok) {
      // Went offline meanwhile.
      if (isAbsence(text.error)) continue;
      return text;
    }
    const memory = parseNodeMeminfo(text.value, path);
    if (!memory.ok) return memory;
    const cpulist = readKernelFile(`${directory}/node${node}/cpulist`);
    if (!cpulist.ok) return cpulist;
    const cpus = parseCpuList(cpulist.value, `${directory}/node${node}/cpulist`);
    if (!cpus.ok) return cpus;
    nodes.push({
      node,
      cpus: cpus.value,
      memory: faults.optional(memory) ?? memory.value,
      hugePages: faults.optional(readNodeHugePagePools(roots, node)),
      allocations: faults.optional(
        readKernelValue(`${directory}/node${node}/numastat`, parseNumastat),
      ),
    });
  }
  return faults.found(nodes);
}

/** Lines like `Node 0 MemTotal:        5466328 kB`. */
export function parseNodeMeminfo(text: string, subject: string): Reading<NodeMemory> {
  const values = parseKeyedLines(text.replaceAll(/^Node \d{1,9} /gm, ''));
  const faults = new Faults();
  const bytes = (key: string): number | undefined =>
    faults.field(values.get(key), parseKibibytes, subject, key);
  const totalBytes = bytes('MemTotal');
  const freeBytes = bytes('MemFree');
  if (totalBytes === undefined || freeBytes === undefined) {
    return failed('malformed', subject, 'no MemTotal or no MemFree in kB');
  }
  return faults.found({
    totalBytes,
    freeBytes,
    fileBytes: bytes('FilePages'),
    anonymousBytes: bytes('AnonPages'),
    sharedMemoryBytes: bytes('Shmem'),
    anonymousHugePageBytes: bytes('AnonHugePages'),
    dirtyBytes: bytes('Dirty'),
    unevictableBytes: bytes('Unevictable'),
    lockedBytes: bytes('Mlocked'),
    slabReclaimableBytes: bytes('SReclaimable'),
    slabUnreclaimableBytes: bytes('SUnreclaim'),
  });
}

export function parseNumastat(text: string): NodeAllocations | undefined {
  const values = parseKeyedLines(text);
  const hit = parseBigDecimal(values.get('numa_hit'));
  const miss = parseBigDecimal(values.get('numa_miss'));
  const foreign = parseBigDecimal(values.get('numa_foreign'));
  const local = parseBigDecimal(values.get('local_node'));
  const other = parseBigDecimal(values.get('other_node'));
  if (
    hit === undefined ||
    miss === undefined ||
    foreign === undefined ||
    local === undefined ||
    other === undefined
  ) {
    return undefined;
  }
  return { hit, miss, foreign, local, other };
}
