/** What a guest can use at most, and what it gets when every vCPU of the host is busy. */

import { intersects, isSubset, computeUnion } from './cpu-set.ts';

import { fairShares, type Claim, type JointLimit } from './fair-share.ts';
import type {
  CpuGuest,
  CpuSet,
  CpuWeight,
  PlacedGuest,
  PlacedSet,
  PlacedVcpu,
  Placement,
} from './model.ts';

/** An upper bound: vCPUs with the same set cannot use more than the set, nor all more than all. */
export function computeCap({ guest, vcpus }: PlacedGuest): number {
  const groups = onlineBySet(vcpus);
  const union = computeUnion(groups.map((group) => group.set));
  const together = groups.reduce((sum, group) => sum + groupCap(guest, group), 0);
  return Math.min(together, union.size, Math.max(0, guest.quotaCpus ?? Infinity));
}

/**
 * CPUs each guest gets when every online vCPU is busy, in the order of the guests.
 *
 * A guest's weight is split over its vCPUs, as the kernel splits a group's shares over the CPUs it
 * is busy on (calc_group_shares in kernel/sched/fair.c). Limits: each guest's cap, each
 * distinct set of CPUs for all vCPUs that can run only within it, each group of overlapping sets,
 * and the shared pool's capacity less the reserve. Exact when sets are equal,
 * nested or disjoint; where some overlap only partly it can promise single guests too much, but
 * all of them together never more than there is.
 */
export function guaranteedCpus(
  { guests, sets }: Placement,
  sharedCapacityCpus: number,
): readonly number[] {
  const claims: (Claim & { readonly owner: number })[] = [];
  const claimsOfSet = new Map<string, number[]>();
  const limits: JointLimit[] = [];

  for (const [owner, placed] of guests.entries()) {
    const { guest, vcpus } = placed;
    // It runs in what the others leave over, and they leave nothing.
    if (guest.weight?.kind === 'idle') continue;
    const cap = computeCap(placed);
    const groups = onlineBySet(vcpus);
    const online = groups.reduce((sum, group) => sum + group.vcpus, 0);
    const own = groups.map((group) => {
      const index = claims.length;
      claims.push({
        owner,
        weight: (relativeWeight(guest.weight) * group.vcpus) / online,
        limit: Math.min(groupCap(guest, group), cap),
      });
      const sameSet = claimsOfSet.get(group.set.key);
      if (sameSet === undefined) claimsOfSet.set(group.set.key, [index]);
      else sameSet.push(index);
      return index;
    });
    if (own.length > 1) limits.push({ claims: own, limit: cap });
  }

  const claimsOf = (some: readonly PlacedSet[]): readonly number[] =>
    some.flatMap((set) => claimsOfSet.get(set.key) ?? []);
  const all = [...sets.values()];
  for (const set of all) {
    const within = all.filter((other) => isSubset(other.cpus, set.cpus));
    limits.push({ claims: claimsOf(within), limit: set.cpus.size });
  }
  for (const group of overlapping(all)) {
    limits.push({ claims: claimsOf(group), limit: computeUnion(group).size });
  }
  limits.push({
    claims: claimsOf(all.filter((set) => set.kind === 'shared')),
    limit: sharedCapacityCpus,
  });

  const totals = guests.map(() => 0);
  for (const [index, share] of fairShares(claims, limits).entries()) {
    const owner = claims[index]?.owner;
    if (owner !== undefined) totals[owner] = (totals[owner] ?? 0) + share;
  }
  return totals;
}

interface SetGroup {
  readonly set: CpuSet;
  readonly vcpus: number;
}

/** A guest's online vCPUs, those with the same set together. */
function onlineBySet(vcpus: readonly PlacedVcpu[]): readonly SetGroup[] {
  const groups = new Map<string, { readonly set: CpuSet; vcpus: number }>();
  for (const { set, online } of vcpus) {
    if (!online) continue;
    const group = groups.get(set.key);
    if (group === undefined) groups.set(set.key, { set, vcpus: 1 });
    else group.vcpus += 1;
  }
  return [...groups.values()];
}

function groupCap(guest: CpuGuest, { set, vcpus }: SetGroup): number {
  const perVcpu = Math.min(1, Math.max(0, guest.quotaCpusPerVcpu ?? 1));
  return Math.min(vcpus * perVcpu, set.cpus.size);
}

/** Weight relative to the default of its cgroup version, within the kernel's bounds. */
function relativeWeight(weight: CpuWeight | undefined): number {
  if (weight === undefined || weight.kind === 'idle') return 1;
  return weight.kind === 'v1 shares'
    ? Math.min(262_144, Math.max(2, weight.value)) / 1024
    : Math.min(10_000, Math.max(1, weight.value)) / 100;
}

/** Groups of sets connected by common CPUs. */
function overlapping<T extends CpuSet>(sets: readonly T[]): readonly (readonly T[])[] {
  let groups: { readonly cpus: ReadonlySet<number>; readonly members: readonly T[] }[] = [];
  for (const set of sets) {
    const touching = groups.filter((group) => intersects(set.cpus, group.cpus));
    const merged = {
      cpus: new Set([...set.cpus, ...touching.flatMap((group) => [...group.cpus])]),
      members: [set, ...touching.flatMap((group) => group.members)],
    };
    groups = [...groups.filter((group) => !touching.includes(group)), merged];
  }
  return groups.map((group) => group.members);
}
