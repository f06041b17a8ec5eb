/** Something to be made that several wait for. It stops when the last of them has gone. */
export class SharedWork<T> {
  readonly #stop = new AbortController();
  readonly #result: Promise<T>;
  #waiting = 0;

  /** @param work begins at once; is told when nobody waits any more. */
  constructor(work: (stop: AbortSignal) => Promise<T>) {
    this.#result = work(this.#stop.signal);
    // Whoever waits hears of it.
    this.#result.catch(() => undefined);
  }

  /** True once it was given up; it cannot be joined any more. */
  get stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /**
   * @param gone when the one who waits goes.
   * @throws the reason of `gone`, or whatever the work throws.
   */
  async join(gone: AbortSignal): Promise<T> {
    gone.throwIfAborted();
    this.#waiting += 1;
    const leave = (): void => {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#stop.abort();
    };
    gone.addEventListener('abort', leave, { once: true });
    try {
      return await this.#result;
    } finally {
      gone.removeEventListener('abort', leave);
    }
  }
}
