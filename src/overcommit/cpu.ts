/**
 * CPU over-commitment: how many vCPUs have been promised on which CPUs.
 *
 * Every figure counts exactly the guests that are handed in. Hand in the running guests for "now",
 * all defined guests for "if all of them were started".
 */

import { atOnce, mapInParts, type Parts } from '../snapshot/in-parts.ts';
import { computeCap, guaranteedCpus } from './cpu-guarantee.ts';
import {
  computePlacement,
  type PlacedGuest,
  type PlacedSet,
  type PlacedVcpu,
} from './cpu-placement.ts';
import { ascending, intersects, isSubset, computeUnion } from './cpu-set.ts';

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
export interface CpuVcpu {
  readonly online: boolean;
  /** Where its thread may run (vcpupin, else the guest's cpuset). Undefined: not pinned. */
  readonly allowedCpus: ReadonlySet<number> | undefined;
}

/**
 * CPU weight of a guest among its siblings, in the unit of its cgroup version: `cpu.shares`
 * (2..262144, default 1024) or `cpu.weight` (1..10000, default 100). libvirt does not convert.
 */
export interface CpuWeight {
  readonly kind: 'v1 shares' | 'v2 weight';
  readonly value: number;
}

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

export interface CpuPool {
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

/**
 * Rules, in this order:
 *
 * 1. A vCPU may run on its allowed CPUs which are online. Isolated CPUs among them count only if
 *    there are no others: the scheduler does not balance a thread onto them (kernel-parameters,
 *    isolcpus). A vCPU without a pin may run on all CPUs that are online and not isolated; so
 *    may one whose allowed CPUs are all offline, since the kernel then breaks its affinity
 *    (select_fallback_rq), and it is counted in `withoutOnlineCpu` as well.
 * 2. A CPU is dedicated if one vCPU is pinned to it and nothing else, and no other vCPU, online or
 *    not, may run on it. A guest without pins that may use the CPU too makes it shared, and
 *    two vCPUs pinned to one CPU are a cpuset of one CPU with a promise of two. Dedicated vCPUs and
 *    CPUs leave both sides of the shared pool (as Nova's PCPU does).
 * 3. The shared pool is every other CPU which is online and not isolated. The reserve comes off its
 *    capacity, in the same proportion on every core and node, but not off cpusets: a pin does not
 *    heed a reserve.
 * 4. A vCPU that may run on several nodes is promised on each by its part of the CPUs: 6 of 8 CPUs
 *    on node 0 make 0.75 vCPU there. Strict numatune binds memory, not vCPUs, so it moves nothing.
 *
 * Caps and shares are those of the guests' own cgroups: weights and quotas of slices above them
 * are left out, and so is what the host's own services use.
 */
export function cpuOvercommit(host: CpuHost, guests: readonly CpuGuest[]): CpuOvercommit {
  return atOnce(cpuOvercommitInParts(host, guests));
}

/** As {@link cpuOvercommit}. */
export function* cpuOvercommitInParts(
  host: CpuHost,
  guests: readonly CpuGuest[],
): Parts<CpuOvercommit> {
  const placement = computePlacement(host, guests);
  yield;
  const { shared, dedicated, isolated } = placement.cpus;
  const sets = [...placement.sets.values()];
  const capacity = capacityIn(host);
  const unreserved = Math.max(0, shared.size - host.reservedCpus / host.threadsPerCpu);
  const sharedCapacity = part(capacity(shared), unreserved, shared.size);
  const guaranteed = guaranteedCpus(placement, sharedCapacity.cpus);
  yield;
  const placedGuests = [...placement.guests.entries()];
  const figures = yield* mapInParts(placedGuests, ([index, placed]) =>
    guestFigures(placed, guaranteed[index] ?? 0, dedicated, host, capacity),
  );
  yield;
  const promised = (kind: PlacedSet['kind']): PromisedVcpus =>
    promisedOn(sets.filter((set) => set.kind === kind));

  return {
    shared: { cpus: ascending(shared), capacity: sharedCapacity, promised: promised('shared') },
    dedicated: {
      cpus: ascending(dedicated),
      capacity: capacity(dedicated),
      promised: promised('dedicated'),
    },
    isolated: {
      cpus: ascending(isolated),
      capacity: capacity(isolated),
      promised: promised('isolated'),
    },
    withoutOnlineCpu: countVcpus(
      placement.guests.flatMap(({ vcpus }) => vcpus.filter((vcpu) => vcpu.withoutOnlineCpu)),
    ),
    nodes: nodeNumbers(host).map((node) => {
      const isHere = (cpu: number): boolean => host.nodeOf.get(cpu) === node;
      return {
        node,
        capacity: part(capacity([...shared].filter(isHere)), unreserved, shared.size),
        promised: promisedOnPart(
          sets.filter((set) => set.kind === 'shared'),
          isHere,
        ),
      };
    }),
    cpusets: sets
      .filter((set) => set.kind !== 'dedicated' && set.cpus.size > 0)
      .map((set) => ({
        cpus: ascending(set.cpus),
        capacity: capacity(set.cpus),
        promised: promisedOn(sets.filter((other) => isSubset(other.cpus, set.cpus))),
        alsoAllowed: promisedOn(
          sets.filter(
            (other) => !isSubset(other.cpus, set.cpus) && intersects(other.cpus, set.cpus),
          ),
        ),
      })),
    guests: figures,
  };
}

type CapacityOf = (cpus: Iterable<number>) => CpuCapacity;

function capacityIn(host: CpuHost): CapacityOf {
  const threads = new Map<string | number, number>();
  for (const cpu of host.onlineCpus) {
    const core = host.coreOf.get(cpu);
    if (core !== undefined) threads.set(core, (threads.get(core) ?? 0) + 1);
  }
  // Thousands of guests have a few set objects between them.
  const known = new Map<Iterable<number>, CpuCapacity>();
  return (some) => {
    const before = known.get(some);
    if (before !== undefined) return before;
    let cpus = 0;
    let cores = 0;
    for (const cpu of some) {
      const core = host.coreOf.get(cpu);
      cpus += host.threadsPerCpu;
      cores += core === undefined ? 1 : 1 / (threads.get(core) ?? 1);
    }
    const capacity = { cpus, cores };
    known.set(some, capacity);
    return capacity;
  };
}

/** `of` in `whole` parts of a capacity. */
function part(capacity: CpuCapacity, of: number, whole: number): CpuCapacity {
  if (whole === 0) return { cpus: 0, cores: 0 };
  return { cpus: (capacity.cpus * of) / whole, cores: (capacity.cores * of) / whole };
}

function nodeNumbers(host: CpuHost): readonly number[] {
  const nodes = new Set<number>();
  for (const cpu of host.onlineCpus) {
    const node = host.nodeOf.get(cpu);
    if (node !== undefined) nodes.add(node);
  }
  return ascending(nodes);
}

function promisedOn(sets: readonly PlacedSet[]): PromisedVcpus {
  return promisedOnPart(sets, () => true);
}

/** Each set's promise by the part of its CPUs that `isHere`. */
function promisedOnPart(
  sets: readonly PlacedSet[],
  isHere: (cpu: number) => boolean,
): PromisedVcpus {
  let current = 0;
  let maximum = 0;
  for (const { cpus, promised } of sets) {
    const here = [...cpus].filter(isHere).length;
    const fraction = here === cpus.size ? 1 : here / cpus.size;
    current += promised.current * fraction;
    maximum += promised.maximum * fraction;
  }
  return { current, maximum };
}

function guestFigures(
  placed: PlacedGuest,
  guaranteed: number,
  dedicatedCpus: ReadonlySet<number>,
  host: CpuHost,
  capacity: CapacityOf,
): CpuOfGuest {
  const { guest, vcpus, emulatorCpus } = placed;
  const online = vcpus.filter((vcpu) => vcpu.online);
  const allowed = computeUnion(online.map((vcpu) => vcpu.set));
  const isOffMemory = (cpu: number): boolean => {
    const node = host.nodeOf.get(cpu);
    return node !== undefined && guest.memoryNodes !== undefined && !guest.memoryNodes.has(node);
  };
  return {
    name: guest.name,
    vcpus: countVcpus(vcpus),
    allowed: capacity(allowed),
    largerThanAllowed: online.length > allowed.size,
    capCpus: computeCap(placed),
    guaranteedCpus: guaranteed,
    vcpusWithoutOnlineCpu: online.filter((vcpu) => vcpu.withoutOnlineCpu).length,
    vcpusOffMemoryNodes:
      guest.memoryNodes === undefined
        ? undefined
        : online.filter((vcpu) => [...vcpu.set.cpus].some(isOffMemory)).length,
    emulatorOnDedicatedCpus:
      dedicatedCpus.size === 0
        ? undefined
        : [...dedicatedCpus].filter((cpu) => emulatorCpus.has(cpu)).length,
  };
}

function countVcpus(vcpus: readonly PlacedVcpu[]): PromisedVcpus {
  return { current: vcpus.filter((vcpu) => vcpu.online).length, maximum: vcpus.length };
}
