import { setTimeout as sleep } from 'node:timers/promises';

import { eventually, type Lab, type LabExporter } from '../../../lab/index.ts';
import { daemonWorkers, growWorkers } from '../daemon-admin.ts';
import { inflict } from './faults.ts';
import type { Herd } from './guests.ts';
import { baselineOf, judge, judgeRecovered, type Baseline } from './judge.ts';
import { get } from '../http.ts';
import { Exposition } from '../prometheus-text.ts';
import { rowName, type DaemonState, type Row } from './row.ts';

export const TIMEOUT_SECONDS = 5;
const PAUSE_MS = 300;
/** As often as was scraped when it was measured what this is about. */
const SCRAPES_BEFORE = 3;
const WARM_WORKERS = 12;
/** Scrapes after which others than we try the daemon. */
const OTHERS_AFTER = [2, 10, 20];
const OTHERS_LIMIT_MS = 1000;
const OTHERS = [['list'], ['domstats', '--state', '--nowait']] as const;
const COMPLETE_WITHIN_MS = 60_000;

/** What was seen in one run of a row. */
export interface RowResult {
  readonly row: Row;
  readonly complaints: readonly string[];
  readonly scrapes: number;
  readonly slowestMs: number;
  /** Of the guests with the fault, those that answered nobody. */
  readonly hung: number;
  /** Fewest in any scrape but the first. */
  readonly complete: number;
  readonly marked: number;
  readonly reasons: string;
  readonly othersMs: number;
  readonly workers: string;
  readonly owedAtEnd: number;
}

/** Lab, exporter and guests that rows are run on. */
export class Bench {
  readonly herd: Herd;
  readonly #flags: readonly string[];
  #exporter: LabExporter | undefined;

  constructor(herd: Herd, flags: readonly string[] = []) {
    this.herd = herd;
    this.#flags = flags;
  }

  get lab(): Lab {
    return this.herd.lab;
  }

