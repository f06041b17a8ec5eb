import type { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  cpuSeconds,
  familyCpuSeconds,
  peakResidentBytes,
} from '../../test/support/measure/process-usage.ts';
import { scrape } from '../../test/support/measure/scrape.ts';
import { countSeries } from '../../test/support/measure/series.ts';
import { mean, median } from '../../test/support/measure/statistics.ts';

/** What one exporter took for its scrapes. */
export interface ContestantResult {
  readonly wallSeconds: number;
  readonly fastestSeconds: number;
  readonly slowestSeconds: number;
  readonly series: number;
  readonly seriesPerGuest: number;
  readonly cpuSeconds: number;
  readonly daemonCpuSeconds: number;
  readonly peakResidentBytes: number;
}

interface ScrapeCost {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly daemonCpuSeconds: number;
}

/** libvirtd does some work after its answer has arrived. */
const SETTLE_MS = 200;

/** An exporter that runs beside another on the same libvirtd. */
export class Contestant {
  readonly #url: string;
  readonly #pid: number;
  readonly #daemonPid: number;
  readonly #agent: Agent;
  readonly #costs: ScrapeCost[] = [];
  #lastText = '';

  constructor(options: {
    readonly url: string;
    readonly pid: number;
    readonly daemonPid: number;
    readonly agent: Agent;
  }) {
    this.#url = options.url;
    this.#pid = options.pid;
    this.#daemonPid = options.daemonPid;
    this.#agent = options.agent;
  }

  /** A scrape that does not count. */
  async warmUp(): Promise<void> {
    await scrape(this.#url, this.#agent);
  }

  async scrape(): Promise<void> {
    const before = familyCpuSeconds(this.#pid);
    const daemonBefore = cpuSeconds(this.#daemonPid);
    const { seconds, text } = await scrape(this.#url, this.#agent);
    await sleep(SETTLE_MS);
    this.#lastText = text;
    this.#costs.push({
      wallSeconds: seconds,
      cpuSeconds: familyCpuSeconds(this.#pid) - before,
      daemonCpuSeconds: cpuSeconds(this.#daemonPid) - daemonBefore,
    });
  }

  /** @throws Error when a guest is missing from the last scrape: then it was too quick. */
  result(guests: readonly string[]): ContestantResult {
    const { total, byGuest } = countSeries(this.#lastText, guests);
    const missing = guests.filter((guest) => (byGuest.get(guest) ?? 0) === 0);
    if (missing.length > 0) throw new Error(`${this.#url} has nothing of ${missing.join(', ')}`);
    const walls = this.#costs.map((cost) => cost.wallSeconds);
    return {
      wallSeconds: median(walls),
      fastestSeconds: Math.min(...walls),
      slowestSeconds: Math.max(...walls),
      series: total,
      seriesPerGuest: median([...byGuest.values()]),
      cpuSeconds: mean(this.#costs.map((cost) => cost.cpuSeconds)),
      daemonCpuSeconds: mean(this.#costs.map((cost) => cost.daemonCpuSeconds)),
      peakResidentBytes: peakResidentBytes(this.#pid),
    };
  }
}
