import { readFileSync } from 'node:fs';

import { z } from 'zod';

import { CATALOGUE } from '../src/metrics/catalogue.ts';

const FILE = new URL('renamed.json', import.meta.url);

/** Old name of a metric family to the name it has now, from docs/renamed.json. */
export function renamedMetrics(): ReadonlyMap<string, string> {
  const names = z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(FILE, 'utf8')));
  return new Map(Object.entries(names).toSorted());
}

/** What is wrong with the list: a new name that does not exist, or an old one that still does. */
export function renamedFaults(
  renamed: ReadonlyMap<string, string> = renamedMetrics(),
): readonly string[] {
  const known = new Set(CATALOGUE.map(({ name }) => name));
  return [...renamed].flatMap(([old, now]) => [
    ...(known.has(now)
      ? []
      : [`docs/renamed.json: there is no metric ${now}, which ${old} became`]),
    ...(known.has(old) ? [`docs/renamed.json: ${old} is still a metric`] : []),
  ]);
}
