import {
  listCgroupThreadGroups,
  type CgroupDirectory,
  type GuestCgroupDirectory,
} from './cgroup.ts';
import { readKernelFile } from './kernel-file.ts';
import { parseBigDecimal, parseDecimal, parseKeyedLines } from './kernel-text.ts';
import { microsecondsToSeconds, nanosecondsToSeconds } from './kernel-time.ts';
import { failed, found, valueOf, type Reading } from './reading.ts';

/**
 * A group's share of the CPU among its siblings in the same parent group, and only there. v1 and v2
 * have different scales, which libvirt does not convert: default 1024 of 2…262144 for v1 shares
 * (sched-design-CFS.rst), default 100 of 1…10000 for v2 weight (cgroup-v2.rst).
 */
export type CpuShare =
  | { readonly kind: 'weight'; readonly weight: number }
  | { readonly kind: 'shares'; readonly shares: number };

/** CPU bandwidth limit (sched-bwc.rst): so much CPU time in each period, over all CPUs. */
export type CpuQuota =
  'unlimited' | { readonly quotaSeconds: number; readonly periodSeconds: number };

/** What the bandwidth limit did. Counters of this group alone, not of the groups inside. */
export interface CpuThrottling {
  /** Periods in which the group wanted to run. */
  readonly periods: number;
  /** Of those, the ones in which it used up its quota and had to stop. */
  readonly throttledPeriods: number;
  /** Time stopped, summed over CPUs. */
  readonly throttledSeconds: number;
}

/** One group: the whole guest's, or the one of a single vCPU, iothread or the emulator. */
export interface CgroupCpu {
  readonly share: CpuShare | undefined;
  readonly quota: CpuQuota | undefined;
  /** CPU time of all tasks in the group and in those inside. Undefined for v1 without cpuacct. */
  readonly usageSeconds: number | undefined;
  readonly throttling: CpuThrottling | undefined;
}

/** The CPU control of a guest. */
export interface GuestCgroupCpu extends CgroupCpu {
  readonly vcpus: ReadonlyMap<number, CgroupCpu>;
  readonly iothreads: ReadonlyMap<number, CgroupCpu>;
  readonly emulator: CgroupCpu | undefined;
}

/**
 * Reads the CPU control files of one group. For v1 pass the guest's cpuacct directory too if usage
 * is wanted: it may be another mount. `absent` when the group is gone or, on v2, the cpu controller
 * is not switched on for it and it has no cpu.stat.
 */
export function readCgroupCpu(
  cpu: CgroupDirectory,
  cpuacct: CgroupDirectory | undefined,
): Reading<CgroupCpu> {
  return cpu.version === 2 ? readUnified(cpu.path) : readLegacy(cpu.path, cpuacct);
}

/**
 * Reads the guest's group and those of its threads. The quota is the tighter one of the guest's
 * group and libvirt's group inside, the throttling that of both. Costs two files and more per vCPU:
 * for a host of many guests, not on every scrape unless caps are in use.
 */
export function readGuestCgroupCpu(
  cpu: GuestCgroupDirectory,
  cpuacct: GuestCgroupDirectory | undefined,
): Reading<GuestCgroupCpu> {
  const scope = readCgroupCpu(cpu, cpuacct);
  if (!scope.ok) return scope;
  const nested =
    cpu.nestedPath === undefined
      ? undefined
      : valueOf(readCgroupCpu({ version: cpu.version, path: cpu.nestedPath }, undefined));
  const groups = valueOf(listCgroupThreadGroups(cpu));
  return found({
    share: scope.value.share,
    quota: tighter(scope.value.quota, nested?.quota),
    usageSeconds: scope.value.usageSeconds,
    throttling: together(scope.value.throttling, nested?.throttling),
    vcpus: readAll(groups?.vcpus),
    iothreads: readAll(groups?.iothreads),
    emulator:
      groups?.emulator === undefined
        ? undefined
        : valueOf(readCgroupCpu(groups.emulator, undefined)),
  });
}

function readAll(
  directories: ReadonlyMap<number, CgroupDirectory> | undefined,
): ReadonlyMap<number, CgroupCpu> {
  const groups = new Map<number, CgroupCpu>();
  for (const [index, directory] of directories ?? []) {
    const group = valueOf(readCgroupCpu(directory, undefined));
    if (group !== undefined) groups.set(index, group);
  }
  return groups;
}

function tighter(a: CpuQuota | undefined, b: CpuQuota | undefined): CpuQuota | undefined {
  if (a === undefined || a === 'unlimited') return b ?? a;
  if (b === undefined || b === 'unlimited') return a;
  return a.quotaSeconds / a.periodSeconds <= b.quotaSeconds / b.periodSeconds ? a : b;
}

