import { isAbsence, type Result, type SourceError } from '../runtime/result.ts';
import { findDependants, type CollectorName } from './collectors.ts';
import type { CollectorOutcome } from './snapshot.ts';

/** What is missing when a collector that others begin with has found nothing. */
const MISSING: Readonly<Record<Prerequisite, SourceError>> = {
  domain: { kind: 'absent', subject: 'guests', detail: 'the list of guests is missing' },
  process: {
    kind: 'absent',
    subject: 'QEMU processes',
    detail: 'the list of QEMU processes is missing',
  },
  image: { kind: 'absent', subject: 'images', detail: 'the list of images is missing' },
};

/** A collector whose finds others begin with. */
export type Prerequisite = 'domain' | 'process' | 'image';

interface Entry {
  milliseconds: number;
  failed: boolean;
  lacking: Prerequisite | undefined;
  readonly failures: SourceError[];
  readonly notes: SourceError[];
}

/** With a thousand guests one cause makes thousands of errors, and the first tell it. */
const MAX_ERRORS = 20;

/**
 * Keeps the books of one collection: how long each collector took and what it could not read.
 *
 * A collector has failed when something it exists for could not be read. Things that many hosts
 * simply do not have (no zswap, no PSI, no KSM) are not failures: `optional` readings that are
 * absent or unsupported are only noted. What was there but could not be read is always a failure,
 * also where it is only a part of a reading.
 */
export class OutcomeLog {
  readonly #entries = new Map<CollectorName, Entry>();
  readonly #wanted: ReadonlySet<CollectorName>;

  constructor(wanted: ReadonlySet<CollectorName>) {
    this.#wanted = wanted;
  }

  wants(collector: CollectorName): boolean {
    return this.#wanted.has(collector);
  }

  /** Runs a synchronous part of a collector; undefined when the collector is not wanted. */
  run<T>(collector: CollectorName, part: () => T): T | undefined {
    if (!this.#wanted.has(collector)) return undefined;
    const start = performance.now();
    try {
      return part();
    } finally {
      this.#entry(collector).milliseconds += performance.now() - start;
    }
  }

  /** Runs an asynchronous part of a collector; undefined when the collector is not wanted. */
  async runAsync<T>(collector: CollectorName, part: () => Promise<T>): Promise<T | undefined> {
    if (!this.#wanted.has(collector)) return undefined;
    const start = performance.now();
    try {
      return await part();
    } finally {
      this.#entry(collector).milliseconds += performance.now() - start;
    }
  }

  /** The value of a reading the collector exists for. */
  required<T>(collector: CollectorName, reading: Result<T>): T | undefined {
    if (reading.ok) return this.#whole(collector, reading);
    this.fail(collector, reading.error);
    return undefined;
  }

  /** The value of a reading that not every host has. */
  optional<T>(collector: CollectorName, reading: Result<T>): T | undefined {
    if (reading.ok) return this.#whole(collector, reading);
    if (isAbsence(reading.error)) this.note(collector, reading.error);
    else this.fail(collector, reading.error);
    return undefined;
  }

  /** The value; what it lacks fails the collector. */
  #whole<T>(collector: CollectorName, reading: Result<T> & { readonly ok: true }): T {
    for (const fault of reading.faults ?? []) this.fail(collector, fault);
    return reading.value;
  }

  /** Time spent on several collectors at once, in milliseconds: charged to each of them. */
  spend(collector: CollectorName, milliseconds: number): void {
    this.#entry(collector).milliseconds += milliseconds;
  }

  fail(collector: CollectorName, error: SourceError): void {
    const entry = this.#entry(collector);
    entry.failed = true;
    if (entry.failures.length < MAX_ERRORS) entry.failures.push(error);
  }

  /**
   * This collector has nothing at all that others could begin with, not merely too little: they have
   * not run, so they have failed with it.
   */
  failDependants(collector: Prerequisite): void {
    for (const dependant of findDependants(collector)) {
      this.fail(dependant, MISSING[collector]);
      this.#entry(dependant).lacking ??= collector;
    }
  }

  note(collector: CollectorName, error: SourceError): void {
    const { notes } = this.#entry(collector);
    if (notes.length < MAX_ERRORS) notes.push(error);
  }

  /** One outcome for each collector that was wanted, in no particular order; failures come first. */
  outcomes(): readonly CollectorOutcome[] {
    return [...this.#wanted].map((collector) => {
      const { milliseconds, failed, lacking, failures, notes } = this.#entry(collector);
      const errors = [...failures, ...notes];
      return { collector, success: !failed, durationSeconds: milliseconds / 1000, lacking, errors };
    });
  }

  #entry(collector: CollectorName): Entry {
    let entry = this.#entries.get(collector);
    if (entry === undefined) {
      entry = { milliseconds: 0, failed: false, lacking: undefined, failures: [], notes: [] };
      this.#entries.set(collector, entry);
    }
    return entry;
  }
}