  get exporter(): LabExporter {
    if (this.#exporter === undefined) throw new Error('no exporter yet');
    return this.#exporter;
  }

  /** Restarts daemon and exporter, or makes sure that both have been running. */
  async prepare(daemon: DaemonState): Promise<Baseline> {
    if (daemon === 'fresh') {
      await this.stopExporter();
      await this.restartDaemon();
    } else {
      await growWorkers(this.lab, WARM_WORKERS);
    }
    if (this.#exporter === undefined) await this.startExporter();
    return this.baseline();
  }

  async startExporter(): Promise<void> {
    this.#exporter = await this.lab.exporter({ flags: this.#flags });
  }

  async stopExporter(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#exporter?.process.stop(signal);
    this.#exporter = undefined;
  }

  /** The guests run on; waits until the daemon has found them all. */
  async restartDaemon(): Promise<void> {
    await this.lab.killDaemon('SIGTERM');
    await this.lab.startDaemon();
    await eventually('libvirtd has found its guests', 60_000, async () => {
      const names = (await this.lab.virsh('list', '--name')).split('\n').filter(Boolean);
      return names.length === this.herd.names.length;
    });
  }

  /** What a scrape shows once three in a row have all guests complete. */
  async baseline(): Promise<Baseline> {
    let inARow = 0;
    let incomplete: readonly string[] = [];
    return eventually(
      'three complete scrapes in a row',
      COMPLETE_WITHIN_MS,
      async () => {
        const scraped = Exposition.parse((await this.scrape()).text);
        incomplete = this.herd.names.filter((domain) => !isComplete(scraped, domain));
        inARow = incomplete.length === 0 ? inARow + 1 : 0;
        await sleep(PAUSE_MS);
        return inARow >= SCRAPES_BEFORE && baselineOf(scraped);
      },
      () => `incomplete: ${incomplete.join(', ')}`,
    );
  }

  /** One scrape as Prometheus with a timeout of 5 s; does not throw for being late. */
  async scrape(): Promise<{ readonly text: string; readonly ms: number; readonly status: number }> {
    const answer = await get(`${this.exporter.url}/metrics`, {
      'X-Prometheus-Scrape-Timeout-Seconds': String(TIMEOUT_SECONDS),
    });
    return { text: answer.body.toString(), ms: answer.milliseconds, status: answer.status };
  }

  async owed(): Promise<number> {
    const scraped = Exposition.parse((await this.scrape()).text);
    return scraped.value('kvm_exporter_libvirt_outstanding_calls');
  }
}

function isComplete(scraped: Exposition, domain: string): boolean {
  return (
    scraped.all('kvm_domain_disk_read_bytes_total', { domain }).length === 2 &&
    scraped.has('kvm_domain_balloon_current_bytes', { domain }) &&
    scraped.all('kvm_domain_monitor_responsive', { domain })[0]?.value === 1
  );
}

/** Time that each thing others ask of the daemon takes, in milliseconds; 10 s when it never ends. */
export async function timeOthers(lab: Lab): Promise<readonly { what: string; ms: number }[]> {
  const times: { what: string; ms: number }[] = [];
  for (const words of OTHERS) {
    const from = performance.now();
    await lab.programs.attempt('virsh', ['-r', '-q', '-c', lab.sockets.readOnlyUri, ...words], {
      timeoutMs: 10_000,
    });
    times.push({ what: `virsh -r ${words.join(' ')}`, ms: performance.now() - from });
  }
  return times;
}

export async function runRow(
  bench: Bench,
  row: Row,
  options: { readonly scrapes: number; readonly failFast: boolean },
): Promise<RowResult> {
  const { lab, herd } = bench;
  const baseline = await bench.prepare(row.daemon);
  const workersBefore = await daemonWorkers(lab);
  const complaints: string[] = [];
  const seen = { slowestMs: 0, othersMs: 0, complete: Infinity, marked: Infinity, scrapes: 0 };
  let reasons: ReadonlyMap<string, number> = new Map();
  const afflicted = new Set(herd.names.slice(0, row.count));
  const inflicted = await inflict(herd, row.fault, row.count);
  try {
    for (let round = 1; round <= options.scrapes; round += 1) {
      const { text, ms, status } = await bench.scrape();
      seen.scrapes = round;
      seen.slowestMs = Math.max(seen.slowestMs, ms);
      const at = `scrape ${round}`;
      if (status !== 200 || ms >= TIMEOUT_SECONDS * 1000) {
        complaints.push(`${at}: status ${status} after ${Math.round(ms)} ms`);
      }
      const fault = { kind: row.fault, afflicted, hung: inflicted.hung };
      const judgement = judge(baseline, Exposition.parse(text), fault, round === 1);
      complaints.push(...shortened(judgement.complaints).map((one) => `${at}: ${one}`));
      if (round > 1) {
        seen.complete = Math.min(seen.complete, judgement.complete);
        seen.marked = Math.min(seen.marked, judgement.marked);
        reasons = judgement.reasons;
      }
      if (OTHERS_AFTER.includes(round)) {
        for (const { what, ms: took } of await timeOthers(lab)) {
          seen.othersMs = Math.max(seen.othersMs, took);
          if (took >= OTHERS_LIMIT_MS) {
            complaints.push(`${what} after scrape ${round}: ${Math.round(took)} ms`);
          }
        }
      }
      if (options.failFast && complaints.length > 0) break;
      await sleep(PAUSE_MS);
    }
  } finally {
    await inflicted.release();
  }
  const workersAfter = await daemonWorkers(lab);
  complaints.push(...(await recoveryComplaints(bench, baseline)));
  const owedAtEnd = await settled(bench);
  if (owedAtEnd > 0) complaints.push(`${owedAtEnd} calls owed at the end`);
  return {
    row,
    complaints,
    ...seen,
    hung: inflicted.hung.size,
    reasons: [...reasons].map(([reason, count]) => `${count} ${reason}`).join(', '),
    workers: `${workersBefore}→${workersAfter}`,
    owedAtEnd,
  };
}

/** Prometheus would come no sooner than once a second; the second scrape must be complete. */
async function recoveryComplaints(bench: Bench, baseline: Baseline): Promise<readonly string[]> {
  await sleep(1000);
  await bench.scrape();
  await sleep(1000);
  const { text } = await bench.scrape();
  const late = judgeRecovered(baseline, Exposition.parse(text));
  return shortened(late).map((one) => `two scrapes after release: ${one}`);
}

async function settled(bench: Bench): Promise<number> {
  const deadline = Date.now() + 10_000;
  let owed = await bench.owed();
  while (owed > 0 && Date.now() < deadline) {
    await sleep(PAUSE_MS);
    owed = await bench.owed();
  }
  return owed;
}

/** Sixty guests may complain of the same; the first says what it is. */
function shortened(complaints: readonly string[]): readonly string[] {
  const [first, ...more] = complaints;
  if (first === undefined) return [];
  return more.length === 0 ? [first] : [`${first} (and ${more.length} more)`];
}

export function failedRow(row: Row, error: unknown): RowResult {
  return {
    row,
    complaints: [`${rowName(row)}: ${String(error)}`],
    ...{ scrapes: 0, slowestMs: NaN, hung: NaN, complete: NaN, marked: NaN, othersMs: NaN },
    ...{ reasons: '', workers: '', owedAtEnd: NaN },
  };
}
