/**
 * A moment by which something is to be done, on the monotonic clock: what is still waited for then is given
 * up. It is handed on as it is, so that every part of a scrape ends with the scrape; a part that may take
 * less gets a nearer one (`within`, `share`).
 */
export class Deadline {
  /** In `performance.now()` time. */
  readonly #at: number;

  private constructor(at: number) {
    this.#at = at;
  }

  /** So many milliseconds from now. */
  static in(milliseconds: number): Deadline {
    return new Deadline(performance.now() + milliseconds);
  }

  /** Milliseconds until then; 0 once it has passed. */
  remaining(): number {
    return Math.max(0, this.#at - performance.now());
  }

  get expired(): boolean {
    return this.remaining() === 0;
  }

  /** So many milliseconds from now, unless this one comes first. */
  within(milliseconds: number): Deadline {
    return new Deadline(Math.min(this.#at, performance.now() + milliseconds));
  }

  /** After a part of the time that remains, such as 0.75 of it. */
  share(part: number): Deadline {
    return Deadline.in(this.remaining() * part);
  }

  isAfter(other: Deadline): boolean {
    return this.#at > other.#at;
  }

  /** Calls back once it is over; the timer is for `clearTimeout`. */
  onExpiry(callback: () => void): NodeJS.Timeout {
    return setTimeout(callback, this.remaining());
  }

  /**
   * The promise's value, or undefined once the deadline is over. A promise that loses the race goes on; its
   * rejection then goes nowhere.
   */
  async race<T>(promise: Promise<T>): Promise<T | undefined> {
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const timer = this.onExpiry(() => {
      resolve(undefined);
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
