/**
 * How long to leave something alone that did not answer, by key: `initialMs` after the first miss, then
 * `firstMs`, doubling up to `longestMs`. One answer ends it.
 */
export class Backoff {
  readonly #initialMs: number;
  readonly #firstMs: number;
  readonly #longestMs: number;
  readonly #missed = new Map<string, { readonly waitMs: number; readonly until: number }>();

  constructor(initialMs: number, firstMs: number, longestMs: number) {
    this.#initialMs = initialMs;
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
  }

  /** Whether the last answer was a miss, be it left alone or not. */
  hasMissed(key: string): boolean {
    return this.#missed.has(key);
  }

  isLeftAlone(key: string): boolean {
    return performance.now() < (this.#missed.get(key)?.until ?? 0);
  }

  miss(key: string): void {
    const last = this.#missed.get(key);
    const waitMs =
      last === undefined
        ? this.#initialMs
        : Math.min(this.#longestMs, Math.max(this.#firstMs, last.waitMs * 2));
    this.#missed.set(key, { waitMs, until: performance.now() + waitMs });
  }

  answer(key: string): void {
    this.#missed.delete(key);
  }

  /** Drops all other keys. */
  retain(isKept: (key: string) => boolean): void {
    for (const key of this.#missed.keys()) if (!isKept(key)) this.#missed.delete(key);
  }
}
