import { readHostFacts, type HostFacts } from '../sources/host-facts.ts';
import { found, type Reading } from '../sources/reading.ts';
import type { Roots } from '../sources/roots.ts';

const REFRESH_MS = 60 * 60_000;
/** Until the next try when something could not be read. */
const RETRY_MS = 60_000;

/**
 * Reads the inventory in the background: one of its files lies on the host's root, and a scrape
 * waits for no disk. A kernel or an OS does not change under a running exporter, but the host's name
 * may.
 */
export class InventoryRefresher {
  readonly #roots: Roots;
  #inventory: Reading<HostFacts | undefined> = found(undefined);
  #timer: NodeJS.Timeout | undefined;
  #stopped = true;

  constructor(roots: Roots) {
    this.#roots = roots;
  }

  /** What was found last; undefined before that. */
  get current(): Reading<HostFacts | undefined> {
    return this.#inventory;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    void this.#refresh();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** The next one begins when this one is over, so that a dead disk holds one of them at most. */
  async #refresh(): Promise<void> {
    this.#inventory = await readHostFacts(this.#roots);
    if (this.#stopped) return;
    const whole = this.#inventory.ok && this.#inventory.faults === undefined;
    this.#timer = setTimeout(() => void this.#refresh(), whole ? REFRESH_MS : RETRY_MS).unref();
  }
}
