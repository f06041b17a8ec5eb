import { readFileSync } from 'node:fs';

import { sum } from './statistics.ts';

/** USER_HZ, the unit of times in /proc, which is 100 on every architecture Linux still has. */
const TICKS_PER_SECOND = 100;

/** CPU time a process has used, user and system, all threads, in steps of 10 ms. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The same of a process and the processes it has started. */
export function familyCpuSeconds(pid: number): number {
  return sum([pid, ...childrenOf(pid)].map(cpuSeconds));
}

/** Largest resident size a process ever had (VmHWM). */
export function peakResidentBytes(pid: number): number {
  return statusBytes(pid, 'VmHWM');
}

/** Resident size of a process (VmRSS). */
export function residentBytes(pid: number): number {
  return statusBytes(pid, 'VmRSS');
}

/** Memory a process holds for itself: resident without pages of files, e.g. its executable. */
export function anonymousBytes(pid: number): number {
  return statusBytes(pid, 'RssAnon');
}

/** The processes a process has started and that still run. */
export function childrenOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? [] : children.split(' ').map(Number);
}

/** All processes a process has started, and they theirs, that still run. */
function descendantsOf(pid: number): readonly number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

/**
 * What a process and its descendants take of the memory: pages that others have too are divided among
 * all who have them (Pss of /proc/<pid>/smaps_rollup, Documentation/filesystems/proc.rst).
 */
export function proportionalBytes(pid: number): { readonly all: number; readonly own: number } {
  const texts = [pid, ...descendantsOf(pid)].map((one) =>
    readFileSync(`/proc/${one}/smaps_rollup`, 'utf8'),
  );
  const total = (field: string): number =>
    sum(
      texts.map((text) => {
        const kibibytes = new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(text)?.[1];
        if (kibibytes === undefined) throw new Error(`smaps_rollup has no ${field}`);
        return Number(kibibytes) * 1024;
      }),
    );
  return { all: total('Pss'), own: total('Pss_Anon') };
}

/** CPU time of a process, its descendants, and those of its children that have ended, in 10 ms. */
export function treeCpuSeconds(pid: number): number {
  return sum(
    [pid, ...descendantsOf(pid)].map((one) => {
      const stat = readFileSync(`/proc/${one}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return sum(fields.slice(11, 15).map(Number)) / TICKS_PER_SECOND;
    }),
  );
}

function statusBytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1];
  if (kibibytes === undefined) throw new Error(`/proc/${pid}/status has no ${field}`);
  return Number(kibibytes) * 1024;
}
