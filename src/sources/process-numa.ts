import type { CgroupDirectory } from './cgroup.ts';
import { readKernelFile } from './kernel-file.ts';
import { failed, found, type Reading } from './reading.ts';

/** What a guest has on one NUMA node, in bytes. */
export interface NodeResidency {
  readonly node: number;
  /**
   * Memory which only swap could take: anonymous and shared. v2: `anon` + `shmem`. v1: `anon` +
   * `unevictable`, the latter because there locked memory is on no other list.
   */
  readonly swapBackedBytes: number;
  /** Page cache of cached disks. v2: `file` - `shmem`. v1: `file`. */
  readonly fileCacheBytes: number;
}

/** One per node, ascending. */
export type ProcessNuma = readonly NodeResidency[];

/**
 * Where a guest's memory lies, from memory.numa_stat of its cgroup: one file, two counters per node
 * and kind, kept up to date by the kernel anyway. Not from /proc/<pid>/numa_maps, for which the
 * kernel walks every page table of the process under its mmap lock (seconds for a large guest, and
 * no end for a stuck one). Hugetlb pages are not in here: they are not charged to this controller.
 *
 * Meaningful only for a group that holds the guest alone. `absent` without the memory controller or
 * on a kernel without CONFIG_NUMA.
 */
export function readProcessNuma(memory: CgroupDirectory, pageBytes: number): Reading<ProcessNuma> {
  const path = `${memory.path}/memory.numa_stat`;
  const text = readKernelFile(path);
  if (!text.ok) return text;
  return memory.version === 2
    ? parseUnifiedNumaStat(text.value, path)
    : parseLegacyNumaStat(text.value, pageBytes, path);
}

/** v2 (5.11+), in bytes: `anon N0=1069056 N1=0`. */
export function parseUnifiedNumaStat(text: string, subject: string): Reading<ProcessNuma> {
  const kinds = parseKinds(text, ' ');
  const anon = kinds.get('anon');
  const file = kinds.get('file');
  if (anon === undefined || file === undefined) {
    return failed('malformed', subject, 'no anon or no file line');
  }
  const shmem = kinds.get('shmem');
  return found(
    [...anon].map(([node, anonBytes]) => {
      const shmemBytes = shmem?.get(node) ?? 0;
      return {
        node,
        swapBackedBytes: anonBytes + shmemBytes,
        // The two are read one after the other and may disagree for a moment.
        fileCacheBytes: Math.max(0, (file.get(node) ?? 0) - shmemBytes),
      };
    }),
  );
}

/** v1, in pages: `hierarchical_anon=2124 N0=2124`; without hierarchy just `anon=…`. */
export function parseLegacyNumaStat(
  text: string,
  pageBytes: number,
  subject: string,
): Reading<ProcessNuma> {
  const kinds = parseKinds(text, '=');
  const anon = kinds.get('hierarchical_anon') ?? kinds.get('anon');
  const file = kinds.get('hierarchical_file') ?? kinds.get('file');
  if (anon === undefined || file === undefined) {
    return failed('malformed', subject, 'no anon or no file line');
  }
  const unevictable = kinds.get('hierarchical_unevictable') ?? kinds.get('unevictable');
  return found(
    [...anon].map(([node, pages]) => ({
      node,
      swapBackedBytes: (pages + (unevictable?.get(node) ?? 0)) * pageBytes,
      fileCacheBytes: (file.get(node) ?? 0) * pageBytes,
    })),
  );
}

/** Kind → node → value. The kind ends at the separator; ` N<node>=<value>` follow. */
function parseKinds(
  text: string,
  separator: ' ' | '=',
): ReadonlyMap<string, ReadonlyMap<number, number>> {
  const kinds = new Map<string, ReadonlyMap<number, number>>();
  for (const line of text.split('\n')) {
    const end = line.indexOf(separator);
    if (end <= 0) continue;
    const nodes = new Map<number, number>();
    for (const [, node, value] of line.matchAll(/ N(\d+)=(\d+)/g)) {
      nodes.set(Number(node), Number(value));
    }
    if (nodes.size > 0) kinds.set(line.slice(0, end), nodes);
  }
  return kinds;
}
