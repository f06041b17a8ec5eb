import { readKernelFile } from '../kernel/kernel-file.ts';
import { parseDecimal, parseKeyedLines, parseKibibytes } from '../kernel/kernel-text.ts';
import { failed, Faults, type Reading } from '../../runtime/reading.ts';
import type { Roots } from '../kernel/roots.ts';

/**
 * The host's memory, `/proc/meminfo` (Documentation/filesystems/proc.rst), in bytes. A field is
 * undefined where the kernel is too old for it or built without.
 */
export interface Meminfo {
  /** What the kernel manages: RAM minus its own image and firmware reservations. */
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** The kernel's estimate of what new programs can get without swapping (since 3.14). */
  readonly availableBytes: number | undefined;
  readonly buffersBytes: number | undefined;
  /** Page cache, shared memory INCLUDED: with memfd-backed guests, that is guest memory. */
  readonly cachedBytes: number | undefined;
  readonly swapCachedBytes: number | undefined;
  readonly dirtyBytes: number | undefined;
  readonly writebackBytes: number | undefined;
  readonly anonymousBytes: number | undefined;
  readonly sharedMemoryBytes: number | undefined;
  readonly unevictableBytes: number | undefined;
  readonly lockedBytes: number | undefined;
  readonly slabReclaimableBytes: number | undefined;
  readonly slabUnreclaimableBytes: number | undefined;
  readonly kernelStackBytes: number | undefined;
  readonly pageTableBytes: number | undefined;
  /** Second-level page tables, KVM's among them (since 6.1). */
  readonly secondaryPageTableBytes: number | undefined;
  readonly swapTotalBytes: number | undefined;
  readonly swapFreeBytes: number | undefined;
  /** RAM the zswap pool takes (since 5.19). */
  readonly zswapBytes: number | undefined;
  /** Size, before compression, of what is in the zswap pool (since 5.19). */
  readonly zswappedBytes: number | undefined;
  /** Enforced in vm.overcommit_memory=2 only. */
  readonly commitLimitBytes: number | undefined;
  /** Address space handed out that may have to be backed some day. */
  readonly committedBytes: number | undefined;
  readonly anonymousHugePageBytes: number | undefined;
  readonly sharedMemoryHugePageBytes: number | undefined;
  readonly sharedMemoryHugePageMappedBytes: number | undefined;
  /** RAM taken out of use after memory errors. */
  readonly hardwareCorruptedBytes: number | undefined;
  /** The pool of the default huge page size; undefined without hugetlbfs. Others: hugepages.ts. */
  readonly defaultHugePages: DefaultHugePages | undefined;
  /** All pools of all sizes together (since 4.20). */
  readonly hugetlbBytes: number | undefined;
}

/** Pages, not bytes. */
export interface DefaultHugePages {
  readonly pageBytes: number;
  readonly total: number;
  readonly free: number;
  /** Promised to mappings but not yet handed out; contained in free. */
  readonly reserved: number;
  /** Above the configured size of the pool; contained in total. */
  readonly surplus: number;
}

/** Reads `/proc/meminfo`. */
export function readMeminfo(roots: Roots): Reading<Meminfo> {
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

export function parseMeminfo(text: string, subject: string): Reading<Meminfo> {
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
