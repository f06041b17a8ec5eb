/** How many series an exposition has, and how many of them speak of one guest. */
export interface SeriesCount {
  readonly total: number;
  /** Series with a label whose value is exactly one of the guests' names, by name. */
  readonly byGuest: ReadonlyMap<string, number>;
}

/** Counts the samples of a text exposition (Prometheus text format or OpenMetrics). */
export function countSeries(text: string, guests: readonly string[]): SeriesCount {
  const byGuest = new Map(guests.map((guest) => [guest, 0]));
  let total = 0;
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    total += 1;
    const named = new Set([...line.matchAll(/="([^"\\]*)"/g)].map((match) => match[1] ?? ''));
    for (const name of named) {
      const count = byGuest.get(name);
      if (count !== undefined) byGuest.set(name, count + 1);
    }
  }
  return { total, byGuest };
}

/** The value of the first series that begins so, e.g. `kvm_libvirt_up `; undefined without. */
export function valueOfSeries(text: string, start: string): number | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(start));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
}
