/**
 * `npm run bench:sources`: what a scrape of ten guests costs the exporter, by the source that tells of
 * them. Guests of Proxmox VE, and QEMUs that nobody manages, are to cost no more than libvirt's. Ends with
 * 1 when a bar is missed.
 *
 *     npm run bench:sources -- --guests 10 --scrapes 20
 */
import type { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { startExporter } from '../../test/support/fake-host/exporter-process.ts';
import { printBars } from '../../test/support/measure/bar.ts';
import { closingAgent } from '../../test/support/measure/closing-agent.ts';
import { integerFlag } from '../../test/support/measure/integer-flag.ts';
import { describeMachine } from '../../test/support/measure/machine.ts';
import { familyCpuSeconds, peakResidentBytes } from '../../test/support/measure/process-usage.ts';
import { scrape } from '../../test/support/measure/scrape.ts';
import { countSeries, valueOfSeries } from '../../test/support/measure/series.ts';
import { mean, median } from '../../test/support/measure/statistics.ts';
import { markdownTable } from '../../test/support/measure/table.ts';
import { startDaemon } from '../scale/daemon-process.ts';
import { libvirtHost, processHost, proxmoxHost, type SourceHost } from './hosts.ts';

/** Costs are counted in ticks of 10 ms, and no two runs are alike. */
const MAX_RATIO = 1.1;
const WARM_UPS = 3;
/** A little more than the balloon period of libvirt's guests, so that each scrape asks for it again. */
const INTERVAL_MS = 1_100;
const PATIENCE_MS = 20_000;

const { values } = parseArgs({
  options: {
    guests: { type: 'string', default: '10' },
    scrapes: { type: 'string', default: '20' },
  },
});
const guests = integerFlag('guests', values.guests, 1, 1000);
const scrapes = integerFlag('scrapes', values.scrapes, 1);

interface Cost {
  readonly source: 'libvirt' | 'proxmox' | 'process';
  readonly series: number;
  readonly wallSeconds: number;
  /** Of the exporter and its file processes. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

console.log(`${await describeMachine()}\n`);
const costs = [
  await ofLibvirt(),
  await of('proxmox', proxmoxHost),
  await of('process', processHost),
];
const row = (name: string, write: (cost: Cost) => string): readonly string[] => [
  name,
  ...costs.map(write),
];
console.log(
  `${markdownTable(
    [`${guests} guests of`, ...costs.map(({ source }) => source)],
    [
      row('series', ({ series }) => String(series)),
      row('scrape, ms (median)', ({ wallSeconds }) => milliseconds(wallSeconds)),
      row('exporter CPU per scrape, ms', ({ cpuSeconds }) => milliseconds(cpuSeconds)),
      row('peak RSS, MB', ({ residentBytes }) => (residentBytes / 1e6).toFixed(0)),
    ],
  )}\n`,
);
const [libvirt, ...others] = costs;
process.exitCode = printBars(
  others.map(({ source, cpuSeconds }) => ({
    what: `CPU per scrape of ${guests} guests, ${source} against libvirt`,
    measured: cpuSeconds / (libvirt?.cpuSeconds ?? Number.NaN),
    limit: MAX_RATIO,
    unit: '',
    kind: 'at-most',
  })),
)
  ? 0
  : 1;

async function ofLibvirt(): Promise<Cost> {
  using known = libvirtHost(guests);
  await using daemon = await startDaemon(known.host);
  return await measure('libvirt', known, [`--libvirt.uri=${daemon.uri}`]);
}

async function of(source: Cost['source'], make: (count: number) => SourceHost): Promise<Cost> {
  using known = make(guests);
  return await measure(source, known, [`--guests.source=${source}`]);
}

async function measure(
  source: Cost['source'],
  known: SourceHost,
  flags: readonly string[],
): Promise<Cost> {
  console.error(`${guests} guests of ${source} ...`);
  await using exporter = await startExporter([...known.flags, ...flags], [], known.host.directory);
  using agent = closingAgent();
  await isWhole(source, exporter.metricsUrl, agent, () => exporter.log());
  for (let i = 0; i < WARM_UPS; i += 1) {
    known.change();
    await scrape(exporter.metricsUrl, agent);
    await sleep(INTERVAL_MS);
  }
  const taken: { readonly wallSeconds: number; readonly cpuSeconds: number }[] = [];
  let text = '';
  for (let i = 0; i < scrapes; i += 1) {
    known.change();
    const before = familyCpuSeconds(exporter.pid);
    const answer = await scrape(exporter.metricsUrl, agent);
    taken.push({
      wallSeconds: answer.seconds,
      cpuSeconds: familyCpuSeconds(exporter.pid) - before,
    });
    text = answer.text;
    await sleep(INTERVAL_MS);
  }
  refuseIncomplete(text, exporter.log());
  return {
    source,
    series: countSeries(text, []).total,
    wallSeconds: median(taken.map(({ wallSeconds }) => wallSeconds)),
    cpuSeconds: mean(taken.map(({ cpuSeconds }) => cpuSeconds)),
    residentBytes: peakResidentBytes(exporter.pid),
  };
}

/** A source that told of fewer guests would look cheap. */
async function isWhole(
  source: Cost['source'],
  url: string,
  agent: Agent,
  log: () => string,
): Promise<void> {
  const giveUp = performance.now() + PATIENCE_MS;
  for (;;) {
    const { text } = await scrape(url, agent);
    const told = valueOfSeries(text, `kvm_source_domains{source="${source}"}`);
    if (told === guests && text.includes('kvm_domain_vcpu_seconds_total{')) return;
    if (performance.now() > giveUp) {
      throw new Error(`${source} told of ${told ?? 'no'} guests of ${guests}:\n${log()}`);
    }
    await sleep(100);
  }
}

function refuseIncomplete(text: string, log: string): void {
  const failed = text
    .split('\n')
    .filter((line) => /^kvm_\w*collector_success\{/.test(line) && line.endsWith(' 0'));
  if (failed.length > 0) throw new Error(`collectors failed:\n${failed.join('\n')}\n${log}`);
}

function milliseconds(seconds: number): string {
  const value = seconds * 1000;
  return value < 10 ? value.toFixed(2) : value.toFixed(0);
}
