import { parseCpuList } from '../../model/facts/cpu-list.ts';
import { readNodeHugePagePools } from './hugepages.ts';
import { readKernelFile, readKernelValue } from '../kernel/kernel-file.ts';
import { parseBigDecimal, parseKeyedLines, parseKibibytes } from '../kernel/kernel-text.ts';
import { failed, Faults, isAbsence, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { NodeAllocations, NodeMemory, NumaNode } from '../../model/host-memory.ts';

/**
 * Reads every online node. Some kernels for small machines are built without NUMA: then `absent`. A
 * host with one node gives one.
 */
export function readNumaNodes(roots: Roots): Result<readonly NumaNode[]> {
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
export function parseNodeMeminfo(text: string, subject: string): Result<NodeMemory> {
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
