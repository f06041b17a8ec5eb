export interface KeepaliveOptions {
  /** Time between two pings. */
  readonly intervalMs: number;
  /** The peer counts as dead after this many intervals in a row without a byte from it. */
  readonly count: number;
}

/**
 * Notices a peer that holds the connection open but no longer answers (stopped process, hung main
 * loop). Any received byte is a sign of life, so a long reply being transferred is not cut off.
 */
export class Keepalive {
  readonly #timer: NodeJS.Timeout;
  #silentIntervals = 0;

  constructor(options: KeepaliveOptions, ping: () => void, dead: () => void) {
    this.#timer = setInterval(() => {
      if (this.#silentIntervals >= options.count) {
        this.stop();
        dead();
        return;
      }
      this.#silentIntervals++;
      ping();
    }, options.intervalMs);
    // The socket keeps the process alive for as long as it is open; the timer need not.
    this.#timer.unref();
  }

  /** Something was received. */
  heard(): void {
    this.#silentIntervals = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
