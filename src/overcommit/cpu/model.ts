/** The host's CPUs. Numbers are logical CPU numbers as in /sys/devices/system/cpu. */
export interface CpuHost {
  /** /sys/devices/system/cpu/online. */
  readonly onlineCpus: ReadonlySet<number>;
  /** /sys/devices/system/cpu/isolated (isolcpus= and isolated cpuset partitions). */
  readonly isolatedCpus: ReadonlySet<number>;
  /** Physical core of a CPU, unique over packages. A CPU that is missing counts as its own core. */
  readonly coreOf: ReadonlyMap<number, string | number>;
  /** NUMA node of a CPU. A CPU that is missing appears in no node's figures. */
  readonly nodeOf: ReadonlyMap<number, number>;
  /** Logical CPUs the policy keeps for the host itself (Nova: reserved_host_cpus). */
  readonly reservedCpus: number;
  /** vCPUs that can run at once on one online CPU: 1 but on POWER8, see CpuTopology. */
  readonly threadsPerCpu: number;
}

/** One vCPU a guest has or may be given by hot-plug. */
interface CpuVcpu {
  readonly online: boolean;
  /** Where its thread may run (vcpupin, else the guest's cpuset). Undefined: not pinned. */
  readonly allowedCpus: ReadonlySet<number> | undefined;
}

/**
 * CPU weight of a guest among its siblings, in the unit of its cgroup version: `cpu.shares`
 * (2..262144, default 1024) or `cpu.weight` (1..10000, default 100). libvirt does not convert.
 */
export type CpuWeight =
  | { readonly kind: 'v1 shares' | 'v2 weight'; readonly value: number }
  /** Runs only in what all others leave over. */
  | { readonly kind: 'idle' };

export interface CpuGuest {
  readonly name: string;
  /**
   * Every vCPU the guest may have (libvirt `vcpu.maximum`), online or not. A list and not two
   * counts because hot-unplug leaves gaps: vCPU 0 and 2 may be online while 1 is not.
   */
  readonly vcpus: readonly CpuVcpu[];
  /** Where the emulator threads may run (emulatorpin). Undefined: not pinned. */
  readonly emulatorCpus: ReadonlySet<number> | undefined;
  /** Nodes of a strict numatune. Undefined: memory may come from any node. */
  readonly memoryNodes: ReadonlySet<number> | undefined;
  /** Undefined: the default weight of the cgroup version. */
  readonly weight: CpuWeight | undefined;
  /** `<quota>`/`<period>`: CPUs each vCPU may use. Undefined: no cap. */
  readonly quotaCpusPerVcpu: number | undefined;
  /** `<global_quota>`/`<global_period>`: CPUs the whole guest may use. Undefined: no cap. */
  readonly quotaCpus: number | undefined;
}

/** vCPUs promised: online now, and at most (libvirt `vcpu.maximum`). Fractional per NUMA node. */
export interface PromisedVcpus {
  readonly current: number;
  readonly maximum: number;
}

/**
 * CPUs a promise can draw on. `cores` counts a CPU as its part of the physical core: with two
 * online threads per core each is half a core.
 */
export interface CpuCapacity {
  readonly cpus: number;
  readonly cores: number;
}

interface CpuPool {
  /** CPU numbers, ascending. */
  readonly cpus: readonly number[];
  readonly capacity: CpuCapacity;
  readonly promised: PromisedVcpus;
}

export interface CpuOfNode {
  readonly node: number;
  readonly capacity: CpuCapacity;
  readonly promised: PromisedVcpus;
}

export interface CpuOfCpuset {
  /** The CPUs of the set that are online, ascending. */
  readonly cpus: readonly number[];
  readonly capacity: CpuCapacity;
  /** vCPUs that can run nowhere but in this set: their own set is this one or lies within it. */
  readonly promised: PromisedVcpus;
  /** vCPUs that may run in this set and also outside it. */
  readonly alsoAllowed: PromisedVcpus;
}

export interface CpuOfGuest {
  readonly name: string;
  readonly vcpus: PromisedVcpus;
  /** Online CPUs that at least one of its online vCPUs may run on. */
  readonly allowed: CpuCapacity;
  /** More online vCPUs than CPUs they may run on: the guest competes with itself. */
  readonly largerThanAllowed: boolean;
  /** CPUs the guest can use at most: vCPUs, quotas and allowed CPUs taken together. */
  readonly capCpus: number;
  /** CPUs the guest gets when every vCPU of every guest is busy. */
  readonly guaranteedCpus: number;
  /** Online vCPUs whose allowed CPUs are all offline. */
  readonly vcpusWithoutOnlineCpu: number;
  /**
   * Online vCPUs that may run on a node the guest's strict numatune has no memory on. Undefined:
   * its memory is bound to no node.
   */
  readonly vcpusOffMemoryNodes: number | undefined;
  /**
   * Dedicated CPUs, its own or another guest's, that its emulator threads may run on. Undefined:
   * the host has no dedicated CPUs.
   */
  readonly emulatorOnDedicatedCpus: number | undefined;
}

export interface CpuOvercommit {
  /** Online CPUs which are neither isolated nor dedicated; the capacity is less the reserve. */
  readonly shared: CpuPool;
  /** CPUs that belong to one vCPU alone, and the vCPUs that own them. */
  readonly dedicated: CpuPool;
  /** Isolated CPUs which are not dedicated, and the vCPUs confined to them. */
  readonly isolated: CpuPool;
  /** vCPUs whose allowed CPUs are all offline. They are part of `shared.promised`. */
  readonly withoutOnlineCpu: PromisedVcpus;
  /** The shared pool by NUMA node, ascending. */
  readonly nodes: readonly CpuOfNode[];
  /** Every distinct set of CPUs some vCPU is allowed on, dedicated CPUs left out. */
  readonly cpusets: readonly CpuOfCpuset[];
  readonly guests: readonly CpuOfGuest[];
}

export interface Placement {
  /** In the order they were handed in. */
  readonly guests: readonly PlacedGuest[];
  /** The distinct sets, by key. */
  readonly sets: ReadonlyMap<string, PlacedSet>;
  readonly cpus: {
    readonly shared: ReadonlySet<number>;
    readonly dedicated: ReadonlySet<number>;
    readonly isolated: ReadonlySet<number>;
  };
}

export interface PlacedGuest {
  readonly guest: CpuGuest;
  readonly vcpus: readonly PlacedVcpu[];
  /** CPUs its emulator threads may run on. */
  readonly emulatorCpus: ReadonlySet<number>;
}

export interface PlacedVcpu {
  readonly online: boolean;
  readonly set: CpuSet;
  /** Its allowed CPUs are one CPU, and that is online. */
  readonly pinnedToOne: boolean;
  readonly withoutOnlineCpu: boolean;
}

/** A distinct set, what it draws on, and the vCPUs that have exactly this set. */
export interface PlacedSet extends CpuSet {
  readonly kind: 'shared' | 'dedicated' | 'isolated';
  readonly promised: PromisedVcpus;
}

/** Sets of logical CPU numbers, compared by content. */

/** A set of CPUs, and the same set as text, so that equal sets can be told by their key. */
export interface CpuSet {
  readonly key: string;
  readonly cpus: ReadonlySet<number>;
}
