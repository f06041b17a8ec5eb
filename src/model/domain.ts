import type { DomainState } from './facts/domain-state.ts';
import type { DomainConfig } from './domain-config.ts';
import type { GuestSourceName } from './guest-source.ts';
import type { CgroupDetail, CgroupDeviceIo, CgroupMemory, GuestCgroupCpu } from './cgroup.ts';
import type { Pressure } from './pressure.ts';
import type {
  MemoryFile,
  ProcessKsm,
  ProcessNuma,
  ProcessStat,
  ProcessStatus,
  ProcessThread,
  SmapsRollup,
} from './process.ts';

/** One guest, as libvirt, its QEMU process and its cgroup show it. */
export interface Domain {
  readonly name: string;
  /**
   * The identity; names and ids are reused. libvirt's uuid, or where libvirt does not know the guest a
   * key of its source, since there two guests may have one uuid: `pve:<vmid>`, `pid:<pid>:<start>`.
   */
  readonly uuid: string;
  /** Who told of it first; libvirt where it is not said. */
  readonly source?: GuestSourceName | undefined;
  /** virDomainState in libvirt's words: `running`, `paused`, `shutoff`, … */
  readonly state: DomainState;
  /** The reason for that state, e.g. `ioerror`; `unknown` where libvirt gives none. */
  readonly reason: string;
  /** Has a QEMU process: running, paused, suspended, shutting down. */
  readonly active: boolean;
  readonly persistent: boolean | undefined;
  readonly autostart: boolean | undefined;
  /** Undefined when its XML could not be had. */
  readonly config: DomainConfig | undefined;
  /**
   * Whether QEMU answers its monitor. `unasked`: not active, or no collector needed the monitor, or it
   * was not asked for the reason beside.
   */
  readonly monitor: 'responsive' | 'unresponsive' | 'unasked';
  /** Why it was not asked, or not for its disks; undefined when all was asked, or nothing needed. */
  readonly unaskedReason: UnaskedReason | undefined;
  readonly balloon: Balloon | undefined;
  /** By target name (`vda`); undefined when not asked or not answered. */
  readonly disks: readonly DiskCounters[] | undefined;
  readonly nics: readonly NicCounters[] | undefined;
  /** libvirt's own CPU figures, asked for only where `process` is out of reach. */
  readonly libvirtCpu: LibvirtCpu | undefined;
  /** As of the last answer about its balloon. */
  readonly kvm: KvmCounters | undefined;
  readonly process: GuestProcess | undefined;
  readonly cgroup: GuestCgroupFacts | undefined;
  readonly job: DomainJob | undefined;
  readonly perf: PerfCounters | undefined;
}

/**
 * Balloon and the guest's own view of its memory: libvirt's `balloon.*` fields, in bytes. What the
 * guest's driver does not report is undefined.
 */
export interface Balloon {
  readonly currentBytes: number | undefined;
  readonly maximumBytes: number | undefined;
  /** Guest's MemTotal (`balloon.available`). */
  readonly guestTotalBytes: number | undefined;
  /** Guest's MemFree (`balloon.unused`). */
  readonly guestFreeBytes: number | undefined;
  /** Guest's MemAvailable (`balloon.usable`). */
  readonly guestAvailableBytes: number | undefined;
  readonly guestDiskCachesBytes: number | undefined;
  readonly guestSwapInBytes: number | undefined;
  readonly guestSwapOutBytes: number | undefined;
  readonly guestMajorFaults: bigint | undefined;
  readonly guestMinorFaults: bigint | undefined;
  readonly guestHugetlbAllocations: bigint | undefined;
  readonly guestHugetlbFailures: bigint | undefined;
  /** Resident size as libvirt reports it; only of use where /proc is out of reach. */
  readonly residentBytes: number | undefined;
  /** Unix time of the guest's last report; undefined when it never reported (libvirt says 0). */
  readonly lastUpdateSeconds: number | undefined;
}

/** `block.<n>.*`, read from QEMU. */
export interface DiskCounters {
  readonly device: string;
  readonly readBytes: bigint | undefined;
  readonly readRequests: bigint | undefined;
  readonly readNanoseconds: bigint | undefined;
  readonly writtenBytes: bigint | undefined;
  readonly writeRequests: bigint | undefined;
  readonly writeNanoseconds: bigint | undefined;
  readonly flushRequests: bigint | undefined;
  readonly flushNanoseconds: bigint | undefined;
  /** Size the guest sees. */
  readonly capacityBytes: bigint | undefined;
  /** Highest offset written since QEMU opened the image; NOT the space used. */
  readonly highestOffsetBytes: bigint | undefined;
  /** Space used on the host: QEMU's actual-size for files, the device's size for block devices. */
  readonly physicalBytes: bigint | undefined;
  readonly thresholdBytes: bigint | undefined;
  /** Only where QEMU's own record of the disk is at hand; libvirt passes none of it on. */
  readonly beyondLibvirt?: DiskCountersBeyondLibvirt;
}

/** QEMU's BlockDeviceStats (qapi/block-core.json) beyond what libvirt relays. */
export interface DiskCountersBeyondLibvirt {
  readonly failedReads: bigint | undefined;
  readonly failedWrites: bigint | undefined;
  readonly failedFlushes: bigint | undefined;
  readonly failedDiscards: bigint | undefined;
  readonly discardedBytes: bigint | undefined;
}

