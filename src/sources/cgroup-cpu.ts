import { CgroupBandwidthReader, type CgroupBandwidth } from './cgroup-bandwidth.ts';
import {
  listCgroupThreadGroups,
  type CgroupDirectory,
  type CgroupThreadGroups,
  type GuestCgroupDirectory,
} from './cgroup.ts';
import { readKernelFile, readKernelInteger, readKernelValue } from './kernel-file.ts';
import { lineDecimal } from './kernel-scan.ts';
import { parseBigDecimal } from './kernel-text.ts';
import { microsecondsToSeconds, nanosecondsToSeconds } from './kernel-time.ts';
import { failed, Faults, found, isAbsence, type Reading } from './reading.ts';
import { CachedReading } from './cached-reading.ts';

/**
 * A group's share of the CPU among its siblings in the same parent group, and only there. v1 and v2
 * have different scales, which libvirt does not convert: default 1024 of 2…262144 for v1 shares
 * (sched-design-CFS.rst), default 100 of 1…10000 for v2 weight (cgroup-v2.rst).
 */
export type CpuShare =
  | { readonly kind: 'weight'; readonly weight: number }
  | { readonly kind: 'shares'; readonly shares: number };

/**
 * The CPU control of a guest. Its own quota is the tighter one of its group and libvirt's group
 * inside, its own throttling that of both; those of its threads are theirs alone.
 */
export interface GuestCgroupCpu extends CgroupBandwidth {
  readonly share: CpuShare | undefined;
  /** CPU time of all tasks in the group and in those inside. Undefined for v1 without cpuacct. */
  readonly usageSeconds: number | undefined;
  readonly vcpus: ReadonlyMap<number, CgroupBandwidth>;
  readonly iothreads: ReadonlyMap<number, CgroupBandwidth>;
  readonly emulator: CgroupBandwidth | undefined;
}

/** What decides about the groups libvirt makes for the threads of a guest. */
export interface ThreadCensus {
  readonly vcpus: number;
  readonly iothreads: number;
}

/** What is read of the guest's own group besides its bandwidth. */
interface OwnCpu extends Pick<GuestCgroupCpu, 'share' | 'usageSeconds'> {
  /** The text of its cpu.stat, where it was read for this. */
  readonly stat: string | undefined;
}

interface ThreadReaders {
  readonly census: ThreadCensus;
  readonly vcpus: ReadonlyMap<number, CgroupBandwidthReader>;
  readonly iothreads: ReadonlyMap<number, CgroupBandwidthReader>;
  readonly emulator: CgroupBandwidthReader | undefined;
}

/** Reads the CPU control files of one guest; one instance per QEMU process. */
export class GuestCgroupCpuReader {
  readonly #cpu: GuestCgroupDirectory;
  readonly #cpuacct: CgroupDirectory | undefined;
  readonly #own: CgroupBandwidthReader;
  readonly #nested: CgroupBandwidthReader | undefined;
  readonly #share = new CachedReading<CpuShare | undefined>();
  #threads: ThreadReaders | undefined;

  /** For v1 the guest's cpuacct directory too if usage is wanted: it may be another mount. */
  constructor(cpu: GuestCgroupDirectory, cpuacct: CgroupDirectory | undefined) {
    const { version, nestedPath } = cpu;
    this.#cpu = cpu;
    this.#cpuacct = cpuacct;
    this.#own = new CgroupBandwidthReader(cpu);
    this.#nested =
      nestedPath === undefined
        ? undefined
        : new CgroupBandwidthReader({ version, path: nestedPath });
  }

  /**
   * `absent` when the group is gone or, on v2, the cpu controller is not switched on for it and it
   * has no cpu.stat.
   *
   * @param census the vCPU and iothread threads the guest has now; when their number changes, their
   *   groups are listed anew.
   */
  read(census: ThreadCensus | undefined): Reading<GuestCgroupCpu> {
    const faults = new Faults();
    const base = this.#cpu.version === 2 ? this.#readUnified(faults) : this.#readLegacy(faults);
    if (!base.ok) return base;
    const { share, usageSeconds, stat } = base.value;
    return faults.found({
      share,
      usageSeconds,
      ...this.#bandwidth(stat, faults),
      ...this.#readThreads(census, faults),
    });
  }

  /** Of both groups: where one of them cannot be read, the other does not tell the guest's limit. */
  #bandwidth(stat: string | undefined, faults: Faults): CgroupBandwidth {
    const before = faults.errors.length;
    const own = faults.optional(this.#own.read(stat));
    const nested = this.#nested === undefined ? undefined : faults.optional(this.#nested.read());
    if (faults.errors.length > before) return { quota: undefined, throttling: undefined };
    return {
      quota: tighter(own?.quota, nested?.quota),
      throttling: together(own?.throttling, nested?.throttling),
    };
  }

