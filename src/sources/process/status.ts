import { readKernelFile } from '../kernel/kernel-file.ts';
import { lineDecimal, lineField, lineKibibytes, lineText } from '../kernel/kernel-scan.ts';
import { failed, Faults, type Reading } from '../../runtime/reading.ts';
import type { Roots } from '../kernel/roots.ts';

/**
 * What `/proc/<pid>/status` says of a process (Documentation/filesystems/proc.rst, table 1-2).
 * The memory fields are undefined where the process has no address space: kernel threads, zombies.
 */
export interface ProcessStatus {
  readonly virtualBytes: number | undefined;
  /** RssAnon + RssFile + RssShmem. A KSM page counts once per sharer; hugetlb does not count. */
  readonly residentBytes: number | undefined;
  readonly residentAnonymousBytes: number | undefined;
  readonly residentFileBytes: number | undefined;
  /** memfd and other shared memory: the guest's memory when it is backed by it. */
  readonly residentSharedBytes: number | undefined;
  /** Anonymous memory in swap. Swapped shared memory is NOT in here. */
  readonly swappedBytes: number | undefined;
  /** Hugetlb pages, which are not in residentBytes and can not be swapped. */
  readonly hugetlbBytes: number | undefined;
  /** mlock()ed: `<locked/>` guests. */
  readonly lockedBytes: number | undefined;
  /** Pinned for devices: VFIO guests. */
  readonly pinnedBytes: number | undefined;
  readonly threads: number | undefined;
  readonly voluntaryContextSwitches: number | undefined;
  readonly involuntaryContextSwitches: number | undefined;
  /** cpulist of the leader thread, e.g. `0-3,8`. vCPU threads may be pinned differently. */
  readonly allowedCpus: string | undefined;
  /** Node list the leader thread may allocate from, e.g. `0-1`. */
  readonly allowedNodes: string | undefined;
}

/**
 * Reads `/proc/<pid>/status`. Takes no mmap lock. `absent` when the process is gone.
 */
export function readProcessStatus(roots: Roots, pid: number): Reading<ProcessStatus> {
  const path = `${roots.procfs}/${pid}/status`;
  const text = readKernelFile(path);
  return text.ok ? parseProcessStatus(text.value, path) : text;
}

export function parseProcessStatus(text: string, subject: string): Reading<ProcessStatus> {
  if (!text.startsWith('Name:')) return failed('malformed', subject, 'does not begin with Name:');
  // The name is the process's own choice and may hold such words, but no newline before them: the
  // kernel escapes those.
  const faults = new Faults();
  const bytes = (key: string): number | undefined =>
    lineField(text, key, lineKibibytes, faults, subject);
  const number = (key: string): number | undefined =>
    lineField(text, key, lineDecimal, faults, subject);
  return faults.found({
    virtualBytes: bytes('VmSize'),
    lockedBytes: bytes('VmLck'),
    pinnedBytes: bytes('VmPin'),
    residentBytes: bytes('VmRSS'),
    residentAnonymousBytes: bytes('RssAnon'),
    residentFileBytes: bytes('RssFile'),
    residentSharedBytes: bytes('RssShmem'),
    swappedBytes: bytes('VmSwap'),
    hugetlbBytes: bytes('HugetlbPages'),
    threads: number('Threads'),
    allowedCpus: lineText(text, 'Cpus_allowed_list'),
    allowedNodes: lineText(text, 'Mems_allowed_list'),
    voluntaryContextSwitches: number('voluntary_ctxt_switches'),
    involuntaryContextSwitches: number('nonvoluntary_ctxt_switches'),
  });
}