/** `net.<n>.*`: seen from the guest, `receive` is what arrives in it. */
export interface NicCounters {
  /** Name of the tap on the host. */
  readonly device: string;
  readonly receiveBytes: bigint | undefined;
  readonly receivePackets: bigint | undefined;
  readonly receiveErrors: bigint | undefined;
  readonly receiveDrops: bigint | undefined;
  readonly transmitBytes: bigint | undefined;
  readonly transmitPackets: bigint | undefined;
  readonly transmitErrors: bigint | undefined;
  readonly transmitDrops: bigint | undefined;
}

/** `cpu.*` and `vcpu.*`. */
export interface LibvirtCpu {
  readonly totalNanoseconds: bigint | undefined;
  readonly userNanoseconds: bigint | undefined;
  readonly systemNanoseconds: bigint | undefined;
  readonly vcpus: readonly LibvirtVcpu[];
}

/** KVM's own counters, which nobody but QEMU can read; asked for together with the balloon. */
export interface KvmCounters {
  readonly haltPollSuccessNanoseconds: bigint | undefined;
  readonly haltPollFailNanoseconds: bigint | undefined;
  /** Empty before libvirt 8.9 and QEMU 7.1. */
  readonly vcpus: readonly KvmVcpu[];
}

export interface KvmVcpu {
  readonly index: number;
  readonly exits: bigint | undefined;
  readonly directedYieldsAttempted: bigint | undefined;
  readonly directedYieldsSuccessful: bigint | undefined;
  /** Times the vCPU lost its CPU while it was running. */
  readonly preemptions: bigint | undefined;
}

interface LibvirtVcpu {
  readonly index: number;
  readonly timeNanoseconds: bigint | undefined;
  readonly delayNanoseconds: bigint | undefined;
  readonly waitNanoseconds: bigint | undefined;
}

/** The guest's QEMU process. */
export interface GuestProcess {
  readonly pid: number;
  /** Unix time; undefined when the host's boot time is not known. */
  readonly startSeconds: number | undefined;
  readonly stat: ProcessStat;
  readonly status: ProcessStatus | undefined;
  readonly threads: readonly ProcessThread[] | undefined;
  readonly ksm: ProcessKsm | undefined;
  readonly smaps: SmapsRollup | undefined;
}

/** What the guest's cgroup says; only for a cgroup that holds this guest alone. */
export interface GuestCgroupFacts {
  readonly cpu: GuestCgroupCpu | undefined;
  readonly memory: CgroupMemory | undefined;
  /** By device; undefined where its io controller is off. */
  readonly io: readonly CgroupDeviceIo[] | undefined;
  readonly numa: ProcessNuma | undefined;
  readonly pressure: GuestPressure;
  readonly detail?: CgroupDetail | undefined;
}

interface GuestPressure {
  readonly cpu: Pressure | undefined;
  readonly memory: Pressure | undefined;
  readonly io: Pressure | undefined;
}

/** A running job (virDomainJobInfo); undefined where there is none. */
export interface DomainJob {
  readonly operation: string;
  readonly elapsedSeconds: number;
  readonly remainingSeconds: number | undefined;
  readonly dataTotalBytes: bigint;
  readonly dataProcessedBytes: bigint;
  readonly dataRemainingBytes: bigint;
}

/** `perf.*` events and resctrl monitors, by libvirt's own names; only those configured. */
export interface PerfCounters {
  readonly events: ReadonlyMap<string, bigint>;
  /** `memory.bandwidth.monitor.*`: bytes per monitor and node. */
  readonly bandwidth: readonly MemoryBandwidth[];
}

export interface MemoryBandwidth {
  readonly monitor: string;
  readonly node: number;
  readonly localBytes: bigint | undefined;
  readonly totalBytes: bigint | undefined;
}

/**
 * Why a guest was not asked, or not for its disks:
 * - `stopped`, `frozen`, `blocked`: seen in /proc, see {@link Standstill};
 * - `occupied`: libvirt has waited for its monitor for more than 2 s, whoever asked;
 * - `timed_out`: a call of ours was not answered in time, or still is not;
 * - `storage`: what its images lie on owes an answer, or another guest there did not answer;
 * - `budget`: too many calls are stuck already, or there was no time left.
 */
export type UnaskedReason = Standstill | 'occupied' | 'timed_out' | 'storage' | 'budget';

/**
 * Why a QEMU can not answer its monitor, seen without asking it:
 * - `stopped`: a thread is stopped by a signal or a debugger (state T or t);
 * - `frozen`: its cgroup is frozen, as `virsh suspend` never does but a container manager may;
 * - `blocked`: a thread has been in uninterruptible sleep (state D) for a while without running, most
 *   often because storage does not answer.
 *
 * Any thread will do: QEMU's main loop waits for the vCPUs, iothreads and workers at many places. An
 * idle thread that will never wake (a lost futex) can not be told from one that is merely idle.
 */
export type Standstill = 'stopped' | 'frozen' | 'blocked';

/** A guest and what its XML says; enough to look for its images. */
export interface ConfiguredGuest extends Pick<Domain, 'name' | 'uuid' | 'config'> {
  /** Undefined: not said. */
  readonly active?: boolean;
  /** From the command line of its QEMU; empty for one that does not run. */
  readonly memoryFiles: readonly MemoryFile[];
}
