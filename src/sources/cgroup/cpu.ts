import { CgroupBandwidthReader } from './bandwidth.ts';
import {
  listCgroupThreadGroups,
  type CgroupDirectory,
  type CgroupThreadGroups,
  type GuestCgroupDirectory,
} from './cgroup.ts';
import { readKernelRecord, readKernelInteger, readKernelValue } from '../kernel/kernel-file.ts';
import { lineDecimal } from '../kernel/kernel-scan.ts';
import { parseBigDecimal } from '../kernel/kernel-text.ts';
import { microsecondsToSeconds, nanosecondsToSeconds } from '../../runtime/kernel-time.ts';
import { failed, Faults, found, isAbsence, type Result } from '../../runtime/result.ts';
import { CachedReading } from '../../runtime/cached-reading.ts';
import type { CgroupBandwidth, CpuQuota, CpuShare, GuestCgroupCpu } from '../../model/cgroup.ts';
import { cpusOfQuota } from '../../model/facts/cpu-quota.ts';
import { addThrottling } from '../../model/facts/throttling.ts';

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
  read(census: ThreadCensus | undefined): Result<GuestCgroupCpu> {
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
      throttling: addThrottling(own?.throttling, nested?.throttling),
    };
  }

  #readUnified(faults: Faults): Result<OwnCpu> {
    const { path } = this.#cpu;
    const stat = readKernelRecord(`${path}/cpu.stat`);
    if (!stat.ok) return stat;
    const usage = lineDecimal(stat.value, 'usage_usec');
    if (usage === undefined) return failed('malformed', `${path}/cpu.stat`, 'no usage_usec');
    return found({
      share: faults.optional(this.#share.get(() => readWeight(path))),
      usageSeconds: microsecondsToSeconds(usage),
      stat: stat.value,
    });
  }

  #readLegacy(faults: Faults): Result<OwnCpu> {
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
function readWeight(path: string): Result<CpuShare | undefined> {
  const weight = readKernelInteger(`${path}/cpu.weight`);
  // An idle group shows the weight 0.
  if (weight.ok && (weight.value === 0 || isIdle(path))) return found({ kind: 'idle' });
  if (weight.ok) return found({ kind: 'weight', weight: weight.value });
  return isAbsence(weight.error) ? found(undefined) : weight;
}

function readShares(path: string): Result<CpuShare | undefined> {
  const shares = readKernelInteger(`${path}/cpu.shares`);
  if (shares.ok && isIdle(path)) return found({ kind: 'idle' });
  return shares.ok ? found({ kind: 'shares', shares: shares.value }) : shares;
}

/** Kernels before 5.15 have no such file. */
function isIdle(path: string): boolean {
  const idle = readKernelInteger(`${path}/cpu.idle`);
  return idle.ok && idle.value === 1;
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

function tighter(a: CpuQuota | undefined, b: CpuQuota | undefined): CpuQuota | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return (cpusOfQuota(a) ?? Infinity) <= (cpusOfQuota(b) ?? Infinity) ? a : b;
}
