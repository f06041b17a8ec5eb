/**
 * `npm run bench:rules`: what the rule pack costs a Prometheus. A synthetic fleet is written into
 * a database, a real Prometheus evaluates the rules over it, and says how long each group took. Ends
 * with 1 when the whole pack takes longer than the bar.
 *
 *     npm run bench:rules -- --hosts 50 --guests 40 --evaluations 3
 */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { ALERTS_FILE, RECORDING_FILE } from '../../rules/tool/files.ts';
import { printBars } from '../../test/support/measure/bar.ts';
import { integerFlag } from '../../test/support/measure/integer-flag.ts';
import { describeMachine } from '../../test/support/measure/machine.ts';
import { markdownTable } from '../../test/support/measure/table.ts';
import { fleetSeries, type FleetSize } from './fleet.ts';
import { backfill, RulePrometheus, type EvaluatedGroup } from './prometheus.ts';

const MAX_PACK_SECONDS = 1.5;
const LARGE_FLEET_HOSTS = 1000;
const SLOWEST_SHOWN = 10;

const SCRAPE_INTERVAL_SECONDS = 30;
/** What the rules look back on: five and ten minutes, and hours for filesystems only. */
const HISTORY_SECONDS = 720;
const FILESYSTEM_HISTORY_SECONDS = 6 * 3600;
/** The database must end about now: Prometheus takes no new samples before its end. */
const SECONDS_PER_THOUSAND_SERIES = 0.6;
const POLL_MS = 1000;
const EVALUATION_TIMEOUT_MS = 300_000;

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '50' },
    guests: { type: 'string', default: '40' },
    evaluations: { type: 'string', default: '3' },
  },
});
const size: FleetSize = {
  hosts: integerFlag('hosts', values.hosts, 1, 2000),
  guestsPerHost: integerFlag('guests', values.guests, 1, 1000),
};
const evaluations = integerFlag('evaluations', values.evaluations, 3);

