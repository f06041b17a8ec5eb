/**
 * `npm run test:hang`: QEMUs that hang in every way we know, on real libvirtd: does anybody else lose
 * anything? Needs root. Prints Markdown; ends with 1 when a case failed. See README.md beside it.
 *
 *     npm run test:hang -- --rows '6 stopped fresh, 10 stopped' --guests 20 --repeats 2
 */
import { parseArgs } from 'node:util';

import { integerFlag } from '../support/measure/integer-flag.ts';
import { describeMachine } from '../support/measure/machine.ts';
import { markdownTable } from '../support/measure/table.ts';
import { openLab } from '../../lab/index.ts';
import { startHerd, type Mix } from '../support/hang/guests.ts';
import { installPeerExporter } from '../support/peer-exporter.ts';
import { runBesidePeer, type Figure } from './beside-peer.ts';
import { runRestarts } from './restart.ts';
import { runSickDaemon } from './sick-daemon.ts';
import { rowName, type Row } from '../support/hang/row.ts';
import { allRows, chooseRows, countsFor, leftOut, MIXES, usualRows } from './rows.ts';
import { Bench, failedRow, runRow, type RowResult } from '../support/hang/run-row.ts';

const PARTS = ['matrix', 'restart', 'peer', 'daemon'] as const;
/** The daemon's part takes as long as it is told to, and has a lab of its own. */
const USUAL_PARTS = ['matrix', 'restart', 'peer'];

const { values } = parseArgs({
  options: {
    guests: { type: 'string', default: '60' },
    repeats: { type: 'string', default: '10' },
    scrapes: { type: 'string', default: '20' },
    rows: { type: 'string' },
    parts: { type: 'string', default: USUAL_PARTS.join(',') },
    minutes: { type: 'string', default: '10' },
    'fail-fast': { type: 'boolean', default: false },
    flags: { type: 'string', default: '' },
  },
});
const guests = integerFlag('guests', values.guests, 1, 90);
const repeats = integerFlag('repeats', values.repeats, 1);
const scrapes = integerFlag('scrapes', values.scrapes, 2);
const minutes = integerFlag('minutes', values.minutes, 1);
const parts = new Set(values.parts.split(','));
for (const part of parts) {
  if (!PARTS.some((known) => known === part)) throw new RangeError(`--parts: no ${part}`);
}
const flags = values.flags.split(' ').filter(Boolean);

const usual = usualRows(guests, repeats);
const chosen =
  values.rows === undefined
    ? usual
    : chooseRows(
        allRows(guests).map((row) => usual.find((one) => rowName(one) === rowName(row)) ?? row),
        values.rows,
      );
const rows = parts.has('matrix') ? chosen : [];
if (parts.has('matrix') && rows.length === 0) throw new RangeError('--rows matches no case');

const from = Date.now();
const results: RowResult[] = [];
const report: string[] = [];
const complaints: string[] = [];

for (const mix of MIXES) {
  const ofMix = rows.filter((row) => row.mix === mix);
  const hasExtras = mix === 'mixed' && (parts.has('restart') || parts.has('peer'));
  if (ofMix.length === 0 && !hasExtras) continue;
  await withBench(mix, async (bench) => {
    for (const row of ofMix) await repeated(bench, row);
    if (!hasExtras) return;
    if (parts.has('restart')) await restarts(bench);
    if (parts.has('peer')) await besidePeer(bench);
  });
}
if (parts.has('daemon')) await sickDaemon();

const machine = await describeMachine({
  libvirt: ['libvirtd', '--version'],
  QEMU: ['qemu-system-x86_64', '--version'],
});
console.log(`${machine}\n- guests: ${guests}, ${scrapes} scrapes with a timeout of 5 s per case\n`);
if (results.length > 0) console.log(`${markdownTable(headings(), cells(results))}\n`);
for (const line of report) console.log(`${line}\n`);
if (rows.length > 0) {
  console.log('Left out:\n');
  for (const line of leftOut(guests, rows)) console.log(`- ${line}`);
  console.log('');
}
if (complaints.length > 0) {
  console.log('Failed:\n');
  for (const line of complaints) console.log(`- ${line}`);
  console.log('');
}
console.log(
  `${complaints.length === 0 ? 'ok' : 'FAILED'} in ${Math.round((Date.now() - from) / 60_000)} minutes`,
);
process.exitCode = complaints.length === 0 ? 0 : 1;

