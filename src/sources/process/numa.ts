import type { CgroupDirectory } from '../cgroup/cgroup.ts';
import { readKernelRecord } from '../kernel/kernel-file.ts';
import { decimalAt, digitsEnd, lineEnd } from '../kernel/kernel-scan.ts';
import { failed, found, type Result } from '../../runtime/result.ts';
import type { ProcessNuma } from '../../model/process.ts';

/**
 * Where a guest's memory lies, from memory.numa_stat of its cgroup: one file, two counters per node
 * and kind, kept up to date by the kernel anyway. Not from /proc/<pid>/numa_maps, for which the
 * kernel walks every page table of the process under its mmap lock (seconds for a large guest, and
 * no end for a stuck one). Hugetlb pages are not in here: they are not charged to this controller.
 *
 * Meaningful only for a group that holds the guest alone. `absent` without the memory controller or
 * on a kernel without CONFIG_NUMA.
 */
export function readProcessNuma(memory: CgroupDirectory, pageBytes: number): Result<ProcessNuma> {
  const path = `${memory.path}/memory.numa_stat`;
  const text = readKernelRecord(path);
  if (!text.ok) return text;
  return memory.version === 2
    ? parseUnifiedNumaStat(text.value, path)
    : parseLegacyNumaStat(text.value, pageBytes, path);
}

/** v2 (5.11+), in bytes: `anon N0=1069056 N1=0`. */
export function parseUnifiedNumaStat(text: string, subject: string): Result<ProcessNuma> {
  const anon = parseNodes(text, 'anon ');
  const file = parseNodes(text, 'file ');
  if (anon === undefined || file === undefined) {
    return failed('malformed', subject, 'no anon or no file line');
  }
  const shmem = parseNodes(text, 'shmem ');
  if (shmem === undefined) return failed('malformed', subject, 'no shmem line');
  return found(
    anon.map(({ node, value: anonymous }) => {
      const shared = valueOn(node, shmem);
      return {
        node,
        swapBackedBytes: anonymous + shared,
        // The two are read one after the other and may disagree for a moment.
        fileCacheBytes: Math.max(0, valueOn(node, file) - shared),
      };
    }),
  );
}

/** v1, in pages: `hierarchical_anon=2124 N0=2124`; without hierarchy just `anon=…`. */
export function parseLegacyNumaStat(
  text: string,
  pageBytes: number,
  subject: string,
): Result<ProcessNuma> {
  const anon = parseNodes(text, 'hierarchical_anon=') ?? parseNodes(text, 'anon=');
  const file = parseNodes(text, 'hierarchical_file=') ?? parseNodes(text, 'file=');
  if (anon === undefined || file === undefined) {
    return failed('malformed', subject, 'no anon or no file line');
  }
  const unevictable =
    parseNodes(text, 'hierarchical_unevictable=') ?? parseNodes(text, 'unevictable=');
  if (unevictable === undefined) return failed('malformed', subject, 'no unevictable line');
  return found(
    anon.map(({ node, value }) => ({
      node,
      swapBackedBytes: (value + valueOn(node, unevictable)) * pageBytes,
      fileCacheBytes: valueOn(node, file) * pageBytes,
    })),
  );
}

/** Nodes a kernel can have (MAX_NUMNODES, include/linux/numa.h). */
const MAX_NODES = 1024;
/** Bytes, or pages, on one node: more than any machine has, and exact. */
const MAX_VALUE = 2 ** 53;

interface OnNode {
  readonly node: number;
  readonly value: number;
}

/**
 * The ` N<node>=<value>` of the line that begins so; undefined without the line, without any, and
 * where one of them is something else, no node, or there twice.
 */
function parseNodes(text: string, beginning: string): readonly OnNode[] | undefined {
  const start = text.startsWith(beginning) ? 0 : text.indexOf(`\n${beginning}`) + 1;
  if (start === 0 && !text.startsWith(beginning)) return undefined;
  const end = lineEnd(text, start);
  const nodes: OnNode[] = [];
  for (let at = text.indexOf(' N', start); at !== -1 && at < end; at = text.indexOf(' N', at + 1)) {
    const node = decimalAt(text, at + 2);
    const equals = digitsEnd(text, at + 2);
    const value = text[equals] === '=' ? decimalAt(text, equals + 1) : undefined;
    if (node === undefined || value === undefined) return undefined;
    if (node >= MAX_NODES || value > MAX_VALUE) return undefined;
    if (nodes.some((other) => other.node === node)) return undefined;
    nodes.push({ node, value });
  }
  return nodes.length === 0 ? undefined : nodes;
}

function valueOn(wanted: number, nodes: readonly OnNode[]): number {
  return nodes.find(({ node }) => node === wanted)?.value ?? 0;
}
