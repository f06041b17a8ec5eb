/**
 * `npm run bench:peer`: this exporter against Debian's prometheus-libvirt-exporter, on the same
 * libvirtd with the same real guests. Needs root. Ends with 1 when a bar is missed.
 *
 *     npm run bench:peer -- --guests 50 --scrapes 12
 */
import { parseArgs } from 'node:util';

import { PEER_PACKAGE } from '../../test/lab/support/peer-exporter.ts';
import { printBars } from '../measure/bar.ts';
import { integerFlag } from '../measure/integer-flag.ts';
import { describeMachine } from '../measure/machine.ts';
import { markdownTable } from '../measure/table.ts';
import type { ContestantResult } from './contestant.ts';
import { measurePeer, type PeerResult } from './measure-peer.ts';

const MAX_WALL_RATIO = 0.6;
const MIN_SERIES_RATIO = 4;

const { values } = parseArgs({
  options: {
    guests: { type: 'string', default: '50' },
    scrapes: { type: 'string', default: '12' },
  },
});
const guests = integerFlag('guests', values.guests, 1, 100);
const scrapes = integerFlag('scrapes', values.scrapes, 10);

const result = await measurePeer({
  guests,
  scrapes,
  progress: (message) => {
    console.error(`${message} ...`);
  },
});
const machine = await describeMachine({
  libvirt: ['libvirtd', '--version'],
  QEMU: ['qemu-system-x86_64', '--version'],
  peer: ['dpkg-query', '-W', PEER_PACKAGE],
});
console.log(`${machine}\n- guests: ${guests}, scrapes of each exporter: ${scrapes}\n`);
console.log(`${markdownTable(['', 'ours', 'peer', 'ours / peer'], rowsOf(result))}\n`);
const { ours, peer } = result;
const allHold = printBars([
  {
    what: "scrape time against the peer's",
    measured: ours.wallSeconds / peer.wallSeconds,
    limit: MAX_WALL_RATIO,
    unit: '',
    kind: 'at-most',
  },
  {
    what: "series per guest against the peer's",
    measured: ours.seriesPerGuest / peer.seriesPerGuest,
    limit: MIN_SERIES_RATIO,
    unit: '',
    kind: 'at-least',
  },
]);
process.exitCode = allHold ? 0 : 1;

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
    row('peak RSS, MB', (contestant) => contestant.peakResidentBytes / 1e6, 0),
  ];
}
