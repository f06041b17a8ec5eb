import { found, type Reading } from './reading.ts';

/**
 * Limits and weights are set once and then read for weeks: a third of all files of a guest. How long
 * one is taken to be what it was when last looked at. What is set through libvirt mostly shows at
 * once, since libvirt tells of it.
 */
export const LIMIT_TRUST_MS = 30_000;

/** What was found at the last look, until that is too long ago. A look that failed, or failed in part, is not remembered. */
export class TrustedReading<T> {
  #last: { readonly value: T; readonly seenAt: number } | undefined;

  get(look: () => Reading<T>): Reading<T> {
    const now = performance.now();
    const last = this.#last;
    if (last !== undefined && now - last.seenAt < LIMIT_TRUST_MS) return found(last.value);
    const reading = look();
    const whole = reading.ok && reading.faults === undefined;
    this.#last = whole ? { value: reading.value, seenAt: now } : undefined;
    return reading;
  }
}
