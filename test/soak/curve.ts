import { median } from '../support/measure/statistics.ts';
import { leastResident, type Run } from './judge.ts';
import type { Sample } from './observe.ts';

const MAX_ROWS = 15;

/** The run as a table, a row for every two minutes of half an hour: medians, and extremes where said. */
export function curve(run: Run): {
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
} {
  const rowMinutes = Math.max(run.minutes / MAX_ROWS, 0.25);
  const resident = new Map(
    leastResident(run, rowMinutes).map(({ minute, value }) => [minute, value]),
  );
  const rows: string[][] = [];
  for (let row = 0; row * rowMinutes < run.minutes; row += 1) {
    const from = row * rowMinutes;
    const isHere = ({ minute }: { readonly minute: number }): boolean =>
      minute >= from && minute < from + rowMinutes;
    const samples = run.samples.filter(isHere);
    const scrapes = run.scrapes.filter(isHere);
    if (samples.length === 0 || scrapes.length === 0) continue;
    const usual = (value: (sample: Sample) => number): number => median(samples.map(value));
    rows.push([
      `${Number(from.toFixed(2))}–${Number((from + rowMinutes).toFixed(2))}`,
      (usual(({ heapBytes }) => heapBytes) / 1e6).toFixed(2),
      (usual(({ objects }) => objects) / 1e3).toFixed(1),
      (usual(({ externalBytes }) => externalBytes) / 1e6).toFixed(2),
      ((resident.get(from) ?? NaN) / 1e6).toFixed(1),
      (usual(({ processBytes }) => processBytes) / 1e6).toFixed(1),
      usual(({ files }) => files).toFixed(0),
      usual(({ timers }) => timers).toFixed(0),
      usual(({ handles }) => handles).toFixed(0),
      median(scrapes.map(({ series }) => series)).toFixed(0),
      median(scrapes.map(({ seconds }) => seconds * 1_000)).toFixed(0),
      Math.max(...scrapes.map(({ seconds }) => seconds * 1_000)).toFixed(0),
    ]);
  }
  return { headings: HEADINGS, rows };
}

const HEADINGS = [
  'minutes',
  'heap, MB',
  'objects, 1000',
  'outside, MB',
  'least RSS, MB',
  'file processes, MB',
  'files',
  'timers',
  'handles',
  'series',
  'scrape, ms',
  'slowest, ms',
];
