import { EventEmitter } from 'node:events';

import type { LibvirtConnection } from './connection.ts';
import { LibvirtError } from './errors.ts';

export interface ReconnectOptions {
  /** Makes one attempt; must reject with a LibvirtError and obey the signal. */
  readonly open: (signal: AbortSignal) => Promise<LibvirtConnection>;
  /** Wait before the second attempt; doubles with each failure. Default 500 ms. */
  readonly initialDelayMs?: number | undefined;
  /** Longest wait. Default 30 s. */
  readonly maxDelayMs?: number | undefined;
  /** A connection that lived this long resets the delay. Default 10 s. */
  readonly stableMs?: number | undefined;
  /** Uniform in [0, 1); for tests. Default Math.random. */
  readonly random?: (() => number) | undefined;
}

interface ReconnectEvents {
  up: [connection: LibvirtConnection];
  /** An open connection was lost, or an attempt failed. */
  down: [error: LibvirtError];
}

/**
 * Keeps one connection open: connects in the background, and again whenever it is lost, with
 * exponential backoff and jitter so that many clients do not come back at the same instant.
 */
export class ReconnectingConnection extends EventEmitter<ReconnectEvents> {
  readonly #options: ReconnectOptions;
  readonly #stop = new AbortController();
  #current: LibvirtConnection | undefined;
  #lastError: LibvirtError | undefined;
  #timer: NodeJS.Timeout | undefined;
  #attempt: Promise<void> | undefined;
  #failures = 0;

  constructor(options: ReconnectOptions) {
    super();
    this.#options = options;
  }

  /** The open connection, undefined while there is none. */
  get current(): LibvirtConnection | undefined {
    return this.#current;
  }

  /** Why there was no connection last time; undefined before the first failure. */
  get lastError(): LibvirtError | undefined {
    return this.#lastError;
  }

  /** Starts connecting. Does nothing when already started or closed. */
  start(): void {
    if (this.#attempt === undefined && this.#timer === undefined && this.#current === undefined) {
      this.#connect();
    }
  }

  /** Stops for good, closes the connection, leaves no timer or socket. Emits nothing. */
  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#attempt;
    const connection = this.#current;
    this.#current = undefined;
    await connection?.close();
  }

  #connect(): void {
    if (this.#stop.signal.aborted) return;
    this.#timer = undefined;
    this.#attempt = this.#tryOnce().finally(() => {
      this.#attempt = undefined;
    });
  }

  async #tryOnce(): Promise<void> {
    let connection: LibvirtConnection;
    try {
      connection = await this.#options.open(this.#stop.signal);
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      this.#retryAfter(error);
      return;
    }
    this.#current = connection;
    if (this.#stop.signal.aborted) return;
    const since = performance.now();
    this.emit('up', connection);
    connection.onClose((reason) => {
      this.#current = undefined;
      if (performance.now() - since >= (this.#options.stableMs ?? 10_000)) this.#failures = 0;
      this.#retryAfter(reason);
    });
  }

  #retryAfter(error: LibvirtError): void {
    if (this.#stop.signal.aborted) return;
    this.#lastError = error;
    this.#timer = setTimeout(() => {
      this.#connect();
    }, this.#delayMs());
    this.#failures++;
    this.emit('down', error);
  }

  /** Between half and the whole of initial × 2^failures, capped. */
  #delayMs(): number {
    const initial = this.#options.initialDelayMs ?? 500;
    const max = this.#options.maxDelayMs ?? 30_000;
    const full = Math.min(max, initial * 2 ** Math.min(this.#failures, 30));
    const random = this.#options.random ?? Math.random;
    return full * (0.5 + random() / 2);
  }
}
