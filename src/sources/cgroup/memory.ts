import { dirname } from 'node:path';

import type { GuestCgroupDirectory } from './cgroup.ts';
import { readKernelRecord, readKernelInteger, readKernelValue } from '../kernel/kernel-file.ts';
import { lineDecimal, lineField, lineStart } from '../kernel/kernel-scan.ts';
import { parseDecimal } from '../kernel/kernel-text.ts';
import { failed, failedWith, Faults, found, isAbsence, type Result } from '../../runtime/result.ts';
import { CachedReading } from '../../runtime/cached-reading.ts';
import type {
  CgroupMemory,
  CgroupMemoryEvents,
  CgroupMemoryLimits,
  CgroupMemoryUsage,
  CgroupPaging,
  MemoryLimit,
} from '../../model/cgroup.ts';

/** Reads the memory files of one guest's group; one instance per QEMU process. */
export class GuestCgroupMemoryReader {
  readonly #memory: GuestCgroupDirectory;
  readonly #limits = new CachedReading<CgroupMemoryLimits>();
  readonly #restingFailures = new CachedReading<number | undefined>();

  constructor(memory: GuestCgroupDirectory) {
    this.#memory = memory;
  }

  /** `absent` when the group is gone or has no memory controller. */
  read(): Result<CgroupMemory> {
    const stat = readKernelRecord(`${this.#memory.path}/memory.stat`);
    const usage = readUsage(this.#memory, stat);
    if (!usage.ok) return usage;
    const limits = this.#limits.get(() => readLimits(this.#memory));
    if (!limits.ok) return limits;
    const events =
      this.#memory.version === 2
        ? readUnifiedEvents(this.#memory)
        : this.#readLegacyEvents(limits.value);
    const faults = new Faults();
    return faults.found({
      usage: faults.optional(usage) ?? usage.value,
      limits: limits.value,
      events: faults.optional(events),
      paging: stat.ok ? toPaging(this.#memory, stat.value, faults) : undefined,
    });
  }

  /**
   * The files count for one group alone, so libvirt's group inside is added. The oom_kill line is
   * there since 4.13.
   */
  #readLegacyEvents({ maxBytes }: CgroupMemoryLimits): Result<CgroupMemoryEvents> {
    const { path, nestedPath } = this.#memory;
    const control = readKernelRecord(`${path}/memory.oom_control`);
    if (!control.ok) return control;
    const failures = (): Result<number | undefined> => readLegacyFailures(this.#memory);
    const faults = new Faults();
    return faults.found({
      high: undefined,
      // Without a limit, none can be reached.
      max: faults.optional(
        maxBytes === 'unlimited' ? this.#restingFailures.get(failures) : failures(),
      ),
      oom: undefined,
      oomKill: faults.optional(
        computeSum([
          oomKills(control.value, `${path}/memory.oom_control`),
          ...(nestedPath === undefined ? [] : [readOomKills(`${nestedPath}/memory.oom_control`)]),
        ]),
      ),
    });
  }
}

function readUsage(memory: GuestCgroupDirectory, stat: Result<string>): Result<CgroupMemoryUsage> {
  const { path } = memory;
  const unified = memory.version === 2;
  const current = readKernelRecord(`${path}/memory.${unified ? 'current' : 'usage_in_bytes'}`);
  if (!current.ok) return current;
  if (!stat.ok) return stat;
  const faults = new Faults();
  const bytes = (key: string): number | undefined =>
    lineField(stat.value, key, lineDecimal, faults, `${path}/memory.stat`);
  const [anonymous, file] = unified ? ['anon', 'file'] : ['total_rss', 'total_cache'];
  if (lineStart(stat.value, anonymous) === -1 || lineStart(stat.value, file) === -1) {
    return failed('malformed', `${path}/memory.stat`, `no ${anonymous} or no ${file}`);
  }
  const currentBytes = parseDecimal(current.value);
  if (currentBytes === undefined) return failed('malformed', path, 'memory usage is not a number');
  const peak = readKernelInteger(`${path}/memory.${unified ? 'peak' : 'max_usage_in_bytes'}`);
  const peakBytes = faults.optional(peak);
  if (!unified) {
    return faults.found({
      currentBytes,
      peakBytes,
      // total_: with the groups inside. `cache` is file plus shmem, as v2's `file` is.
      swapBytes: bytes('total_swap'),
      zswapBytes: undefined,
      anonymousBytes: bytes('total_rss'),
      fileBytes: bytes('total_cache'),
      sharedMemoryBytes: bytes('total_shmem'),
      anonymousHugePageBytes: bytes('total_rss_huge'),
    });
  }
  return faults.found({
    currentBytes,
    peakBytes,
    swapBytes: faults.optional(readKernelInteger(`${path}/memory.swap.current`)),
    zswapBytes: bytes('zswap'),
    anonymousBytes: bytes('anon'),
    fileBytes: bytes('file'),
    sharedMemoryBytes: bytes('shmem'),
    anonymousHugePageBytes: bytes('anon_thp'),
  });
}

/** v1 has the refaults too, those of the groups inside under `total_`. */
function toPaging(
  { version, path }: GuestCgroupDirectory,
  stat: string,
  faults: Faults,
): CgroupPaging {
  const pages = (key: string): number | undefined =>
    lineField(stat, key, lineDecimal, faults, `${path}/memory.stat`);
  const inAll = version === 2 ? '' : 'total_';
  return {
    anonymousRefaults: pages(`${inAll}workingset_refault_anon`),
    fileRefaults: pages(`${inAll}workingset_refault_file`),
    swapIns: version === 2 ? pages('pswpin') : undefined,
    swapOuts: version === 2 ? pages('pswpout') : undefined,
  };
}

/** The root of the hierarchy, and a group without the controller, has no such file. */
function readGuaranteed(memory: GuestCgroupDirectory, faults: Faults): MemoryLimit {
  let guaranteed: MemoryLimit;
  for (let path = memory.path; path !== dirname(path); path = dirname(path)) {
    const reading = readKernelValue(`${path}/memory.min`, parseMemoryLimit);
    if (!reading.ok && isAbsence(reading.error)) break;
    guaranteed = tighter(guaranteed, faults.optional(reading));
  }
  return guaranteed;
}

function readLimits(memory: GuestCgroupDirectory): Result<CgroupMemoryLimits> {
  const unified = memory.version === 2;
  const maxFile = unified ? 'memory.max' : 'memory.limit_in_bytes';
  const swapFile = unified ? 'memory.swap.max' : 'memory.memsw.limit_in_bytes';
  const own = readKernelValue(`${memory.path}/${maxFile}`, parseMemoryLimit);
  if (!own.ok) return own;
  const faults = new Faults();
  const tightest = (file: string): MemoryLimit =>
    listPaths(memory)
      .map((path) => faults.optional(readKernelValue(`${path}/${file}`, parseMemoryLimit)))
      .reduce(tighter, undefined);
  const limits = {
    maxBytes: tightest(maxFile),
    highBytes: unified ? tightest('memory.high') : undefined,
    swapMaxBytes: tightest(swapFile),
    swapIncludesMemory: !unified,
    ...(unified ? { guaranteedBytes: readGuaranteed(memory, faults) } : {}),
  };
  // One of two limits that cannot be read may be the tighter one.
  const [fault] = faults.errors;
  return fault === undefined ? found(limits) : failedWith(fault);
}

/** memory.events counts the groups inside too. */
function readUnifiedEvents({ path }: GuestCgroupDirectory): Result<CgroupMemoryEvents> {
  const events = readKernelRecord(`${path}/memory.events`);
  if (!events.ok) return events;
  if (lineStart(events.value, 'max') === -1) {
    return failed('malformed', `${path}/memory.events`, 'no max');
  }
  const faults = new Faults();
  const count = (key: string): number | undefined =>
    lineField(events.value, key, lineDecimal, faults, `${path}/memory.events`);
  return faults.found({
    high: count('high'),
    max: count('max'),
    oom: count('oom'),
    oomKill: count('oom_kill'),
  });
}

function readLegacyFailures(memory: GuestCgroupDirectory): Result<number | undefined> {
  return computeSum(listPaths(memory).map((path) => readKernelInteger(`${path}/memory.failcnt`)));
}

function listPaths(memory: GuestCgroupDirectory): readonly string[] {
  return memory.nestedPath === undefined ? [memory.path] : [memory.path, memory.nestedPath];
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

function readOomKills(path: string): Result<number | undefined> {
  const text = readKernelRecord(path);
  return text.ok ? oomKills(text.value, path) : text;
}

function oomKills(control: string, subject: string): Result<number | undefined> {
  if (lineStart(control, 'oom_kill_disable') === -1) {
    return failed('malformed', subject, 'no oom_kill_disable');
  }
  const faults = new Faults();
  return faults.found(lineField(control, 'oom_kill', lineDecimal, faults, subject));
}

/** Of those that are there; none where one of them is there but cannot be read. */
function computeSum(parts: readonly Result<number | undefined>[]): Result<number | undefined> {
  let sum: number | undefined;
  for (const part of parts) {
    if (!part.ok) {
      if (isAbsence(part.error)) continue;
      return part;
    }
    if (part.faults !== undefined) return part;
    if (part.value !== undefined) sum = (sum ?? 0) + part.value;
  }
  return found(sum);
}
