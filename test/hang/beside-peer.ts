import { setTimeout as sleep } from 'node:timers/promises';

import { eventually, type LabProcess } from '../../lab/index.ts';
import { daemonWorkers } from '../support/daemon-admin.ts';
import { inflict } from '../support/hang/faults.ts';
import { get } from '../support/http.ts';
import { startPeerExporter } from '../support/peer-exporter.ts';
import { timeOthers, type Bench } from '../support/hang/run-row.ts';

const STOPPED = 6;
const SCRAPES_BEFORE = 3;
const ROUNDS = 8;
const PAUSE_MS = 1000;
const SLOW_MS = 1000;

/** How others fared. */
export interface Figure {
  readonly calls: number;
  readonly slow: number;
  readonly slowestMs: number;
  /** Workers of the daemon at the end of each run. */
  readonly workers: readonly number[];
}

export interface BesideResult {
  readonly alone: Figure;
  readonly withOurs: Figure;
  readonly complaints: readonly string[];
}

/**
 * Debian's exporter on a fresh daemon with 6 guests stopped, without and with ours beside it: how
 * often does virsh take more than a second? The two take turns, so that both see the same machine.
 */
export async function runBesidePeer(bench: Bench, repeats: number): Promise<BesideResult> {
  const alone: Run[] = [];
  const withOurs: Run[] = [];
  for (let i = 0; i < repeats; i += 1) {
    alone.push(await once(bench, false));
    withOurs.push(await once(bench, true));
  }
  const figures = { alone: figureOf(alone), withOurs: figureOf(withOurs) };
  const isWorse = figures.withOurs.slow > figures.alone.slow;
  const complaints = isWorse
    ? [`virsh slow ${figures.withOurs.slow} times with ours, ${figures.alone.slow} without`]
    : [];
  return { ...figures, complaints };
}

interface Run {
  readonly times: readonly number[];
  readonly workers: number;
}

async function once(bench: Bench, withOurs: boolean): Promise<Run> {
  const { lab } = bench;
  await bench.stopExporter();
  await bench.restartDaemon();
  const peer = await startPeerExporter(lab);
  try {
    await eventually('the peer is connected', 30_000, async () => {
      return (await ask(peer.url)).includes('libvirt_up 1');
    });
    if (withOurs) {
      await bench.startExporter();
      await bench.baseline();
    }
    for (let i = 0; i < SCRAPES_BEFORE; i += 1) {
      await ask(peer.url);
      if (withOurs) await bench.scrape();
    }
    return await duringFault(bench, peer, withOurs);
  } finally {
    await end(peer.process);
  }
}

async function duringFault(
  bench: Bench,
  peer: { readonly url: string; readonly process: LabProcess },
  withOurs: boolean,
): Promise<Run> {
  const inflicted = await inflict(bench.herd, 'stopped', STOPPED);
  try {
    // Asked once and never done, as Prometheus would leave it after its timeout.
    const hanging = ask(peer.url);
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      if (withOurs) await bench.scrape();
      times.push(...(await timeOthers(bench.lab)).map(({ ms }) => ms));
      await sleep(PAUSE_MS);
    }
    const workers = await daemonWorkers(bench.lab);
    await end(peer.process);
    await hanging;
    return { times, workers };
  } finally {
    await inflicted.release();
  }
}

function figureOf(runs: readonly Run[]): Figure {
  const times = runs.flatMap((run) => run.times);
  return {
    calls: times.length,
    slow: times.filter((ms) => ms > SLOW_MS).length,
    slowestMs: Math.max(...times),
    workers: runs.map((run) => run.workers),
  };
}

/** What it answers; nothing when it is not there, or killed before it could. */
async function ask(url: string): Promise<string> {
  try {
    return (await get(url)).body.toString();
  } catch {
    return '';
  }
}

async function end(process: LabProcess): Promise<void> {
  if (process.isRunning()) await process.stop('SIGKILL');
}
