import type { GuestCgroupDirectory } from './cgroup.ts';
import { readKernelFile } from './kernel-file.ts';
import { lineDecimal } from './kernel-scan.ts';
import { parseDecimal } from './kernel-text.ts';
import { failed, found, valueOf, type Reading } from './reading.ts';
import { TrustedReading } from './trusted-reading.ts';

/** A limit: bytes, none, or undefined where the file is missing. */
export type MemoryLimit = number | 'unlimited' | undefined;

/**
 * Memory charged to a guest's group (cgroup-v2.rst, "Memory"; cgroup-v1/memory.rst), in bytes. It
 * includes the page cache of cached disks, and not hugetlb: it is not the guest's memory, but what
 * the limits below are compared with.
 */
export interface CgroupMemoryUsage {
  readonly currentBytes: number;
  readonly swapBytes: number | undefined;
  /** Compressed size in zswap's pool; v2 only. */
  readonly zswapBytes: number | undefined;
  readonly anonymousBytes: number | undefined;
  /** Page cache, shared memory (tmpfs, memfd) included. */
  readonly fileBytes: number | undefined;
  readonly sharedMemoryBytes: number | undefined;
  /** Anonymous memory in transparent huge pages. */
  readonly anonymousHugePageBytes: number | undefined;
}

/** The tighter one of the guest's group and libvirt's group inside. */
export interface CgroupMemoryLimits {
  /** libvirt `<hard_limit>`: above it the group is reclaimed, then OOM-killed. */
  readonly maxBytes: MemoryLimit;
  /** Above it the group is throttled and reclaimed (v2 memory.high). v1 has none. */
  readonly highBytes: MemoryLimit;
  /** v2: swap alone. v1: memory and swap together (memory.memsw), see {@link swapIncludesMemory}. */
  readonly swapMaxBytes: MemoryLimit;
  readonly swapIncludesMemory: boolean;
}

/** Counters since the group was made, of it and the groups inside. */
export interface CgroupMemoryEvents {
  /** Times usage went over `high` and tasks were throttled; v2 only. */
  readonly high: number | undefined;
  /** Times usage was about to go over `max`: v2 events `max`, v1 failcnt. */
  readonly max: number | undefined;
  /** Times reclaim failed and an allocation was about to fail; v2 only. */
  readonly oom: number | undefined;
  /** Processes killed by any OOM killer. */
  readonly oomKill: number | undefined;
}

/** All of the above; events are undefined where their file is missing (kernels before 4.13). */
export interface CgroupMemory {
  readonly usage: CgroupMemoryUsage;
  readonly limits: CgroupMemoryLimits;
  readonly events: CgroupMemoryEvents | undefined;
}

/** Reads the memory files of one guest's group; one instance per QEMU process. */
export class GuestCgroupMemoryReader {
  readonly #memory: GuestCgroupDirectory;
  readonly #limits = new TrustedReading<CgroupMemoryLimits>();
  readonly #restingFailures = new TrustedReading<number | undefined>();

  constructor(memory: GuestCgroupDirectory) {
    this.#memory = memory;
  }

