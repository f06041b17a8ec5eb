import {
  CallTimeoutError,
  LibvirtError,
  RpcError,
  type CallOptions,
  type LibvirtConnection,
} from '../../libvirt/index.ts';
import type { Deadline } from '../../runtime/deadline.ts';
import { failedWith, found, type Result } from '../../runtime/result.ts';
import type { CallFailure } from './daemon-calls.ts';

/**
 * Unanswered calls beyond which no further one is made. A connection carries four, and the daemon's
 * priority workers are five for all its clients.
 */
const MAX_OWED = 3;

/**
 * Calls of priority procedures (listing, state, control info) on the control connection, one after the
 * other: libvirtd keeps workers of their own for these, so that they are answered when all others hang,
 * but those can hang as well, on the lock of a guest that somebody holds. A call that was not answered
 * is not made again before it is.
 */
export class ControlCalls {
  readonly #current: () => LibvirtConnection | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #timeouts = 0;

  constructor(current: () => LibvirtConnection | undefined) {
    this.#current = current;
  }

  /** Calls the daemon owes an answer for longer than was waited for it. */
  get overdue(): number {
    return this.#current()?.overdue ?? 0;
  }

  get timeouts(): number {
    return this.#timeouts;
  }

  /** Never rejects but with what is no LibvirtError. */
  async call<Value>(
    key: string,
    timeoutMs: number,
    deadline: Deadline,
    send: (connection: LibvirtConnection, options: CallOptions) => Promise<Value>,
  ): Promise<Result<Value, CallFailure>> {
    const turn = this.#last.then(() => this.#callNow(key, timeoutMs, deadline, send));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #callNow<Value>(
    key: string,
    timeoutMs: number,
    deadline: Deadline,
    send: (connection: LibvirtConnection, options: CallOptions) => Promise<Value>,
  ): Promise<Result<Value, CallFailure>> {
    const connection = this.#current();
    const deadlineMs = Math.ceil(deadline.within(timeoutMs).remaining());
    if (connection === undefined || deadlineMs === 0)
      return failedWith({ kind: 'lost', cause: undefined });
    if (connection.isOutstanding(key)) return failedWith({ kind: 'owed' });
    if (connection.overdue >= MAX_OWED) return failedWith({ kind: 'budget' });
    try {
      return found(await send(connection, { deadlineMs, tag: key }));
    } catch (error) {
      if (error instanceof CallTimeoutError) {
        this.#timeouts += 1;
        return failedWith({ kind: 'timeout' });
      }
      if (error instanceof RpcError) return failedWith({ kind: 'refused', cause: error });
      if (error instanceof LibvirtError) return failedWith({ kind: 'lost', cause: error });
      throw error;
    }
  }
}
