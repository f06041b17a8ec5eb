/** Where each vCPU may run, and whom each CPU serves: rules 1 to 3 of cpu.ts. */

import { isSubset, toCpuSet, type CpuSet } from './cpu-set.ts';
import type { CpuGuest, CpuHost, PromisedVcpus } from './cpu.ts';

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

export function computePlacement(host: CpuHost, guests: readonly CpuGuest[]): Placement {
  const place = placerFor(host);
  const placed = guests.map((guest): PlacedGuest => ({
    guest,
    vcpus: guest.vcpus.map((vcpu) => ({ online: vcpu.online, ...place(vcpu.allowedCpus) })),
    emulatorCpus: place(guest.emulatorCpus).set.cpus,
  }));
  const sets = classified(distinctSets(placed), host);

  const dedicated = new Set<number>();
  for (const set of sets.values()) {
    if (set.kind === 'dedicated') for (const cpu of set.cpus) dedicated.add(cpu);
  }
  const undedicated = [...host.onlineCpus].filter((cpu) => !dedicated.has(cpu));
  return {
    guests: placed,
    sets,
    cpus: {
      shared: new Set(undedicated.filter((cpu) => !host.isolatedCpus.has(cpu))),
      dedicated,
      isolated: new Set(undedicated.filter((cpu) => host.isolatedCpus.has(cpu))),
    },
  };
}

type Placed = Omit<PlacedVcpu, 'online'>;

/** Rule 1: from the allowed CPUs to those a thread will be run on. */
function placerFor(host: CpuHost): (allowed: ReadonlySet<number> | undefined) => Placed {
  const ordinary = (cpus: Iterable<number>): CpuSet => {
    const present = [...cpus].filter((cpu) => host.onlineCpus.has(cpu));
    const balanced = present.filter((cpu) => !host.isolatedCpus.has(cpu));
    return toCpuSet(balanced.length > 0 ? balanced : present);
  };
  const floating = ordinary(host.onlineCpus);
  // Thousands of vCPUs have a few set objects between them: each is worked out once.
  const seen = new Map<ReadonlySet<number>, Placed>();
  return (allowed) => {
    if (allowed === undefined) {
      return { set: floating, pinnedToOne: false, withoutOnlineCpu: false };
    }
    const known = seen.get(allowed);
    if (known !== undefined) return known;
    const set = ordinary(allowed);
    const isOnline = set.cpus.size > 0;
    const placed = {
      set: isOnline ? set : floating,
      pinnedToOne: isOnline && allowed.size === 1,
      withoutOnlineCpu: !isOnline,
    };
    seen.set(allowed, placed);
    return placed;
  };
}

interface CountedSet extends Omit<PlacedSet, 'kind'> {
  readonly pinnedToOne: boolean;
}

function distinctSets(guests: readonly PlacedGuest[]): readonly CountedSet[] {
  const sets = new Map<
    string,
    CountedSet & { readonly promised: { current: number; maximum: number } }
  >();
  for (const { vcpus } of guests) {
    for (const { set, online, pinnedToOne } of vcpus) {
      let entry = sets.get(set.key);
      if (entry === undefined) {
        entry = { ...set, pinnedToOne, promised: { current: 0, maximum: 0 } };
        sets.set(set.key, entry);
      }
      if (online) entry.promised.current += 1;
      entry.promised.maximum += 1;
    }
  }
  return [...sets.values()];
}

/** Rule 2. */
function classified(sets: readonly CountedSet[], host: CpuHost): ReadonlyMap<string, PlacedSet> {
  const setsWith = new Map<number, number>();
  for (const { cpus } of sets) {
    for (const cpu of cpus) setsWith.set(cpu, (setsWith.get(cpu) ?? 0) + 1);
  }
  const kindOf = ({ cpus, promised, pinnedToOne }: CountedSet): PlacedSet['kind'] => {
    const [cpu] = cpus;
    if (cpu === undefined) return 'shared';
    if (pinnedToOne && promised.maximum === 1 && setsWith.get(cpu) === 1) return 'dedicated';
    return isSubset(cpus, host.isolatedCpus) ? 'isolated' : 'shared';
  };
  return new Map(sets.map((set) => [set.key, { ...set, kind: kindOf(set) }]));
}
