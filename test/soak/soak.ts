import { setTimeout as sleep } from 'node:timers/promises';

import { startProbed } from '../support/fake-host/exporter-process.ts';
import { makeFakeHost } from '../support/fake-host/fake-host.ts';
import type { Run } from './judge.ts';
import { observe, SCRAPE_TIMEOUT_SECONDS } from './observe.ts';
import { Population } from './population.ts';
import { RestartingDaemon } from './restarting-daemon.ts';

const HEAP_PROBE = new URL('./heap-probe.ts', import.meta.url);
/** Ten guests come and go per second. */
const TICK_MS = 100;
const RESTART_INTERVAL_MS = 60_000;
/** A libvirtd that is restarted by a package update is away for as long. */
const AWAY_MS = 1_000;
/** More than the longest wait before the exporter tries again, and a scrape begun before that. */
const SETTLED_MS = 10_000;
const MIN_SAMPLE_SECONDS = 3;
const MAX_SAMPLE_SECONDS = 20;

/** Runs the exporter on a made-up host where everything comes and goes. */
export async function soak(minutes: number, guests: number): Promise<Run> {
  using host = makeFakeHost(guests);
  const population = new Population(host);
  await using daemon = new RestartingDaemon(`${host.directory}/daemon`, host.images);
  await daemon.start(() => population.everything());
  await using exporter = await startProbed(
    HEAP_PROBE,
    [
      `--libvirt.uri=${daemon.uri}`,
      `--path.procfs=${host.procfs}`,
      `--path.sysfs=${host.sysfs}`,
      `--scrape.timeout=${SCRAPE_TIMEOUT_SECONDS}s`,
    ],
    [],
    host.directory,
  );
  const stop = new AbortController();
  const life = live(population, daemon, stop.signal);
  const restarts = restartEveryMinute(population, daemon, stop.signal);
  try {
    const sampleSeconds = Math.min(
      MAX_SAMPLE_SECONDS,
      Math.max(MIN_SAMPLE_SECONDS, (minutes * 60) / 90),
    );
    const observation = await Promise.race([
      observe(exporter, population, () => daemon.isUpSince(SETTLED_MS), minutes, sampleSeconds),
      // A host where nothing happens any more keeps no exporter busy.
      neverDone(life),
      neverDone(restarts),
    ]);
    return {
      ...observation,
      minutes,
      guestsCame: population.came,
      restarts: daemon.restarts,
      log: exporter.log(),
    };
  } finally {
    stop.abort();
    await Promise.allSettled([life, restarts]);
  }
}

/** Guests come and go whether or not the daemon runs. */
async function live(
  population: Population,
  daemon: RestartingDaemon,
  stop: AbortSignal,
): Promise<void> {
  let next = performance.now();
  while (!stop.aborted) {
    daemon.tell(population.tick());
    next += TICK_MS;
    await sleep(Math.max(0, next - performance.now()));
  }
}

async function restartEveryMinute(
  population: Population,
  daemon: RestartingDaemon,
  stop: AbortSignal,
): Promise<void> {
  // In the middle of each minute, so that the shortest run has one.
  await pause(RESTART_INTERVAL_MS / 2, stop);
  for (let count = 0; !stop.aborted; count += 1) {
    await daemon.stop(count % 2 === 0 ? 'killed' : 'clean');
    await pause(AWAY_MS, stop);
    await daemon.start(() => population.everything());
    await pause(RESTART_INTERVAL_MS - AWAY_MS, stop);
  }
}

/** Only rejects, when what should go on does. */
async function neverDone(going: Promise<void>): Promise<never> {
  await going;
  return new Promise<never>(() => undefined);
}

async function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal: stop }).catch((error: unknown) => {
    if (!stop.aborted) throw error;
  });
}