  #readUnified(faults: Faults): Reading<OwnCpu> {
    const { path } = this.#cpu;
    const stat = readKernelFile(`${path}/cpu.stat`);
    if (!stat.ok) return stat;
    const usage = lineDecimal(stat.value, 'usage_usec');
    if (usage === undefined) return failed('malformed', `${path}/cpu.stat`, 'no usage_usec');
    return found({
      share: faults.optional(this.#share.get(() => readWeight(path))),
      usageSeconds: microsecondsToSeconds(usage),
      stat: stat.value,
    });
  }

  #readLegacy(faults: Faults): Reading<OwnCpu> {
    const share = this.#share.get(() => readShares(this.#cpu.path));
    if (!share.ok) return share;
    const usage =
      this.#cpuacct === undefined
        ? undefined
        : faults.optional(readKernelValue(`${this.#cpuacct.path}/cpuacct.usage`, parseBigDecimal));
    return found({
      share: share.value,
      usageSeconds: usage === undefined ? undefined : nanosecondsToSeconds(usage),
      stat: undefined,
    });
  }

  #readThreads(
    census: ThreadCensus | undefined,
    faults: Faults,
  ): Pick<GuestCgroupCpu, 'vcpus' | 'iothreads' | 'emulator'> {
    if (census === undefined || !isSame(census, this.#threads?.census)) {
      const groups = faults.optional(listCgroupThreadGroups(this.#cpu));
      this.#threads = groups === undefined ? undefined : openReaders(groups, census);
    }
    const threads = this.#threads;
    const vcpus = readAll(threads?.vcpus, faults);
    const iothreads = readAll(threads?.iothreads, faults);
    const emulator =
      threads?.emulator === undefined ? undefined : faults.optional(threads.emulator.read());
    const gone = vcpus.size !== threads?.vcpus.size || iothreads.size !== threads.iothreads.size;
    // Another took the place of a thread that went: one more, one less, the same number.
    if (gone) this.#threads = undefined;
    return { vcpus, iothreads, emulator };
  }
}

/** Undefined where the controller is not switched on for the group. */
function readWeight(path: string): Reading<CpuShare | undefined> {
  const weight = readKernelInteger(`${path}/cpu.weight`);
  if (weight.ok) return found({ kind: 'weight', weight: weight.value });
  return isAbsence(weight.error) ? found(undefined) : weight;
}

function readShares(path: string): Reading<CpuShare | undefined> {
  const shares = readKernelInteger(`${path}/cpu.shares`);
  return shares.ok ? found({ kind: 'shares', shares: shares.value }) : shares;
}

function openReaders(groups: CgroupThreadGroups, census: ThreadCensus | undefined): ThreadReaders {
  const readers = (
    directories: ReadonlyMap<number, CgroupDirectory>,
  ): ReadonlyMap<number, CgroupBandwidthReader> =>
    new Map([...directories].map(([index, group]) => [index, new CgroupBandwidthReader(group)]));
  return {
    census: census ?? { vcpus: groups.vcpus.size, iothreads: groups.iothreads.size },
    vcpus: readers(groups.vcpus),
    iothreads: readers(groups.iothreads),
    emulator:
      groups.emulator === undefined ? undefined : new CgroupBandwidthReader(groups.emulator),
  };
}

function isSame(a: ThreadCensus, b: ThreadCensus | undefined): boolean {
  return a.vcpus === b?.vcpus && a.iothreads === b.iothreads;
}

function readAll(
  readers: ReadonlyMap<number, CgroupBandwidthReader> | undefined,
  faults: Faults,
): ReadonlyMap<number, CgroupBandwidth> {
  const bandwidths = new Map<number, CgroupBandwidth>();
  for (const [index, reader] of readers ?? []) {
    const bandwidth = faults.optional(reader.read());
    if (bandwidth !== undefined) bandwidths.set(index, bandwidth);
  }
  return bandwidths;
}

function tighter(
  a: CgroupBandwidth['quota'],
  b: CgroupBandwidth['quota'],
): CgroupBandwidth['quota'] {
  if (a === undefined || a === 'unlimited') return b ?? a;
  if (b === undefined || b === 'unlimited') return a;
  return a.quotaSeconds / a.periodSeconds <= b.quotaSeconds / b.periodSeconds ? a : b;
}

function together(
  a: CgroupBandwidth['throttling'],
  b: CgroupBandwidth['throttling'],
): CgroupBandwidth['throttling'] {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    periods: a.periods + b.periods,
    throttledPeriods: a.throttledPeriods + b.throttledPeriods,
    throttledSeconds: a.throttledSeconds + b.throttledSeconds,
  };
}
