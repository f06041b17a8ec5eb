import { readKernelFile } from './kernel-file.ts';
import { failed, found, type Reading } from './reading.ts';
import type { Roots } from './roots.ts';

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
  // The name is the process's own choice and may not be searched; the kernel escapes newlines in it.
  return found({
    virtualBytes: kibibytesOf(text, '\nVmSize:'),
    lockedBytes: kibibytesOf(text, '\nVmLck:'),
    pinnedBytes: kibibytesOf(text, '\nVmPin:'),
    residentBytes: kibibytesOf(text, '\nVmRSS:'),
    residentAnonymousBytes: kibibytesOf(text, '\nRssAnon:'),
    residentFileBytes: kibibytesOf(text, '\nRssFile:'),
    residentSharedBytes: kibibytesOf(text, '\nRssShmem:'),
    swappedBytes: kibibytesOf(text, '\nVmSwap:'),
    hugetlbBytes: kibibytesOf(text, '\nHugetlbPages:'),
    threads: numberOf(text, '\nThreads:'),
    allowedCpus: textOf(text, '\nCpus_allowed_list:'),
    allowedNodes: textOf(text, '\nMems_allowed_list:'),
    voluntaryContextSwitches: numberOf(text, '\nvoluntary_ctxt_switches:'),
    involuntaryContextSwitches: numberOf(text, '\nnonvoluntary_ctxt_switches:'),
  });
}

/** The number after a label, white space between skipped, by char codes: this is a hot path. */
function numberOf(text: string, label: string): number | undefined {
  const labelAt = text.indexOf(label);
  if (labelAt === -1) return undefined;
  let at = labelAt + label.length;
  let code = text.charCodeAt(at);
  while (code === 0x09 || code === 0x20) {
    at += 1;
    code = text.charCodeAt(at);
  }
  const first = at;
  let value = 0;
  while (code >= 0x30 && code <= 0x39) {
    value = value * 10 + (code - 0x30);
    at += 1;
    code = text.charCodeAt(at);
  }
  return at === first ? undefined : value;
}

function kibibytesOf(text: string, label: string): number | undefined {
  const kibibytes = numberOf(text, label);
  return kibibytes === undefined ? undefined : kibibytes * 1024;
}

function textOf(text: string, label: string): string | undefined {
  const labelAt = text.indexOf(label);
  if (labelAt === -1) return undefined;
  const start = labelAt + label.length;
  const end = text.indexOf('\n', start);
  return text.slice(start, end === -1 ? text.length : end).trim();
}
