import type { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { closingAgent } from '../../test/support/measure/closing-agent.ts';
import {
  anonymousBytes,
  childrenOf,
  cpuSeconds,
  familyCpuSeconds,
  peakResidentBytes,
} from '../../test/support/measure/process-usage.ts';
import { scrape } from '../../test/support/measure/scrape.ts';
import { countSeries, valueOfSeries } from '../../test/support/measure/series.ts';
import { mean, median, sum } from '../../test/support/measure/statistics.ts';
import { startDaemon } from './daemon-process.ts';
import {
  startExporter,
  type ExporterProcess,
} from '../../test/support/fake-host/exporter-process.ts';
import { makeFakeHost } from '../../test/support/fake-host/fake-host.ts';
import { touchSystemImages } from '../../test/support/fake-host/fake-images.ts';
import type { LoopReport } from '../../test/support/fake-host/loop-report.ts';

const WARM_UPS = 2;
/** A little more than the guests' balloon period, so that each scrape asks for it again. */
const INTERVAL_MS = 1_100;
const CONNECT_TIMEOUT_MS = 10_000;

export interface ScaleOptions {
  readonly guests: number;
  readonly scrapes: number;
  /** Flags for the exporter's Node, e.g. `--cpu-prof`. */
  readonly nodeFlags: readonly string[];
}

/** One warm scrape. */
interface ScrapeCost {
  readonly wallSeconds: number;
  /** Of the exporter and its file processes. */
  readonly cpuSeconds: number;
  readonly daemonCpuSeconds: number;
  readonly loop: LoopReport;
}

export interface ScaleResult {
  readonly guests: number;
  readonly series: number;
  readonly seriesPerGuest: number;
  readonly bodyBytes: number;
  readonly compressedBytes: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly daemonCpuSeconds: number;
  /** The longest of all scrapes. */
  readonly longestBlockMs: number;
  /** Median over the scrapes of each one's longest block. */
  readonly usualBlockMs: number;
  /** The longest of all scrapes, with the time other processes had the CPUs. */
  readonly longestDelayMs: number;
  readonly peakResidentBytes: number;
  /** What the exporter's file processes hold for themselves. */
  readonly fileProcessBytes: number;
  readonly firstScrapeSeconds: number;
  readonly firstScrapeBlockMs: number;
}

/** Runs the exporter on a made-up host with so many guests and scrapes it. */
export async function measureScale(options: ScaleOptions): Promise<ScaleResult> {
  using host = makeFakeHost(options.guests);
  await using daemon = await startDaemon(host);
  await using exporter = await startExporter(
    [
      `--libvirt.uri=${daemon.uri}`,
      `--path.procfs=${host.procfs}`,
      `--path.sysfs=${host.sysfs}`,
      '--scrape.timeout=60s',
    ],
    options.nodeFlags,
    host.directory,
  );
  using agent = closingAgent();
  await connected(exporter, agent);

  await exporter.loopReport();
  const first = await scrape(exporter.metricsUrl, agent);
  const firstScrapeLoop = await exporter.loopReport();
  for (let i = 1; i < WARM_UPS; i++) {
    await sleep(INTERVAL_MS);
    await scrape(exporter.metricsUrl, agent);
  }

  const costs: ScrapeCost[] = [];
  let last = first;
  for (let i = 0; i < options.scrapes; i++) {
    await sleep(INTERVAL_MS);
    touchSystemImages(host.guests);
    await exporter.loopReport();
    const exporterBefore = familyCpuSeconds(exporter.pid);
    const daemonBefore = cpuSeconds(daemon.pid);
    last = await scrape(exporter.metricsUrl, agent);
    costs.push({
      wallSeconds: last.seconds,
      cpuSeconds: familyCpuSeconds(exporter.pid) - exporterBefore,
      daemonCpuSeconds: cpuSeconds(daemon.pid) - daemonBefore,
      loop: await exporter.loopReport(),
    });
  }
  refuseIncomplete(last.text, exporter.log());
  const names = host.guests.map(({ name }) => name);
  const { total, byGuest } = countSeries(last.text, names);
  return {
    guests: options.guests,
    series: total,
    seriesPerGuest: median([...byGuest.values()]),
    bodyBytes: Buffer.byteLength(last.text),
    compressedBytes: last.bytesSent,
    wallSeconds: median(costs.map((cost) => cost.wallSeconds)),
    cpuSeconds: mean(costs.map((cost) => cost.cpuSeconds)),
    daemonCpuSeconds: mean(costs.map((cost) => cost.daemonCpuSeconds)),
    longestBlockMs: Math.max(...costs.map((cost) => cost.loop.longestBlockMs)),
    usualBlockMs: median(costs.map((cost) => cost.loop.longestBlockMs)),
    longestDelayMs: Math.max(...costs.map((cost) => cost.loop.longestDelayMs)),
    peakResidentBytes: peakResidentBytes(exporter.pid),
    fileProcessBytes: sum(childrenOf(exporter.pid).map(anonymousBytes)),
    firstScrapeSeconds: first.seconds,
    firstScrapeBlockMs: firstScrapeLoop.longestBlockMs,
  };
}

/** Waits for the libvirt connection with scrapes that collect nothing of the guests. */
async function connected(exporter: ExporterProcess, agent: Agent): Promise<void> {
  const giveUp = performance.now() + CONNECT_TIMEOUT_MS;
  while (performance.now() < giveUp) {
    const { text } = await scrape(`${exporter.metricsUrl}?collect[]=cpu`, agent);
    if (valueOfSeries(text, 'kvm_libvirt_up') === 1) return;
    await sleep(50);
  }
  throw new Error(`the exporter did not connect:\n${exporter.log()}`);
}

/** A scrape that left something out would make the numbers look good. */
function refuseIncomplete(text: string, log: string): void {
  const failed = text
    .split('\n')
    .filter((line) => /^kvm_\w*collector_success\{/.test(line) && line.endsWith(' 0'));
  if (failed.length > 0) throw new Error(`collectors failed:\n${failed.join('\n')}\n${log}`);
}
