import { readKernelRecord } from '../kernel/kernel-file.ts';
import { lineDecimal, lineField, lineKibibytes, lineText } from '../kernel/kernel-scan.ts';
import { failed, Faults, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { ProcessStatus } from '../../model/process.ts';

/**
 * Reads `/proc/<pid>/status`. Takes no mmap lock. `absent` when the process is gone.
 */
export function readProcessStatus(roots: Roots, pid: number): Result<ProcessStatus> {
  const path = `${roots.procfs}/${pid}/status`;
  const text = readKernelRecord(path);
  return text.ok ? parseProcessStatus(text.value, path) : text;
}

export function parseProcessStatus(text: string, subject: string): Result<ProcessStatus> {
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
