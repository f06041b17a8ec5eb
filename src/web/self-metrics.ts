import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

import { readRegistry, type ForeignFamily } from '../exposition/prom-client.ts';

/** Coarse on purpose: a finer look at the event loop costs more CPU than most scrapes. */
const EVENT_LOOP_PRECISION_MS = 100;

/** What is counted elsewhere, asked for when it is read. */
export interface Counted {
  /** Requests that cost something and are being answered. */
  readonly underWay: () => number;
  /** Log lines lost since the start. */
  readonly droppedLogLines: () => number;
}

/**
 * The exporter's own process, runtime and handler metrics. prom-client keeps them, since they are
 * direct instrumentation; everything about the host is made anew on each scrape instead.
 */
export class SelfMetrics {
  readonly requests: Counter<'code'>;
  readonly droppedSamples: Counter;
  readonly #registry = new Registry();

  constructor({ underWay, droppedLogLines }: Counted) {
    const registers = [this.#registry];
    collectDefaultMetrics({
      register: this.#registry,
      eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS,
    });
    this.requests = new Counter({
      name: 'kvm_exporter_http_requests_total',
      help: 'Requests to the metrics path answered by this exporter, by HTTP status code.',
      labelNames: ['code'],
      registers,
    });
    new Gauge({
      name: 'kvm_exporter_http_requests_in_flight',
      help: 'Requests for metrics and for the page being answered; see --web.max-requests.',
      registers,
      collect() {
        this.set(underWay());
      },
    });
    this.droppedSamples = new Counter({
      name: 'kvm_exporter_dropped_samples_total',
      help: 'Samples left out because their series was already there; more than 0 is a bug.',
      registers,
    });
    new Counter({
      name: 'kvm_exporter_log_lines_dropped_total',
      help: 'Log lines lost because standard error was closed, full, or not read.',
      registers,
      collect() {
        this.reset();
        this.inc(droppedLogLines());
      },
    });
  }

  /**
   * All of them. Of the delays of the event loop prom-client has kept those since it was asked last;
   * when there are none yet, it would give NaN for their mean and 2^63 ns for the least.
   */
  async read(): Promise<readonly ForeignFamily[]> {
    const families = await readRegistry(this.#registry);
    const hasDelays = families.some(({ family, samples }) => {
      return family.name === 'nodejs_eventloop_lag_mean_seconds' && samples.length > 0;
    });
    return hasDelays ? families : families.filter(({ family }) => !OF_DELAYS.test(family.name));
  }
}

const OF_DELAYS = /^nodejs_eventloop_lag_\w+_seconds$/;