function together(
  a: CpuThrottling | undefined,
  b: CpuThrottling | undefined,
): CpuThrottling | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    periods: a.periods + b.periods,
    throttledPeriods: a.throttledPeriods + b.throttledPeriods,
    throttledSeconds: a.throttledSeconds + b.throttledSeconds,
  };
}

function readUnified(path: string): Reading<CgroupCpu> {
  const stat = readKernelFile(`${path}/cpu.stat`);
  if (!stat.ok) return stat;
  const weight = parseDecimal(valueOf(readKernelFile(`${path}/cpu.weight`)));
  const max = valueOf(readKernelFile(`${path}/cpu.max`));
  const parsed = parseCpuStat(stat.value, `${path}/cpu.stat`);
  if (!parsed.ok) return parsed;
  return found({
    ...parsed.value,
    share: weight === undefined ? undefined : { kind: 'weight', weight },
    quota: max === undefined ? undefined : parseCpuMax(max),
  });
}

function readLegacy(path: string, cpuacct: CgroupDirectory | undefined): Reading<CgroupCpu> {
  const shares = readKernelFile(`${path}/cpu.shares`);
  if (!shares.ok) return shares;
  const stat = valueOf(readKernelFile(`${path}/cpu.stat`));
  const parsed = stat === undefined ? undefined : valueOf(parseCpuStat(stat, `${path}/cpu.stat`));
  const usage =
    cpuacct === undefined
      ? undefined
      : parseBigDecimal(valueOf(readKernelFile(`${cpuacct.path}/cpuacct.usage`)));
  const value = parseDecimal(shares.value);
  return found({
    share: value === undefined ? undefined : { kind: 'shares', shares: value },
    quota: parseCfsQuota(
      valueOf(readKernelFile(`${path}/cpu.cfs_quota_us`)),
      valueOf(readKernelFile(`${path}/cpu.cfs_period_us`)),
    ),
    usageSeconds: usage === undefined ? undefined : nanosecondsToSeconds(usage),
    throttling: parsed?.throttling,
  });
}

/**
 * cpu.stat of either version: v2 counts in microseconds (usage_usec, throttled_usec), v1 has no
 * usage and gives throttled_time in nanoseconds. The bandwidth lines are missing on v2 where the
 * controller is off.
 */
export function parseCpuStat(
  text: string,
  subject: string,
): Reading<{
  readonly usageSeconds: number | undefined;
  readonly throttling: CpuThrottling | undefined;
}> {
  const values = parseKeyedLines(text);
  const usage = parseDecimal(values.get('usage_usec'));
  const periods = parseDecimal(values.get('nr_periods'));
  const throttledPeriods = parseDecimal(values.get('nr_throttled'));
  const microseconds = parseDecimal(values.get('throttled_usec'));
  const nanoseconds = parseBigDecimal(values.get('throttled_time'));
  const throttledSeconds =
    microseconds === undefined
      ? nanoseconds === undefined
        ? undefined
        : nanosecondsToSeconds(nanoseconds)
      : microsecondsToSeconds(microseconds);
  const throttling =
    periods === undefined || throttledPeriods === undefined || throttledSeconds === undefined
      ? undefined
      : { periods, throttledPeriods, throttledSeconds };
  if (usage === undefined && throttling === undefined) {
    return failed('malformed', subject, 'neither usage_usec nor nr_periods');
  }
  return found({
    usageSeconds: usage === undefined ? undefined : microsecondsToSeconds(usage),
    throttling,
  });
}

/** v2 cpu.max: `max 100000` or `50000 100000`, microseconds. */
export function parseCpuMax(text: string): CpuQuota | undefined {
  const [quota, periodText] = text.trim().split(' ');
  if (quota === 'max') return 'unlimited';
  return quotaOf(parseDecimal(quota), parseDecimal(periodText));
}

/** v1 cpu.cfs_quota_us and cpu.cfs_period_us; a quota of -1 is none. */
export function parseCfsQuota(
  quota: string | undefined,
  period: string | undefined,
): CpuQuota | undefined {
  if (quota?.trim() === '-1') return 'unlimited';
  return quotaOf(parseDecimal(quota), parseDecimal(period));
}

function quotaOf(quota: number | undefined, period: number | undefined): CpuQuota | undefined {
  if (quota === undefined || period === undefined || period === 0) return undefined;
  return {
    quotaSeconds: microsecondsToSeconds(quota),
    periodSeconds: microsecondsToSeconds(period),
  };
}
