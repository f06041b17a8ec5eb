import type { DomainRef, InterfaceStats } from './structures.ts';
import type { TypedParams } from './typed-params.ts';

/**
 * The named values of a stats reply as one typed structure per domain (virConnectGetAllDomainStats
 * in src/libvirt-domain.c lists the names). What the daemon did not send is undefined. Any numeric
 * wire type is accepted for any field, as types differ between libvirt versions. Values which are
 * not covered here stay reachable through `params`.
 */
export interface DomainStats {
  readonly domain: DomainRef;
  readonly state: DomainStateStats;
  readonly cpu: CpuStats;
  readonly balloon: BalloonStats;
  readonly vcpu: VcpuGroupStats;
  readonly net: NetGroupStats;
  readonly block: BlockGroupStats;
  readonly params: TypedParams;
}

export interface DomainStateStats {
  /** virDomainState. */
  readonly state: number | undefined;
  /** Meaning depends on the state. */
  readonly reason: number | undefined;
}

/** Of the whole QEMU process. For a shut-off domain libvirt 9.0 sends the daemon's own time. */
export interface CpuStats {
  readonly timeNanoseconds: bigint | undefined;
  readonly userNanoseconds: bigint | undefined;
  readonly systemNanoseconds: bigint | undefined;
  readonly haltPollSuccessNanoseconds: bigint | undefined;
  readonly haltPollFailNanoseconds: bigint | undefined;
}

/** Sizes in KiB. All but current, maximum and rss come from the guest's balloon driver. */
export interface BalloonStats {
  readonly currentKib: bigint | undefined;
  readonly maximumKib: bigint | undefined;
  /** Cumulative. */
  readonly swapInKib: bigint | undefined;
  readonly swapOutKib: bigint | undefined;
  readonly majorFaults: bigint | undefined;
  readonly minorFaults: bigint | undefined;
  /** The guest's MemFree. */
  readonly unusedKib: bigint | undefined;
  /** The guest's total memory, in spite of the name. */
  readonly availableKib: bigint | undefined;
  /** The guest's MemAvailable. */
  readonly usableKib: bigint | undefined;
  /** Unix time at which the guest's values were taken; 0 = never. */
  readonly lastUpdateSeconds: bigint | undefined;
  readonly diskCachesKib: bigint | undefined;
  readonly hugetlbAllocations: bigint | undefined;
  readonly hugetlbFailures: bigint | undefined;
  /** Resident size of the QEMU process. */
  readonly rssKib: bigint | undefined;
}

export interface VcpuGroupStats {
  readonly current: number | undefined;
  readonly maximum: number | undefined;
  /** By ascending index; offline vCPUs leave gaps. */
  readonly vcpus: readonly VcpuStats[];
}

export interface VcpuStats {
  readonly index: number;
  /** virVcpuState: 0 offline, 1 running, 2 blocked. The QEMU driver says 1 for all online ones. */
  readonly state: number | undefined;
  readonly timeNanoseconds: bigint | undefined;
  readonly waitNanoseconds: bigint | undefined;
  /** Time spent runnable but not running. */
  readonly delayNanoseconds: bigint | undefined;
  readonly halted: boolean | undefined;
  /** Of KVM, as are the following: times the guest was left for the host. */
  readonly exits: bigint | undefined;
  /** Times a vCPU that spins for a lock asked KVM to run another in its place, and KVM did. */
  readonly directedYieldsAttempted: bigint | undefined;
  readonly directedYieldsSuccessful: bigint | undefined;
  /** Times it lost its CPU while it was running; `reported` where the guest is told of it. */
  readonly preemptionsReported: bigint | undefined;
  readonly preemptionsOther: bigint | undefined;
}

export interface NetGroupStats {
  /** Interfaces in the configuration; those without a host device have no entry. */
  readonly count: number | undefined;
  readonly nets: readonly NetStats[];
}

/** Directions as the guest sees them. */
export interface NetStats extends InterfaceStats {
  readonly index: number;
  /** Host device, for example vnet0. */
  readonly name: string | undefined;
}

export interface BlockGroupStats {
  /** Entries, backing images included when asked for. */
  readonly count: number | undefined;
  readonly blocks: readonly BlockStats[];
}

export interface BlockStats {
  readonly index: number;
  /** Target name, for example vda; backing images repeat the name of their disk. */
  readonly name: string | undefined;
  /** Image of local disks. */
  readonly path: string | undefined;
  /** Set on backing images, and on the top image when backing was asked for. */
  readonly backingIndex: number | undefined;
  readonly readRequests: bigint | undefined;
  readonly readBytes: bigint | undefined;
  readonly readNanoseconds: bigint | undefined;
  readonly writeRequests: bigint | undefined;
  readonly writeBytes: bigint | undefined;
  readonly writeNanoseconds: bigint | undefined;
  readonly flushRequests: bigint | undefined;
  readonly flushNanoseconds: bigint | undefined;
  readonly errors: bigint | undefined;
  /** Running: highest offset written since the image was opened. Shut off: bytes on disk. */
  readonly allocationBytes: bigint | undefined;
  readonly capacityBytes: bigint | undefined;
  /** Running: bytes on disk of a file, size of a device. Shut off: length of the file. */
  readonly physicalBytes: bigint | undefined;
  readonly thresholdBytes: bigint | undefined;
}
