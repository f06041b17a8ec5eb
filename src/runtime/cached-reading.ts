import { found, type Result } from './result.ts';

/**
 * Limits and weights are set once and then read for weeks: a third of all files of a guest. They
 * are cached for this long. What is set through libvirt mostly shows at once, since libvirt tells
 * of it.
 */
export const LIMIT_TTL_MS = 30_000;

/** What was found at the last read, until its TTL is over; a read that failed is not cached. */
export class CachedReading<T> {
  #last: { readonly value: T; readonly seenAt: number } | undefined;

  get(look: () => Result<T>): Result<T> {
    const now = performance.now();
    const last = this.#last;
    if (last !== undefined && now - last.seenAt < LIMIT_TTL_MS) return found(last.value);
    const reading = look();
    const whole = reading.ok && reading.faults === undefined;
    this.#last = whole ? { value: reading.value, seenAt: now } : undefined;
    return reading;
  }
}
