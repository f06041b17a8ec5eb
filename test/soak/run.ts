/**
 * `npm run soak`: does the exporter keep its size where guests, images, pools and the daemon come and
 * go? Ends with 1 when something rose that should not, or a scrape was not what it should be.
 *
 *     npm run soak -- --minutes 30 --guests 60
 */
import { parseArgs } from 'node:util';

import { printBars } from '../support/measure/bar.ts';
import { integerFlag } from '../support/measure/integer-flag.ts';
import { describeMachine } from '../support/measure/machine.ts';
import { markdownTable } from '../support/measure/table.ts';
import { soak } from './soak.ts';
import { curve } from './curve.ts';
import { judge, MIN_MINUTES_FOR_MEMORY } from './judge.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    guests: { type: 'string', default: '60' },
  },
});
const minutes = integerFlag('minutes', values.minutes, 1, 24 * 60);
// Of fewer, a guest lives too shortly to be seen.
const guests = integerFlag('guests', values.guests, 30, 1_000);

console.log(`${await describeMachine()}\n`);
const run = await soak(minutes, guests);
const { headings, rows } = curve(run);
console.log(`${markdownTable(headings, rows)}\n`);
console.log(
  `${run.guestsCame} guests came and went, ${run.restarts} restarts of the daemon, ` +
    `${run.scrapes.length} scrapes\n`,
);
// What was not answered first.
const complaints = [
  ...run.scrapes.flatMap(({ minute, error }) =>
    error === undefined ? [] : [`${minute.toFixed(2)} min: ${error}`],
  ),
  ...run.pageErrors,
  ...run.scrapes.flatMap(({ minute, duplicates, longGone, failed }) =>
    [
      ...duplicates.map((series) => `twice: ${series}`),
      ...failed.map((name) => `failed: ${name}`),
      ...longGone.map((name) => `long gone: ${name}`),
    ].map((text) => `${minute.toFixed(2)} min: ${text}`),
  ),
];
for (const complaint of complaints.slice(0, 20)) console.log(complaint);
if (minutes < MIN_MINUTES_FOR_MEMORY) {
  console.log(`Memory is judged in runs from ${MIN_MINUTES_FOR_MEMORY} minutes on.`);
}
for (const line of new Set(run.log.split('\n').map(withoutParticulars))) console.error(line);
process.exitCode = printBars(judge(run)) ? 0 : 1;

/** A line of the log without what makes it one of many of its kind. */
function withoutParticulars(line: string): string {
  return line.replace(/^time=\S+ /, '').replaceAll(/[\da-f]+(?:-[\da-f]+){4}|\d+/g, 'N');
}
