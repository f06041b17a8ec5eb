import { readFileHandles } from '../sources/host/file-handles.ts';
import { readHostFacts } from '../sources/host/host-facts.ts';
import { found, type Result } from '../runtime/result.ts';
import type { Roots } from '../sources/kernel/roots.ts';
import type { FileHandles, HostFacts } from '../model/host.ts';

/** What was found last; undefined before that. */
export interface Inventory {
  readonly facts: Result<HostFacts | undefined>;
  readonly fileHandles: Result<FileHandles | undefined>;
}

const FACTS_MS = 60 * 60_000;
/** Until facts that could not be read whole are tried again, and between two looks at file handles. */
const LOOK_MS = 60_000;

/**
 * Reads the inventory in the background: one of its files lies on the host's root, and a scrape
 * waits for no disk. A kernel or an OS does not change under a running exporter, but the host's name
 * may.
 */
export class InventoryRefresher {
  readonly #roots: Roots;
  #facts: Inventory['facts'] = found(undefined);
  #fileHandles: Inventory['fileHandles'] = found(undefined);
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = true;

  constructor(roots: Roots) {
    this.#roots = roots;
  }

  get current(): Inventory {
    return { facts: this.#facts, fileHandles: this.#fileHandles };
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    void this.#refreshFacts();
    void this.#refreshFileHandles();
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  async #refreshFacts(): Promise<void> {
    this.#facts = await readHostFacts(this.#roots);
    const whole = this.#facts.ok && this.#facts.faults === undefined;
    this.#later(whole ? FACTS_MS : LOOK_MS, () => this.#refreshFacts());
  }

  async #refreshFileHandles(): Promise<void> {
    this.#fileHandles = await readFileHandles();
    this.#later(LOOK_MS, () => this.#refreshFileHandles());
  }

  /** The next one begins when this one is over, so that a dead disk holds one of them at most. */
  #later(milliseconds: number, refresh: () => Promise<void>): void {
    if (this.#stopped) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void refresh();
    }, milliseconds).unref();
    this.#timers.add(timer);
  }
}
