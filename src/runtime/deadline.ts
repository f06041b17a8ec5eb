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

  /** Calls back once it is over, and what came before that has been read. */
  onExpiry(callback: () => void): Expiry {
    return new Expiry(this.remaining(), callback);
  }

  /**
   * The promise's value, or undefined once the deadline is over. A promise that loses the race goes on; its
   * rejection then goes nowhere.
   */
  async race<T>(promise: Promise<T>): Promise<T | undefined> {
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const expiry = this.onExpiry(() => {
      resolve(undefined);
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      expiry.cancel();
    }
  }
}

/**
 * A timer for which nothing is late that could be read by its time. A process that was kept from the CPU finds
 * timers that are over and answers it has not read, and the event loop runs timers first.
 */
export class Expiry {
  readonly #timer: NodeJS.Timeout;
  #lastLook: NodeJS.Immediate | undefined;

  constructor(milliseconds: number, callback: () => void) {
    this.#timer = setTimeout(() => {
      this.#lastLook = setImmediate(callback);
    }, milliseconds);
  }

  cancel(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#lastLook);
  }

  /** It does not keep the process alive. */
  unref(): this {
    this.#timer.unref();
    return this;
  }
}
