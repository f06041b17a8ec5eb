/**
 * `npm run bench:scale`: what a scrape of 1000 guests costs the exporter, and whether the cost
 * grows with the number of guests and no faster. Ends with 1 when a bar is missed.
 *
 *     npm run bench:scale -- --domains 10,100,1000 --scrapes 10
 */
import { parseArgs } from 'node:util';

import { printBars } from '../../test/support/measure/bar.ts';
import { integerFlag } from '../../test/support/measure/integer-flag.ts';
import { describeMachine } from '../../test/support/measure/machine.ts';
import { markdownTable } from '../../test/support/measure/table.ts';
import { measureScale, type ScaleResult } from './measure-scale.ts';

const MAX_BLOCK_MS = 25;
const MAX_RESIDENT_MB = 200;
/** CPU per guest at the largest size against the middle one: 1 is linear. */
const MAX_GROWTH = 1.3;

const { values } = parseArgs({
  options: {
    domains: { type: 'string', default: '10,100,1000' },
    scrapes: { type: 'string', default: '10' },
    'node-flag': { type: 'string', multiple: true, default: [] },
  },
});
const sizes = values.domains.split(',').map((text) => integerFlag('domains', text, 1, 10_000));
const scrapes = integerFlag('scrapes', values.scrapes, 1);

console.log(`${await describeMachine()}\n`);
const results: ScaleResult[] = [];
for (const guests of sizes) {
  console.error(`${guests} guests ...`);
  results.push(await measureScale({ guests, scrapes, nodeFlags: values['node-flag'] }));
}
console.log(`${markdownTable(headingsOf(results), rowsOf(results))}\n`);
process.exitCode = printBars(barsOf(results)) ? 0 : 1;

function headingsOf(all: readonly ScaleResult[]): readonly string[] {
  return ['guests', ...all.map(({ guests }) => String(guests))];
}

function rowsOf(all: readonly ScaleResult[]): readonly (readonly string[])[] {
  const row = (name: string, value: (result: ScaleResult) => string): readonly string[] => [
    name,
    ...all.map(value),
  ];
  return [
    row('series', ({ series }) => String(series)),
    row('series per guest', ({ seriesPerGuest }) => String(seriesPerGuest)),
    row('body, MB', ({ bodyBytes }) => (bodyBytes / 1e6).toFixed(2)),
    row('body as sent (gzip), MB', ({ compressedBytes }) => (compressedBytes / 1e6).toFixed(2)),
    row('scrape, ms (median)', ({ wallSeconds }) => milliseconds(wallSeconds)),
    row('scrape per guest, ms', (result) => milliseconds(result.wallSeconds / result.guests)),
    row('exporter CPU per scrape, ms', (result) => milliseconds(result.cpuSeconds)),
    row('exporter CPU per guest, ms', (result) => milliseconds(result.cpuSeconds / result.guests)),
    row('fake daemon CPU per scrape, ms', (result) => milliseconds(result.daemonCpuSeconds)),
    row('longest event-loop block, ms', ({ longestBlockMs }) => longestBlockMs.toFixed(1)),
    row("  median of the scrapes' longest, ms", ({ usualBlockMs }) => usualBlockMs.toFixed(1)),
    row('  waiting for a CPU included, ms', ({ longestDelayMs }) => longestDelayMs.toFixed(1)),
    row('peak RSS, MB', ({ peakResidentBytes }) => (peakResidentBytes / 1e6).toFixed(0)),
    row('own memory of its file processes, MB', (r) => (r.fileProcessBytes / 1e6).toFixed(0)),
    row('first scrape (reads all XML), ms', (result) => milliseconds(result.firstScrapeSeconds)),
    row('  longest event-loop block, ms', ({ firstScrapeBlockMs }) =>
      firstScrapeBlockMs.toFixed(1),
    ),
  ];
}

function milliseconds(seconds: number): string {
  const value = seconds * 1000;
  return value < 10 ? value.toFixed(2) : value.toFixed(0);
}

function barsOf(all: readonly ScaleResult[]): Parameters<typeof printBars>[0] {
  const bars: Parameters<typeof printBars>[0][number][] = [];
  const largest = all.at(-1);
  const smaller = all.at(-2);
  if (largest === undefined) return bars;
  bars.push(
    {
      what: `longest event-loop block in a scrape of ${largest.guests} guests`,
      measured: largest.longestBlockMs,
      limit: MAX_BLOCK_MS,
      unit: ' ms',
      kind: 'at-most',
    },
    {
      what: `peak RSS with ${largest.guests} guests`,
      measured: largest.peakResidentBytes / 1e6,
      limit: MAX_RESIDENT_MB,
      unit: ' MB',
      kind: 'at-most',
    },
  );
  if (smaller !== undefined) {
    bars.push({
      what: `CPU per guest, ${largest.guests} against ${smaller.guests} guests`,
      measured: largest.cpuSeconds / largest.guests / (smaller.cpuSeconds / smaller.guests),
      limit: MAX_GROWTH,
      unit: '',
      kind: 'at-most',
    });
  }
  return bars;
}
