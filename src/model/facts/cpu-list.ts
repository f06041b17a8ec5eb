import { failed, found, type Result } from '../../runtime/result.ts';

/**
 * The kernel's CPU and node lists, `0-3,8,10-11` (Documentation/admin-guide/cputopology.rst,
 * lib/bitmap.c), and libvirt's cpuset strings, which add exclusion: `0-7,^3`.
 */

/** More CPUs than any kernel is built for (NR_CPUS 8192 on x86): beyond, it is not a CPU list. */
const MAX_CPU = 65_535;

/**
 * Ascending, without duplicates; empty for empty text and for `(null)`, which nohz_full gives when
 * unset. Exclusions take effect from left to right and name one CPU each, as in libvirt's
 * virBitmapParse.
 */
export function parseCpuList(text: string, subject: string): Result<readonly number[]> {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed === '(null)') return found([]);
  const cpus = new Set<number>();
  for (const part of trimmed.split(',')) {
    const match = /^\s*(?:\^(\d+)|(\d+)(?:-(\d+))?)\s*$/.exec(part);
    if (match === null) return failed('malformed', subject, `not a CPU list: ${trimmed}`);
    const [, excluded, first, last = first] = match;
    if (excluded !== undefined) {
      cpus.delete(Number(excluded));
      continue;
    }
    const end = Number(last);
    if (end > MAX_CPU || Number(first) > end) {
      return failed('malformed', subject, `not a range of CPUs: ${part}`);
    }
    for (let cpu = Number(first); cpu <= end; cpu += 1) cpus.add(cpu);
  }
  return found([...cpus].sort((a, b) => a - b));
}

/** The kernel's form of a set of CPUs, `0-3,8`; empty for none. */
export function formatCpuList(cpus: Iterable<number>): string {
  const sorted = [...new Set(cpus)].sort((a, b) => a - b);
  const ranges: { first: number; last: number }[] = [];
  for (const cpu of sorted) {
    const range = ranges.at(-1);
    if (range?.last === cpu - 1) range.last = cpu;
    else ranges.push({ first: cpu, last: cpu });
  }
  return ranges
    .map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`))
    .join(',');
}