const machine = await describeMachine({ Prometheus: ['prometheus', '--version'] });
const folder = await mkdtemp(join(tmpdir(), 'kvm-rules-bench-'));
try {
  const database = join(folder, 'data');
  const series = await fillDatabase(database);
  await using prometheus = await RulePrometheus.start(folder, database, [
    RECORDING_FILE,
    ALERTS_FILE,
  ]);
  const { rounds, cpuSeconds } = await evaluated(prometheus);
  const active = await prometheus.value('count(ALERTS)');
  const recorded = await prometheus.value('count({__name__=~".+:.+"})');
  const groups = medians(rounds);
  const total = groups.reduce((sum, { seconds }) => sum + seconds, 0);
  const perHost = total / size.hosts;
  console.log(`${machine}
- hosts: ${size.hosts}, guests on each: ${size.guestsPerHost}
- series the rules read: ${series}, recorded: ${recorded}, alerts pending or firing: ${active}
- evaluations: ${rounds.length}, every 15 s; times are medians
- CPU time of Prometheus per evaluation of all groups: ${(cpuSeconds * 1000).toFixed(0)} ms
`);
  console.log(tableOf(groups, total));
  console.log(`\n${slowestRules(groups)}`);
  console.log(
    `\n${LARGE_FLEET_HOSTS} hosts, extrapolated: ${(perHost * LARGE_FLEET_HOSTS).toFixed(1)} s per evaluation`,
  );
  const errors = [...new Set(groups.flatMap((group) => group.errors))];
  for (const error of errors) console.log(`rule error: ${error}`);
  const holds = printBars([
    {
      what: 'the whole pack',
      measured: total,
      limit: MAX_PACK_SECONDS,
      unit: ' s',
      kind: 'at-most',
    },
    { what: 'rules with errors', measured: errors.length, limit: 0, unit: '', kind: 'at-most' },
  ]);
  process.exitCode = holds ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** @returns how many series there are. */
async function fillDatabase(database: string): Promise<number> {
  const started = Math.floor(Date.now() / 1000);
  const total =
    [...fleetSeries({ hosts: 1, guestsPerHost: size.guestsPerHost })].length * size.hosts;
  const end = started + Math.ceil((total / 1000) * SECONDS_PER_THOUSAND_SERIES);
  const file = join(folder, 'fleet.om');
  console.error(`writing ${total} series ...`);
  await writeOpenMetrics(file, end);
  await backfill(file, database);
  await rm(file);
  const late = Math.floor(Date.now() / 1000) - end;
  console.error(late > 0 ? `samples end ${late} s ago` : `samples end in ${-late} s`);
  await sleep(Math.max(0, -late) * 1000);
  return total;
}

async function writeOpenMetrics(file: string, end: number): Promise<void> {
  const stream = createWriteStream(file);
  const write = async (text: string): Promise<void> => {
    if (!stream.write(text)) {
      await new Promise<void>((resolve) => {
        stream.once('drain', resolve);
      });
    }
  };
  for (const { name, labels, valueAt } of fleetSeries(size)) {
    const history =
      name === 'kvm_filesystem_avail_bytes' ? FILESYSTEM_HISTORY_SECONDS : HISTORY_SECONDS;
    const lines: string[] = [];
    for (let time = end - history; time <= end; time += SCRAPE_INTERVAL_SECONDS) {
      lines.push(`${name}${labels} ${valueAt(time)} ${time}\n`);
    }
    await write(lines.join(''));
  }
  await write('# EOF\n');
  await new Promise<void>((resolve) => {
    stream.end(resolve);
  });
}

/** The groups after each of the evaluations, once all of them have been evaluated that often. */
async function evaluated(prometheus: RulePrometheus): Promise<{
  readonly rounds: readonly (readonly EvaluatedGroup[])[];
  /** Of one round. Waiting for a busy machine is not in it, unlike in the times of the groups. */
  readonly cpuSeconds: number;
}> {
  const rounds = new Map<string, EvaluatedGroup[]>();
  const deadline = Date.now() + EVALUATION_TIMEOUT_MS;
  let first: { readonly rounds: number; readonly cpuSeconds: number } | undefined;
  for (;;) {
    for (const group of await prometheus.groups()) {
      const known = rounds.get(group.name) ?? [];
      rounds.set(group.name, known);
      // Never evaluated: the year 1.
      if (group.evaluatedAt.startsWith('0001')) continue;
      if (known.at(-1)?.evaluatedAt !== group.evaluatedAt) known.push(group);
    }
    const all = [...rounds.values()];
    const fewest = Math.min(...all.map(({ length }) => length));
    // The first evaluation reads blocks from disk and finds no recorded series yet.
    if (all.length > 0 && fewest >= 1) {
      first ??= { rounds: roundsOf(all), cpuSeconds: prometheus.cpuSeconds() };
    }
    if (first !== undefined && fewest > evaluations) {
      return {
        rounds: Array.from({ length: evaluations }, (_one, index) =>
          all.flatMap((group) => group[index + 1] ?? []),
        ),
        cpuSeconds: (prometheus.cpuSeconds() - first.cpuSeconds) / (roundsOf(all) - first.rounds),
      };
    }
    if (Date.now() > deadline) throw new Error('Prometheus does not evaluate the rules');
    await sleep(POLL_MS);
  }
}

/** How often a group was evaluated, on average. */
function roundsOf(groups: readonly (readonly EvaluatedGroup[])[]): number {
  return groups.reduce((sum, { length }) => sum + length, 0) / groups.length;
}

function slowestRules(groups: readonly EvaluatedGroup[]): string {
  const rules = groups
    .flatMap((group) => group.rules)
    .toSorted((one, other) => other.seconds - one.seconds)
    .slice(0, SLOWEST_SHOWN);
  return markdownTable(
    ['slowest rules', 'evaluation, ms'],
    rules.map(({ name, seconds }) => [name, milliseconds(seconds)]),
  );
}

function medians(rounds: readonly (readonly EvaluatedGroup[])[]): readonly EvaluatedGroup[] {
  const byName = Map.groupBy(rounds.flat(), ({ name }) => name);
  return [...byName.values()].flatMap((groups) => {
    const sorted = groups.toSorted((one, other) => one.seconds - other.seconds);
    return sorted[Math.floor(sorted.length / 2)] ?? [];
  });
}

function tableOf(groups: readonly EvaluatedGroup[], total: number): string {
  const rows = groups
    .toSorted((one, other) => other.seconds - one.seconds)
    .map(({ name, rules, seconds }) => [name, String(rules.length), milliseconds(seconds)]);
  const rules = groups.reduce((sum, group) => sum + group.rules.length, 0);
  return markdownTable(
    ['group', 'rules', 'evaluation, ms'],
    [...rows, ['all', String(rules), milliseconds(total)]],
  );
}

function milliseconds(seconds: number): string {
  return (seconds * 1000).toFixed(1);
}
