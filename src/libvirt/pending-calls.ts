import { CallAbortedError, CallTimeoutError, type LibvirtError } from './errors.ts';

/**
 * The calls of one connection: those waiting for a free slot and those sent. A call that was given
 * up (deadline, abort) after it was sent keeps its slot until its reply arrives, because the
 * daemon is still busy with it: a guest that hangs must not be asked again and again.
 */

export interface CallOptions {
  /** From the call to its reply, waiting for a slot included. Default: the connection's. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The caller's name for the call, e.g. a domain UUID, to ask later if it is outstanding. */
  readonly tag?: string | undefined;
}

/** A reply that came after its call had been given up. */
export interface LateReply {
  readonly procedure: number;
  readonly tag: string | undefined;
}

/** A longer setTimeout would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Call {
  readonly procedure: number;
  readonly payload: Uint8Array;
  readonly tag: string | undefined;
  /** Ends the caller's wait; each is called once at most, later calls do nothing. */
  readonly resolve: (payload: Buffer) => void;
  readonly reject: (error: unknown) => void;
  /** Stops the deadline timer and the abort listener. */
  disarm: () => void;
  serial: number | undefined;
  givenUp: boolean;
}

/** Writes one call to the socket. */
export type Send = (procedure: number, serial: number, payload: Uint8Array) => void;

export class PendingCalls {
  readonly #window: number;
  readonly #send: Send;
  /** Insertion order is the order of sending. */
  readonly #queue = new Set<Call>();
  readonly #sent = new Map<number, Call>();
  #serial = 0;
  #lateReplies = 0;
  #failure: LibvirtError | undefined;

  constructor(window: number, send: Send) {
    if (!Number.isInteger(window) || window < 1) throw new RangeError(`window ${window}`);
    this.#window = window;
    this.#send = send;
  }

  /** Calls the daemon has and has not answered, given-up ones included. */
  get outstanding(): number {
    return this.#sent.size;
  }

  /** Those of the outstanding calls nobody waits for any more. */
  get overdue(): number {
    let count = 0;
    for (const call of this.#sent.values()) if (call.givenUp) count++;
    return count;
  }

  /** Calls waiting for a slot. */
  get queued(): number {
    return this.#queue.size;
  }

  /** Replies that came after their call was given up, since the connection was opened. */
  get lateReplies(): number {
    return this.#lateReplies;
  }

  /** Whether the daemon still owes the answer to a call with this tag. */
  isOutstanding(tag: string): boolean {
    for (const call of this.#sent.values()) if (call.tag === tag) return true;
    return false;
  }

  /** Whether the daemon owes the answer to the call of this serial number. */
  isSent(serial: number): boolean {
    return this.#sent.has(serial);
  }

  /** Queues a call; the promise gives the reply's payload. */
  start(
    procedure: number,
    payload: Uint8Array,
    options: CallOptions,
    deadlineMs: number,
  ): Promise<Buffer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { signal, tag } = options;
    if (signal?.aborted === true) return Promise.reject(abortedError(procedure, signal));
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const call: Call = {
      procedure,
      payload,
      tag,
      resolve,
      reject,
      disarm: () => undefined,
      serial: undefined,
      givenUp: false,
    };
    const onAbort = () => {
      if (signal !== undefined) this.#giveUp(call, abortedError(procedure, signal));
    };
    let lastLook: NodeJS.Immediate | undefined;
    const timer = setTimeout(
      () => {
        // A process that was kept from the CPU finds its timers late and the replies unread: these are read first.
        lastLook = setImmediate(() => {
          const sent = call.serial !== undefined;
          this.#giveUp(call, new CallTimeoutError(procedure, deadlineMs, sent));
        });
      },
      Math.min(deadlineMs, MAX_TIMER_MS),
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    call.disarm = () => {
      clearTimeout(timer);
      clearImmediate(lastLook);
      signal?.removeEventListener('abort', onAbort);
    };
    this.#queue.add(call);
    this.#sendQueued();
    return promise;
  }

  /**
   * Gives a reply to its call. Returns 'unknown' when no call has this serial or the procedure is
   * not the one that was called, and the late reply when nobody waits for it any more.
   */
  settle(
    serial: number,
    procedure: number,
    outcome: { readonly payload: Buffer } | { readonly error: LibvirtError },
  ): 'settled' | 'unknown' | LateReply {
    const call = this.#sent.get(serial);
    if (call?.procedure !== procedure) return 'unknown';
    this.#sent.delete(serial);
    call.disarm();
    if (!call.givenUp) {
      if ('error' in outcome) call.reject(outcome.error);
      else call.resolve(outcome.payload);
    } else {
      this.#lateReplies++;
    }
    this.#sendQueued();
    return call.givenUp ? { procedure, tag: call.tag } : 'settled';
  }

  /** Ends all calls with one error; later calls fail with it at once. */
  fail(error: LibvirtError): void {
    this.#failure = error;
    const calls = [...this.#sent.values(), ...this.#queue];
    this.#sent.clear();
    this.#queue.clear();
    for (const call of calls) {
      call.disarm();
      call.reject(error);
    }
  }

  #giveUp(call: Call, error: LibvirtError): void {
    call.disarm();
    call.givenUp = true;
    this.#queue.delete(call);
    call.reject(error);
  }

  #sendQueued(): void {
    for (const call of this.#queue) {
      if (this.#sent.size >= this.#window) return;
      this.#queue.delete(call);
      const serial = this.#nextSerial();
      call.serial = serial;
      this.#sent.set(serial, call);
      this.#send(call.procedure, serial, call.payload);
    }
  }

  /** 1, 2, … 2³²-1, 1; serial 0 belongs to events. */
  #nextSerial(): number {
    do {
      this.#serial = this.#serial === 0xffff_ffff ? 1 : this.#serial + 1;
    } while (this.#sent.has(this.#serial));
    return this.#serial;
  }
}

function abortedError(procedure: number, signal: AbortSignal): CallAbortedError {
  return new CallAbortedError(`libvirt procedure ${procedure}: aborted by the caller`, {
    cause: signal.reason,
  });
}