async function withBench(mix: Mix, work: (bench: Bench) => Promise<void>): Promise<void> {
  progress(`starting ${guests} ${mix} guests`);
  await using lab = await openLab();
  const herd = await startHerd(lab, { guests, counts: countsFor(guests), mix });
  await work(new Bench(herd, flags));
}

async function repeated(bench: Bench, row: Row): Promise<void> {
  for (let i = 1; i <= row.repeats; i += 1) {
    const name = row.repeats === 1 ? rowName(row) : `${rowName(row)}, ${i} of ${row.repeats}`;
    const begun = Date.now();
    const result = await runRow(bench, row, { scrapes, failFast: values['fail-fast'] }).catch(
      (error: unknown) => failedRow(row, error),
    );
    results.push(result);
    const verdict = result.complaints[0] ?? 'ok';
    progress(`${name}: ${verdict} (${Math.round((Date.now() - begun) / 1000)} s)`);
    complaints.push(...result.complaints.slice(0, 3).map((one) => `${name}: ${one}`));
  }
}

async function restarts(bench: Bench): Promise<void> {
  const count = Math.ceil(guests / 2);
  progress(`restarting the exporter while ${count} guests hang`);
  const result = await runRestarts(bench, count);
  report.push(
    `Exporter killed and restarted ${result.occupied.length} times while ${count} guests hang: ` +
      `occupied because of us ${result.occupied.join(', ')}, at most ${result.mostOccupied}.`,
  );
  complaints.push(...result.complaints);
}

async function besidePeer(bench: Bench): Promise<void> {
  await installPeerExporter();
  const runs = Math.ceil(repeats / 2);
  progress(`beside the peer, ${runs} runs each`);
  const { alone, withOurs, complaints: worse } = await runBesidePeer(bench, runs);
  const line = (name: string, figure: Figure): readonly string[] => [
    name,
    `${figure.slow} of ${figure.calls}`,
    figure.slowestMs.toFixed(0),
    figure.workers.join(' '),
  ];
  report.push(
    markdownTable(
      ['fresh daemon, 6 guests stopped', 'virsh > 1 s', 'slowest, ms', 'workers at the end'],
      [line('peer alone', alone), line('peer and ours', withOurs)],
    ),
  );
  complaints.push(...worse);
}

async function sickDaemon(): Promise<void> {
  progress(`a daemon that is slow, stopped and restarted in turn, for ${minutes} minutes`);
  const result = await runSickDaemon({ guests: Math.min(guests, 20), minutes });
  report.push(
    markdownTable(
      ['daemon', 'scrapes', 'slowest, ms', 'most calls owed', 'owed', 'clients', 'open files'],
      result.phases.map((phase) => [
        phase.sickness,
        String(phase.scrapes),
        phase.slowestMs.toFixed(0),
        String(phase.mostOwed),
        ...[phase.owed, phase.clients, phase.files].map(String),
      ]),
    ),
  );
  complaints.push(...result.complaints);
}

function headings(): readonly string[] {
  return [
    'case',
    'runs',
    'hung',
    'slowest scrape, ms',
    'healthy complete',
    'marked',
    'not asked, last scrape',
    'virsh, ms',
    'workers',
    'owed',
    'verdict',
  ];
}

/** One line per case, with the worst of its runs. */
function cells(all: readonly RowResult[]): readonly (readonly string[])[] {
  return [...Map.groupBy(all, ({ row }) => rowName(row)).values()].map((runs) => {
    const [first] = runs;
    if (first === undefined) throw new Error('a group has a member');
    const { row } = first;
    const failed = runs.filter((run) => run.complaints.length > 0).length;
    const most = (value: (run: RowResult) => number) => Math.max(...runs.map(value)).toFixed(0);
    const least = (value: (run: RowResult) => number) => Math.min(...runs.map(value)).toFixed(0);
    return [
      rowName(row),
      String(runs.length),
      most((run) => run.hung),
      most((run) => run.slowestMs),
      `${least((run) => run.complete)}/${guests - row.count}`,
      `${least((run) => run.marked)}/${row.count}`,
      first.reasons,
      most((run) => run.othersMs),
      [...new Set(runs.map((run) => run.workers))].join(' '),
      most((run) => run.owedAtEnd),
      failed === 0 ? 'ok' : `FAILED ${failed}`,
    ];
  });
}

function progress(message: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${message}`);
}
