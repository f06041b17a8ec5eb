import type { LogFields, Logger } from '../config/logger.ts';

const QUIET_MS = 60_000;

/**
 * Says what was refused, once a minute at most for each kind and with how often it was: whoever can
 * reach the port must not be able to fill the disk.
 */
export class RefusalLog {
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #kinds = new Map<string, { saidAt: number; unsaid: number }>();

  /** @param now milliseconds of a clock that is never set. */
  constructor(logger: Logger, now: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#now = now;
  }

  /** @param message says the kind; there are few. */
  report(message: string, fields: LogFields = {}): void {
    this.#say('warn', message, fields);
  }

  /** The same of a fault of ours. */
  fault(message: string, error: unknown): void {
    this.#say('error', message, { error: error instanceof Error ? error : String(error) });
  }

  #say(level: 'warn' | 'error', message: string, fields: LogFields): void {
    const now = this.#now();
    const kind = this.#kinds.get(message);
    if (kind !== undefined && now - kind.saidAt < QUIET_MS) {
      kind.unsaid += 1;
      return;
    }
    const before = kind === undefined || kind.unsaid === 0 ? undefined : kind.unsaid;
    this.#kinds.set(message, { saidAt: now, unsaid: 0 });
    this.#logger[level](message, { ...fields, more_before: before });
  }
}
