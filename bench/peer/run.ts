/**
 * `npm run bench:peer`: this exporter against Debian's prometheus-libvirt-exporter, on the same
 * libvirtd with the same real guests. Needs root. Ends with 1 when a bar is missed.
 *
 *     npm run bench:peer -- --guests 50 --scrapes 12 --runs 5
 *
 * Each run has a lab of its own. Bars are on the median of the runs, the table is of the run whose
 * scrape time is the median.
 */
import { parseArgs } from 'node:util';

import { PEER_PACKAGE } from '../../test/support/peer-exporter.ts';
import { printBars } from '../../test/support/measure/bar.ts';
import { integerFlag } from '../../test/support/measure/integer-flag.ts';
import { describeMachine } from '../../test/support/measure/machine.ts';
import { median } from '../../test/support/measure/statistics.ts';
import { markdownTable } from '../../test/support/measure/table.ts';
import type { ContestantResult } from './contestant.ts';
import { measurePeer, type PeerResult } from './measure-peer.ts';

const MAX_WALL_RATIO = 0.55;
/** Of exporter and libvirtd together. */
const MAX_CPU_RATIO = 0.8;
const MIN_SERIES_RATIO = 4;

const { values } = parseArgs({
  options: {
    guests: { type: 'string', default: '50' },
    scrapes: { type: 'string', default: '12' },
    runs: { type: 'string', default: '5' },
  },
});
const guests = integerFlag('guests', values.guests, 1, 100);
const scrapes = integerFlag('scrapes', values.scrapes, 10);

const runs = integerFlag('runs', values.runs, 1, 20);

const results: PeerResult[] = [];
for (let run = 1; run <= runs; run++) {
  results.push(
    await measurePeer({
      guests,
      scrapes,
      progress: (message) => {
        console.error(`run ${run} of ${runs}: ${message} ...`);
      },
    }),
  );
}
results.sort((a, b) => wallRatio(a) - wallRatio(b));
const middle = results[Math.floor(results.length / 2)];
if (middle === undefined) throw new Error('no run');
const machine = await describeMachine({
  libvirt: ['libvirtd', '--version'],
  QEMU: ['qemu-system-x86_64', '--version'],
  peer: ['dpkg-query', '-W', PEER_PACKAGE],
});
console.log(
  `${machine}\n- guests: ${guests}, scrapes of each exporter: ${scrapes}, runs: ${runs}\n`,
);
console.log(`${markdownTable(['', 'ours', 'peer', 'ours / peer'], rowsOf(middle))}\n`);
const printed = (ratio: (result: PeerResult) => number): string =>
  results.map((result) => ratio(result).toFixed(2)).join(', ');
console.log(`Scrape time against the peer's, run by run: ${printed(wallRatio)}`);
console.log(`CPU of exporter and libvirtd, in the same order: ${printed(cpuRatio)}\n`);
const allHold = printBars([
  {
    what: "scrape time against the peer's, median of the runs",
    measured: median(results.map(wallRatio)),
    limit: MAX_WALL_RATIO,
    unit: '',
    kind: 'at-most',
  },
  {
    what: "CPU of exporter and libvirtd against the peer's, median of the runs",
    measured: median(results.map(cpuRatio)),
    limit: MAX_CPU_RATIO,
    unit: '',
    kind: 'at-most',
  },
  {
    what: "series per guest against the peer's",
    measured: middle.ours.seriesPerGuest / middle.peer.seriesPerGuest,
    limit: MIN_SERIES_RATIO,
    unit: '',
    kind: 'at-least',
  },
]);
process.exitCode = allHold ? 0 : 1;

function wallRatio({ ours, peer }: PeerResult): number {
  return ours.wallSeconds / peer.wallSeconds;
}

function cpuRatio({ ours, peer }: PeerResult): number {
  return totalCpuSeconds(ours) / totalCpuSeconds(peer);
}

/** What a scrape costs the host: the exporter's time, and libvirtd's while it answers. */
function totalCpuSeconds({ cpuSeconds, daemonCpuSeconds }: ContestantResult): number {
  return cpuSeconds + daemonCpuSeconds;
}

function rowsOf({ ours, peer }: PeerResult): readonly (readonly string[])[] {
  const row = (
    name: string,
    value: (contestant: ContestantResult) => number,
    digits: number,
  ): readonly string[] => [
    name,
    value(ours).toFixed(digits),
    value(peer).toFixed(digits),
    (value(ours) / value(peer)).toFixed(2),
  ];
  return [
    row('scrape, ms (median)', ({ wallSeconds }) => wallSeconds * 1000, 0),
    row('  fastest', ({ fastestSeconds }) => fastestSeconds * 1000, 0),
    row('  slowest', ({ slowestSeconds }) => slowestSeconds * 1000, 0),
    row('series', ({ series }) => series, 0),
    row('series per guest', ({ seriesPerGuest }) => seriesPerGuest, 0),
    row('exporter CPU per scrape, ms', (contestant) => contestant.cpuSeconds * 1000, 0),
    row('libvirtd CPU per scrape, ms', (contestant) => contestant.daemonCpuSeconds * 1000, 0),
    row('both, ms', (contestant) => totalCpuSeconds(contestant) * 1000, 0),
    row('peak RSS, MB', (contestant) => contestant.peakResidentBytes / 1e6, 0),
  ];
}
