/** Sets of logical CPU numbers, compared by content. */

/** A set of CPUs, and the same set as text, so that equal sets can be told by their key. */
export interface CpuSet {
  readonly key: string;
  readonly cpus: ReadonlySet<number>;
}

export function toCpuSet(cpus: Iterable<number>): CpuSet {
  const sorted = ascending(cpus);
  return { key: sorted.join(','), cpus: new Set(sorted) };
}

export function ascending(numbers: Iterable<number>): number[] {
  return [...numbers].sort((one, other) => one - other);
}

export function isSubset(inner: ReadonlySet<number>, outer: ReadonlySet<number>): boolean {
  if (inner.size > outer.size) return false;
  for (const cpu of inner) if (!outer.has(cpu)) return false;
  return true;
}

export function intersects(one: ReadonlySet<number>, other: ReadonlySet<number>): boolean {
  for (const cpu of one) if (other.has(cpu)) return true;
  return false;
}

/** All CPUs of some sets. One set is handed back as it is: guests with one set are the rule. */
export function computeUnion(sets: readonly CpuSet[]): ReadonlySet<number> {
  const [first, ...rest] = sets;
  if (first === undefined) return new Set();
  if (rest.every((set) => set.key === first.key)) return first.cpus;
  return new Set(sets.flatMap((set) => [...set.cpus]));
}
