import { readKernelFile } from '../kernel/kernel-file.ts';
import { parseDecimal, parseKeyedLines, parseKibibytes } from '../kernel/kernel-text.ts';
import { failed, Faults, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { DefaultHugePages, Meminfo } from '../../model/host-memory.ts';

/** Reads `/proc/meminfo`. */
export function readMeminfo(roots: Roots): Result<Meminfo> {
  const path = `${roots.procfs}/meminfo`;
  const text = readKernelFile(path);
  return text.ok ? parseMeminfo(text.value, path) : text;
}

/** Lines every kernel has that can run KVM: where one is missing, the text was cut off. */
const ALWAYS_THERE = [
  'Buffers',
  'Cached',
  'SwapTotal',
  'SwapFree',
  'Dirty',
  'Writeback',
  'AnonPages',
  'Shmem',
  'SReclaimable',
  'SUnreclaim',
  'PageTables',
  'CommitLimit',
  'Committed_AS',
];

export function parseMeminfo(text: string, subject: string): Result<Meminfo> {
  const values = parseKeyedLines(text);
  const faults = new Faults();
  for (const key of ALWAYS_THERE) if (!values.has(key)) faults.malformed(subject, `no ${key}`);
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
    availableBytes: bytes('MemAvailable'),
    buffersBytes: bytes('Buffers'),
    cachedBytes: bytes('Cached'),
    swapCachedBytes: bytes('SwapCached'),
    dirtyBytes: bytes('Dirty'),
    writebackBytes: bytes('Writeback'),
    anonymousBytes: bytes('AnonPages'),
    sharedMemoryBytes: bytes('Shmem'),
    unevictableBytes: bytes('Unevictable'),
    lockedBytes: bytes('Mlocked'),
    slabReclaimableBytes: bytes('SReclaimable'),
    slabUnreclaimableBytes: bytes('SUnreclaim'),
    kernelStackBytes: bytes('KernelStack'),
    pageTableBytes: bytes('PageTables'),
    secondaryPageTableBytes: bytes('SecPageTables'),
    swapTotalBytes: bytes('SwapTotal'),
    swapFreeBytes: bytes('SwapFree'),
    zswapBytes: bytes('Zswap'),
    zswappedBytes: bytes('Zswapped'),
    commitLimitBytes: bytes('CommitLimit'),
    committedBytes: bytes('Committed_AS'),
    anonymousHugePageBytes: bytes('AnonHugePages'),
    sharedMemoryHugePageBytes: bytes('ShmemHugePages'),
    sharedMemoryHugePageMappedBytes: bytes('ShmemPmdMapped'),
    hardwareCorruptedBytes: bytes('HardwareCorrupted'),
    defaultHugePages: defaultHugePages(values, faults, subject),
    hugetlbBytes: bytes('Hugetlb'),
  });
}

function defaultHugePages(
  values: ReadonlyMap<string, string>,
  faults: Faults,
  subject: string,
): DefaultHugePages | undefined {
  const field = (key: string, parse: (text: string) => number | undefined): number | undefined =>
    faults.field(values.get(key), parse, subject, key);
  const pageBytes = field('Hugepagesize', parseKibibytes);
  const total = field('HugePages_Total', parseDecimal);
  const free = field('HugePages_Free', parseDecimal);
  const reserved = field('HugePages_Rsvd', parseDecimal);
  const surplus = field('HugePages_Surp', parseDecimal);
  if (
    pageBytes === undefined ||
    total === undefined ||
    free === undefined ||
    reserved === undefined ||
    surplus === undefined
  ) {
    return undefined;
  }
  return { pageBytes, total, free, reserved, surplus };
}
