import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/** Coarse on purpose: a finer look at the event loop costs more CPU than most scrapes. */
const EVENT_LOOP_PRECISION_MS = 100;

/**
 * The exporter's own process, runtime and handler metrics. prom-client keeps them, since they are
 * direct instrumentation; everything about the host is made anew on each scrape instead.
 */
export class SelfMetrics {
  readonly registry = new Registry();
  readonly requests: Counter<'code'>;
  readonly droppedSamples: Counter;
  readonly #requestsInFlight: Gauge;
  /** The gauge's own value can only be had later, when further requests may have begun. */
  #inFlight = 0;

  constructor() {
    const registers = [this.registry];
    collectDefaultMetrics({
      register: this.registry,
      eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS,
    });
    this.requests = new Counter({
      name: 'kvm_exporter_http_requests_total',
      help: 'Requests to the metrics path answered by this exporter, by HTTP status code.',
      labelNames: ['code'],
      registers,
    });
    this.#requestsInFlight = new Gauge({
      name: 'kvm_exporter_http_requests_in_flight',
      help: 'Requests to the metrics path being answered.',
      registers,
    });
    this.droppedSamples = new Counter({
      name: 'kvm_exporter_dropped_samples_total',
      help: 'Samples left out because their series was already there; more than 0 is a bug.',
      registers,
    });
  }
  /** Counts a request to the metrics path; returns how many are being answered, with this one. */
  beginRequest(): number {
    this.#inFlight += 1;
    this.#requestsInFlight.set(this.#inFlight);
    return this.#inFlight;
  }

  endRequest(): void {
    this.#inFlight -= 1;
    this.#requestsInFlight.set(this.#inFlight);
  }
}
