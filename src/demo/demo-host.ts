import type { CollectorName } from '../model/collectors.ts';
import type { Libvirt, Snapshot } from '../model/snapshot.ts';
import { OutcomeLog } from '../model/outcome-log.ts';
import type { SnapshotSources } from '../collect/snapshot-sources.ts';
import type { DomainConfig } from '../model/domain-config.ts';
import { parseDomainXml } from '../sources/domain-xml/domain-xml.ts';
import { toDomains, type ToConfig } from './guest-view.ts';
import { guestXml } from './guest-xml.ts';
import { toHost } from './host-view.ts';
import { toNetwork } from './network-view.ts';
import { Simulation } from './simulation.ts';
import { toPool, toStorage } from './storage-view.ts';

export interface DemoHostOptions {
  /** How fast the story goes; 1 takes half an hour for all phases. */
  readonly speed?: number;
  /** Unix time at which the story begins; now by default. */
  readonly startedAtSeconds?: number;
  /** Seconds since then; a clock that starts at 0 now by default. */
  readonly elapsedSeconds?: () => number;
}

/** Between scrapes the story goes on, so that a late scrape has not hours to catch up with. */
const KEEP_UP_MS = 60_000;

/**
 * The host of `--demo`, simulated: 32 guests of 1 vCPU, 1 GiB and 100 GiB on 4 cores, 16 GiB, 1 TB
 * and 1 Gbit/s, the example of Rister's talk on over-committing KVM (2012). It stands where the real host's readers stand, so
 * that arithmetic, metrics and pages are the real ones.
 */
export class DemoHost implements SnapshotSources {
  readonly #simulation: Simulation;
  readonly #startedAtSeconds: number;
  readonly #elapsedSeconds: () => number;
  readonly #configs = new Map<string, { readonly xml: string; readonly config: DomainConfig }>();
  #keepUp: NodeJS.Timeout | undefined;

  constructor(options: DemoHostOptions = {}) {
    const start = performance.now();
    this.#simulation = new Simulation(options.speed ?? 1);
    this.#startedAtSeconds = options.startedAtSeconds ?? Date.now() / 1000;
    this.#elapsedSeconds = options.elapsedSeconds ?? (() => (performance.now() - start) / 1000);
  }

  start(): void {
    this.#keepUp ??= setInterval(() => {
      this.#simulation.at(this.#elapsedSeconds());
    }, KEEP_UP_MS).unref();
  }

  close(): Promise<void> {
    clearInterval(this.#keepUp);
    this.#keepUp = undefined;
    return Promise.resolve();
  }

  collect(wanted: ReadonlySet<CollectorName>): Promise<Snapshot> {
    const log = new OutcomeLog(wanted);
    const state = this.#simulation.at(this.#elapsedSeconds());
    const moment = this.#simulation.toMoment(state);
    const startedAtSeconds = this.#startedAtSeconds;
    const domains = log.run('domain', () =>
      toDomains({ state, moment, startedAtSeconds, toConfig: this.#toConfig }, log),
    );
    return Promise.resolve({
      takenAtSeconds: startedAtSeconds + state.seconds,
      demo: true,
      host: toHost(state, startedAtSeconds, log),
      libvirt: LIBVIRT,
      guestSources: domains && {
        states: [{ name: 'libvirt', up: true, guests: domains.length }],
        userQemus: undefined,
        pvestatdAtSeconds: undefined,
      },
      domains,
      pools: log.run('pool', () => [toPool(state)]),
      storage: domains && log.run('image', () => toStorage(state)),
      network: log.run('network', () => toNetwork(state)),
      outcomes: log.outcomes(),
    });
  }

  /** As libvirt would: written as XML and parsed, once per start and per change. */
  readonly #toConfig: ToConfig = ({ guest }, id, askedBytes) => {
    const xml = guestXml(guest, id, askedBytes);
    const known = this.#configs.get(guest.uuid);
    if (known?.xml === xml) return known.config;
    const parsed = parseDomainXml(xml, guest.name);
    if (!parsed.ok) throw new Error(`demo XML of ${guest.name}: ${parsed.error.detail}`);
    this.#configs.set(guest.uuid, { xml, config: parsed.value });
    return parsed.value;
  };
}

const LIBVIRT: Libvirt = {
  up: true,
  versions: { driver: 'QEMU', libvirt: '9.0.0', hypervisor: '7.2.22', uri: 'qemu:///system' },
  calls: { outstanding: 0, stuck: 0, timeouts: 0, lateReplies: 0, connects: 1 },
};
