import type { CgroupDirectory } from './cgroup.ts';
import { readKernelRecord, readKernelInteger } from '../kernel/kernel-file.ts';
import { lineBigDecimal, lineDecimal, lineField, lineStart } from '../kernel/kernel-scan.ts';
import { parseDecimal } from '../kernel/kernel-text.ts';
import { microsecondsToSeconds, nanosecondsToSeconds } from '../../runtime/kernel-time.ts';
import { failed, Faults, found, inShort, type Result } from '../../runtime/result.ts';
import { LIMIT_TTL_MS } from '../../runtime/cached-reading.ts';
import type { CgroupBandwidth, CpuQuota, CpuThrottling } from '../../model/cgroup.ts';

/**
 * Reads the limit of one group again and again. A group without a limit does not count periods, so
 * its counters are read again only once it has one: most guests have none, and each has a group per
 * vCPU. A limit that came and went between two readings shows in the counters when the next comes.
 *
 * Whether a group without a limit still has none is cached for LIMIT_TTL_MS.
 */
export class CgroupBandwidthReader {
  readonly #group: CgroupDirectory;
  /** Of a group that had no limit when it was last read. */
  #resting: { readonly throttling: CpuThrottling | undefined; readonly seenAt: number } | undefined;

  constructor(group: CgroupDirectory) {
    this.#group = group;
  }

  /**
   * `absent` when the group is gone.
   *
   * @param stat the group's cpu.stat if the caller has read it anyway.
   */
  read(stat?: string): Result<CgroupBandwidth> {
    const now = performance.now();
    const resting = this.#resting;
    if (resting !== undefined && now - resting.seenAt < LIMIT_TTL_MS) {
      return found({ quota: 'unlimited', throttling: resting.throttling });
    }
    const limit = readQuota(this.#group);
    if (!limit.ok) return limit;
    const quota = limit.value;
    const faults = new Faults();
    const throttling =
      quota === 'unlimited' && resting !== undefined
        ? resting.throttling
        : this.#throttling(stat, faults);
    const rests = quota === 'unlimited' && faults.errors.length === 0;
    this.#resting = rests ? { throttling, seenAt: now } : undefined;
    return faults.found({ quota, throttling });
  }

  #throttling(stat: string | undefined, faults: Faults): CpuThrottling | undefined {
    const path = `${this.#group.path}/cpu.stat`;
    const text = stat ?? faults.optional(readKernelRecord(path));
    return text === undefined ? undefined : parseThrottling(text, faults, path);
  }
}

function readQuota({ version, path }: CgroupDirectory): Result<CpuQuota> {
  const file = `${path}/${version === 2 ? 'cpu.max' : 'cpu.cfs_quota_us'}`;
  const limit = readKernelRecord(file);
  if (!limit.ok) return limit;
  let quota: CpuQuota | undefined;
  if (version === 2) {
    quota = parseCpuMax(limit.value);
  } else if (limit.value.trim() === '-1') {
    quota = 'unlimited';
  } else {
    const period = readKernelInteger(`${path}/cpu.cfs_period_us`);
    if (!period.ok) return period;
    quota = parseCfsQuota(limit.value, `${period.value}`);
  }
  return quota === undefined ? failed('malformed', file, inShort(limit.value)) : found(quota);
}

/**
 * The bandwidth lines of cpu.stat of either version: v2 counts in microseconds (throttled_usec), v1
 * in nanoseconds (throttled_time). They are missing on v2 where the controller is off, whose cpu.stat
 * still tells the usage.
 */
export function parseThrottling(
  stat: string,
  faults = new Faults(),
  subject = 'cpu.stat',
): CpuThrottling | undefined {
  const number = (key: string): number | undefined =>
    lineField(stat, key, lineDecimal, faults, subject);
  if (lineStart(stat, 'nr_periods') === -1 && lineStart(stat, 'usage_usec') === -1) {
    faults.malformed(subject, 'neither nr_periods nor usage_usec');
  }
  const periods = number('nr_periods');
  const throttledPeriods = number('nr_throttled');
  const throttledSeconds = throttledTime(stat, faults, subject);
  return periods === undefined || throttledPeriods === undefined || throttledSeconds === undefined
    ? undefined
    : { periods, throttledPeriods, throttledSeconds };
}

function throttledTime(stat: string, faults: Faults, subject: string): number | undefined {
  const microseconds = lineField(stat, 'throttled_usec', lineDecimal, faults, subject);
  if (microseconds !== undefined) return microsecondsToSeconds(microseconds);
  const nanoseconds = lineField(stat, 'throttled_time', lineBigDecimal, faults, subject);
  return nanoseconds === undefined ? undefined : nanosecondsToSeconds(nanoseconds);
}

/** v2 cpu.max: `max 100000` or `50000 100000`, microseconds. */
export function parseCpuMax(text: string): CpuQuota | undefined {
  if (text.startsWith('max ')) return 'unlimited';
  const [quota, period] = text.trim().split(' ');
  return toQuota(parseDecimal(quota), parseDecimal(period));
}

/** v1 cpu.cfs_quota_us and cpu.cfs_period_us; a quota of -1 is none. */
export function parseCfsQuota(
  quota: string | undefined,
  period: string | undefined,
): CpuQuota | undefined {
  if (quota?.trim() === '-1') return 'unlimited';
  return toQuota(parseDecimal(quota), parseDecimal(period));
}

function toQuota(quota: number | undefined, period: number | undefined): CpuQuota | undefined {
  if (quota === undefined || period === undefined || period === 0) return undefined;
  return {
    quotaSeconds: microsecondsToSeconds(quota),
    periodSeconds: microsecondsToSeconds(period),
  };
}
