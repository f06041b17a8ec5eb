import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { z } from 'zod';

/**
 * The reading of `read_xml.py`, which shares nothing with the exporter but libvirt's documentation,
 * and the comparison of two readings.
 */

const answer = z.union([
  z.strictObject({ file: z.string(), reading: z.record(z.string(), z.json()) }),
  z.strictObject({ file: z.string(), error: z.string() }),
]);

export type SecondReading = z.infer<typeof answer>;

/** What the script makes of each of the files, in their order. Names have no line breaks. */
export function secondReadings(files: readonly string[]): readonly SecondReading[] {
  const { status, error, stdout, stderr } = spawnSync(
    'python3',
    [join(import.meta.dirname, 'read_xml.py'), '-'],
    { input: files.join('\n'), encoding: 'utf8', maxBuffer: 2 ** 30, timeout: 300_000 },
  );
  if (status !== 0) throw new Error(`read_xml.py: ${error?.message ?? stderr}`);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => answer.parse(JSON.parse(line)));
}

/** Two readings value by value. */
export interface Comparison {
  /** Values that at least one of the two has. */
  readonly values: number;
  /** A line for each value that only one has, or that is another, `place: this, that`. */
  readonly differences: readonly string[];
}

/** What is said of a reading and is not of the XML: complaints have the words of one reader. */
const NOT_OF_THE_XML = new Set(['faults']);

/** Compares the values of two readings; undefined counts as not there. */
export function compare(one: unknown, other: unknown): Comparison {
  const [ours, theirs] = [valuesOf(one), valuesOf(other)];
  const places = new Set([...ours.keys(), ...theirs.keys()]);
  const differences = [...places]
    .filter((place) => ours.get(place) !== theirs.get(place))
    .map((place) => `${place}: ${ours.get(place) ?? 'nothing'}, ${theirs.get(place) ?? 'nothing'}`);
  return { values: places.size, differences };
}

/**
 * The values of a reading by their place. Disks and interfaces go by what names them, since libvirt
 * brings disks into an order of its own.
 */
function valuesOf(reading: unknown): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  const add = (value: unknown, place: string): void => {
    if (value === undefined) return;
    if (Array.isArray(value)) {
      if (value.length === 0 || value.every((one) => typeof one !== 'object')) {
        values.set(place, JSON.stringify(value));
      }
      for (const [index, one] of value.entries()) {
        if (typeof one === 'object') add(one, `${place}[${nameOf(one) ?? index}]`);
      }
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, one] of Object.entries(value)) {
        if (!NOT_OF_THE_XML.has(key)) add(one, place === '' ? key : `${place}.${key}`);
      }
    } else {
      values.set(place, JSON.stringify(value));
    }
  };
  add(reading, '');
  return values;
}

function nameOf(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  for (const key of ['mac', 'target'] as const) {
    const name: unknown = Object.entries(item).find(([one]) => one === key)?.[1];
    if (typeof name === 'string') return name;
  }
  return undefined;
}
