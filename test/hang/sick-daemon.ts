import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { eventually, openLab, type Lab, type LabExporter } from '../../lab/index.ts';
import { connectedClients } from '../support/daemon-admin.ts';
import { hostFamilies, isComplete, keepBusy, MOST_CALLS } from '../support/hang/sick-daemon.ts';
import { TIMEOUT_SECONDS } from '../support/hang/run-row.ts';
import { openFiles } from '../support/process-readings.ts';
import { scrape } from '../support/scrape.ts';
import { slowProxy, type SlowProxy } from '../support/slow-proxy.ts';

const SICKNESSES = ['slow', 'stopped', 'restarted under load'] as const;
type Sickness = (typeof SICKNESSES)[number];
const PHASE_SECONDS = 60;
const PAUSE_MS = 1000;
const REPLY_DELAY_MS = 3000;
const RESTART_EVERY_MS = 15_000;
const BUSY_CLIENTS = 4;
const RECOVERY_MS = 60_000;

/** What one minute of trouble showed, and what it left behind. */
interface SickPhase {
  readonly sickness: Sickness;
  readonly scrapes: number;
  readonly slowestMs: number;
  readonly mostOwed: number;
  /** Once all guests were complete again. */
  readonly owed: number;
  readonly clients: number;
  readonly files: number;
}

export interface SickDaemonResult {
  readonly phases: readonly SickPhase[];
  readonly complaints: readonly string[];
}

/**
 * A daemon that answers each call after three seconds, is stopped, and is restarted while others keep
 * it busy, in turn: every scrape is in time with the host complete, and nothing piles up.
 */
export async function runSickDaemon(size: {
  readonly guests: number;
  readonly minutes: number;
}): Promise<SickDaemonResult> {
  await using lab = await openLab();
  const guests = Array.from({ length: size.guests }, (_, i) => `sick-${i}`);
  await lab.startGuests(
    guests.map((name) => ({
      name,
      os: 'none' as const,
      paused: true,
      disks: [{ source: { kind: 'new' as const, format: 'raw' as const, sizeMib: 8 } }],
    })),
  );
  await using proxy = await slowProxy(join(lab.directory.sockets, 'slow'), lab.sockets.readOnly);
  const uri = `qemu+unix:///system?socket=${proxy.path}`;
  const exporter = await lab.exporter({ flags: [`--libvirt.uri=${uri}`] });
  const bench = new SickBench({ lab, proxy, exporter, guests });
  await bench.settle();
  const end = performance.now() + size.minutes * 60_000;
  for (let i = 0; performance.now() < end; i += 1) {
    await bench.run(SICKNESSES[i % SICKNESSES.length] ?? 'slow');
  }
  return { phases: bench.phases, complaints: bench.complaints() };
}

interface SickParts {
  readonly lab: Lab;
  readonly proxy: SlowProxy;
  readonly exporter: LabExporter;
  readonly guests: readonly string[];
}

class SickBench {
  readonly phases: SickPhase[] = [];
  readonly #complaints: string[] = [];
  #before: ReadonlySet<string> = new Set();
  #filesBefore = 0;
  #clientsBefore = 0;

  readonly #parts: SickParts;

  constructor(parts: SickParts) {
    this.#parts = parts;
  }

  /** Notes what a sound daemon's scrape has, and what is open then. */
  async settle(): Promise<void> {
    await this.#recovered();
    this.#before = hostFamilies(await this.#scrape());
    this.#filesBefore = openFiles(this.#parts.exporter.pid).length;
    this.#clientsBefore = await connectedClients(this.#parts.lab);
  }

  complaints(): readonly string[] {
    return this.#complaints;
  }

  async run(sickness: Sickness): Promise<void> {
    const ended = new AbortController();
    const trouble = this.#inflict(sickness, ended.signal);
    const end = performance.now() + PHASE_SECONDS * 1000;
    let scrapes = 0;
    let slowestMs = 0;
    let mostOwed = 0;
    while (performance.now() < end) {
      const from = performance.now();
      const scraped = await this.#scrape();
      slowestMs = Math.max(slowestMs, performance.now() - from);
      scrapes += 1;
      mostOwed = Math.max(mostOwed, scraped.value('kvm_exporter_libvirt_outstanding_calls'));
      const missing = this.#before.difference(hostFamilies(scraped));
      if (missing.size > 0) this.#complain(`${sickness}: without ${[...missing].join(', ')}`);
      await sleep(PAUSE_MS);
    }
    ended.abort();
    await trouble;
    if (slowestMs > TIMEOUT_SECONDS * 1000)
      this.#complain(`${sickness}: a scrape of ${slowestMs} ms`);
    if (mostOwed > MOST_CALLS) this.#complain(`${sickness}: ${mostOwed} calls owed at a time`);
    await this.#recovered();
    const owed = (await this.#scrape()).value('kvm_exporter_libvirt_outstanding_calls');
    const clients = await connectedClients(this.#parts.lab);
    const files = openFiles(this.#parts.exporter.pid).length;
    if (clients > this.#clientsBefore) this.#complain(`${sickness}: ${clients} clients left`);
    if (files > this.#filesBefore) this.#complain(`${sickness}: ${files} files left open`);
    this.phases.push({ sickness, scrapes, slowestMs, mostOwed, owed, clients, files });
  }

  async #inflict(sickness: Sickness, ended: AbortSignal): Promise<void> {
    switch (sickness) {
      case 'slow':
        this.#parts.proxy.delay(REPLY_DELAY_MS);
        await aborted(ended);
        {
          this.#parts.proxy.delay(0);
          return;
        }
      case 'stopped':
        this.#parts.lab.pause(this.#parts.lab.daemonPid());
        await aborted(ended);
        {
          this.#parts.lab.resume(this.#parts.lab.daemonPid());
          return;
        }
      case 'restarted under load':
        return this.#restart(ended);
    }
  }

  async #restart(ended: AbortSignal): Promise<void> {
    const load = Array.from({ length: BUSY_CLIENTS }, () => keepBusy(this.#parts.lab, ended));
    for (let i = 0; !ended.aborted; i += 1) {
      await this.#parts.lab.killDaemon(i % 2 === 0 ? 'SIGKILL' : 'SIGTERM');
      await this.#parts.lab.startDaemon();
      await sleep(RESTART_EVERY_MS, undefined, { signal: ended }).catch(() => undefined);
    }
    await Promise.all(load);
  }

  /** Until every guest is complete and nothing is owed; what is left open then is a leak. */
  async #recovered(): Promise<void> {
    await eventually('all guests are complete and nothing is owed', RECOVERY_MS, async () => {
      const scraped = await this.#scrape();
      return (
        isComplete(scraped, this.#parts.guests) &&
        scraped.value('kvm_exporter_libvirt_outstanding_calls') === 0
      );
    });
    if (this.#filesBefore === 0) return;
    await eventually(
      'no more connections and files than before',
      RECOVERY_MS,
      async () =>
        (await connectedClients(this.#parts.lab)) <= this.#clientsBefore &&
        openFiles(this.#parts.exporter.pid).length <= this.#filesBefore,
    ).catch(() => undefined);
  }

  #scrape() {
    return scrape(this.#parts.exporter, { timeoutSeconds: TIMEOUT_SECONDS });
  }

  #complain(what: string): void {
    if (!this.#complaints.includes(what)) this.#complaints.push(what);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener(
      'abort',
      () => {
        resolve();
      },
      { once: true },
    );
  });
}
