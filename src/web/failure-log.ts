import type { Logger } from '../config/logger.ts';
import type { CollectorName } from '../snapshot/collectors.ts';
import type { CollectorOutcome } from '../snapshot/model.ts';

/**
 * Logs what went wrong in a collection once, when it begins or changes, and once when it is over:
 * a host without libvirt must not fill the journal with every scrape, nor with every collector that
 * could not run for want of it.
 */
export class FailureLog {
  readonly #logger: Logger;
  readonly #failing = new Map<CollectorName, string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  report(outcomes: readonly CollectorOutcome[]): void {
    for (const { collector, success, lacking, errors } of outcomes) {
      if (lacking !== undefined) continue;
      const [first] = errors;
      if (success) {
        if (this.#failing.delete(collector))
          this.#logger.info('collector succeeds again', { collector });
        if (first !== undefined) {
          this.#logger.debug('something is missing', { collector, ...first, of: errors.length });
        }
        continue;
      }
      const problem = first === undefined ? 'unknown' : `${first.kind} ${first.subject}`;
      if (this.#failing.get(collector) === problem) continue;
      this.#failing.set(collector, problem);
      this.#logger.warn('collector failed', { collector, ...first, errors: errors.length });
    }
  }
}
