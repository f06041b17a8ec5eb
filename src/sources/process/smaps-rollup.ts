import type { DeadlineFileReader } from '../kernel/deadline-file.ts';
import { parseKeyedLines, parseKibibytes } from '../kernel/kernel-text.ts';
import type { Deadline } from '../../runtime/deadline.ts';
import { failed, Faults, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { SmapsRollup } from '../../model/process.ts';

export function parseSmapsRollup(text: string, subject: string): Result<SmapsRollup> {
  // The first line is the address range, `…[rollup]`; its key is never one of ours.
  const values = parseKeyedLines(text);
  const faults = new Faults();
  const bytes = (key: string): number | undefined =>
    faults.field(values.get(key), parseKibibytes, subject, key);
  const residentBytes = bytes('Rss');
  const proportionalBytes = bytes('Pss');
  if (residentBytes === undefined || proportionalBytes === undefined) {
    return failed('malformed', subject, 'no Rss or no Pss');
  }
  return faults.found({
    residentBytes,
    proportionalBytes,
    proportionalDirtyBytes: bytes('Pss_Dirty'),
    proportionalAnonymousBytes: bytes('Pss_Anon'),
    proportionalFileBytes: bytes('Pss_File'),
    proportionalSharedMemoryBytes: bytes('Pss_Shmem'),
    sharedCleanBytes: bytes('Shared_Clean'),
    sharedDirtyBytes: bytes('Shared_Dirty'),
    privateCleanBytes: bytes('Private_Clean'),
    privateDirtyBytes: bytes('Private_Dirty'),
    referencedBytes: bytes('Referenced'),
    anonymousBytes: bytes('Anonymous'),
    ksmBytes: bytes('KSM'),
    lazyFreeBytes: bytes('LazyFree'),
    anonymousHugePageBytes: bytes('AnonHugePages'),
    sharedMemoryHugePageBytes: bytes('ShmemPmdMapped'),
    fileHugePageBytes: bytes('FilePmdMapped'),
    sharedHugetlbBytes: bytes('Shared_Hugetlb'),
    privateHugetlbBytes: bytes('Private_Hugetlb'),
    swappedBytes: bytes('Swap'),
    proportionalSwappedBytes: bytes('SwapPss'),
    lockedBytes: bytes('Locked'),
  });
}

/**
 * Reads smaps_rollup off the event loop. The kernel walks every page table of the process under its
 * mmap lock: milliseconds per GiB of 4 KiB pages, and no end if the lock is held by a stuck thread.
 * So: sample rarely, off the scrape path. `timeout` after the deadline; `denied` without ptrace
 * access to the process; `absent` when it is gone.
 */
export async function readSmapsRollup(
  roots: Roots,
  pid: number,
  files: DeadlineFileReader,
  deadline: Deadline,
): Promise<Result<SmapsRollup>> {
  const path = `${roots.procfs}/${pid}/smaps_rollup`;
  const text = await files.read(path, deadline);
  return text.ok ? parseSmapsRollup(text.value, path) : text;
}