  /** `absent` when the group is gone or has no memory controller. */
  read(): Reading<CgroupMemory> {
    const usage = readUsage(this.#memory);
    if (!usage.ok) return usage;
    const limits = this.#limits.get(() => readLimits(this.#memory));
    if (!limits.ok) return limits;
    const events =
      this.#memory.version === 2
        ? readUnifiedEvents(this.#memory)
        : this.#readLegacyEvents(limits.value);
    return found({ usage: usage.value, limits: limits.value, events: valueOf(events) });
  }

  /**
   * The files count for one group alone, so libvirt's group inside is added. The oom_kill line is
   * there since 4.13.
   */
  #readLegacyEvents({ maxBytes }: CgroupMemoryLimits): Reading<CgroupMemoryEvents> {
    const { path, nestedPath } = this.#memory;
    const control = readKernelFile(`${path}/memory.oom_control`);
    if (!control.ok) return control;
    const failures = (): Reading<number | undefined> => found(readLegacyFailures(this.#memory));
    return found({
      high: undefined,
      // Without a limit, none can be reached.
      max: valueOf(maxBytes === 'unlimited' ? this.#restingFailures.get(failures) : failures()),
      oom: undefined,
      oomKill: sumOf([
        lineDecimal(control.value, 'oom_kill'),
        nestedPath === undefined ? undefined : readOomKills(`${nestedPath}/memory.oom_control`),
      ]),
    });
  }
}

function readUsage(memory: GuestCgroupDirectory): Reading<CgroupMemoryUsage> {
  const { path } = memory;
  const unified = memory.version === 2;
  const current = readKernelFile(`${path}/memory.${unified ? 'current' : 'usage_in_bytes'}`);
  if (!current.ok) return current;
  const stat = readKernelFile(`${path}/memory.stat`);
  if (!stat.ok) return stat;
  const bytes = (key: string): number | undefined => lineDecimal(stat.value, key);
  const currentBytes = parseDecimal(current.value);
  if (currentBytes === undefined) return failed('malformed', path, 'memory usage is not a number');
  if (!unified) {
    return found({
      currentBytes,
      // total_: with the groups inside. `cache` is file plus shmem, as v2's `file` is.
      swapBytes: bytes('total_swap'),
      zswapBytes: undefined,
      anonymousBytes: bytes('total_rss'),
      fileBytes: bytes('total_cache'),
      sharedMemoryBytes: bytes('total_shmem'),
      anonymousHugePageBytes: bytes('total_rss_huge'),
    });
  }
  return found({
    currentBytes,
    swapBytes: readBytes(`${path}/memory.swap.current`),
    zswapBytes: bytes('zswap'),
    anonymousBytes: bytes('anon'),
    fileBytes: bytes('file'),
    sharedMemoryBytes: bytes('shmem'),
    anonymousHugePageBytes: bytes('anon_thp'),
  });
}

function readLimits(memory: GuestCgroupDirectory): Reading<CgroupMemoryLimits> {
  const unified = memory.version === 2;
  const maxFile = unified ? 'memory.max' : 'memory.limit_in_bytes';
  const swapFile = unified ? 'memory.swap.max' : 'memory.memsw.limit_in_bytes';
  const own = readKernelFile(`${memory.path}/${maxFile}`);
  if (!own.ok) return own;
  const { nestedPath } = memory;
  const nested = nestedPath === undefined ? undefined : readLimit(`${nestedPath}/${maxFile}`);
  const tightest = (file: string): MemoryLimit =>
    pathsOf(memory)
      .map((path) => readLimit(`${path}/${file}`))
      .reduce(tighter, undefined);
  return found({
    maxBytes: tighter(parseMemoryLimit(own.value), nested),
    highBytes: unified ? tightest('memory.high') : undefined,
    swapMaxBytes: tightest(swapFile),
    swapIncludesMemory: !unified,
  });
}

/** memory.events counts the groups inside too. */
function readUnifiedEvents({ path }: GuestCgroupDirectory): Reading<CgroupMemoryEvents> {
  const events = readKernelFile(`${path}/memory.events`);
  if (!events.ok) return events;
  return found({
    high: lineDecimal(events.value, 'high'),
    max: lineDecimal(events.value, 'max'),
    oom: lineDecimal(events.value, 'oom'),
    oomKill: lineDecimal(events.value, 'oom_kill'),
  });
}

function readLegacyFailures(memory: GuestCgroupDirectory): number | undefined {
  return sumOf(pathsOf(memory).map((path) => readBytes(`${path}/memory.failcnt`)));
}

function pathsOf(memory: GuestCgroupDirectory): readonly string[] {
  return memory.nestedPath === undefined ? [memory.path] : [memory.path, memory.nestedPath];
}

function readBytes(path: string): number | undefined {
  return parseDecimal(valueOf(readKernelFile(path)));
}

function readLimit(path: string): MemoryLimit {
  return parseMemoryLimit(valueOf(readKernelFile(path)));
}

/**
 * v1 has no word for "none" but a page count of LONG_MAX (9223372036854771712 with 4 KiB pages, less
 * with larger ones): anything from 2^62 on is no limit.
 */
const NO_LIMIT_BYTES = 2 ** 62;

/** `max` or bytes. */
export function parseMemoryLimit(text: string | undefined): MemoryLimit {
  if (text?.trim() === 'max') return 'unlimited';
  const bytes = parseDecimal(text);
  return bytes !== undefined && bytes >= NO_LIMIT_BYTES ? 'unlimited' : bytes;
}

function tighter(a: MemoryLimit, b: MemoryLimit): MemoryLimit {
  if (a === undefined || a === 'unlimited') return b ?? a;
  if (b === undefined || b === 'unlimited') return a;
  return Math.min(a, b);
}

function readOomKills(path: string): number | undefined {
  const text = valueOf(readKernelFile(path));
  return text === undefined ? undefined : lineDecimal(text, 'oom_kill');
}

function sumOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
}
