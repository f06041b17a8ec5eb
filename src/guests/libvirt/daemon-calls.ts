import {
  CallTimeoutError,
  ClosedError,
  LibvirtError,
  RpcError,
  type CallOptions,
  type LibvirtConnection,
} from '../../libvirt/index.ts';
import type { Deadline } from '../../runtime/deadline.ts';
import { failedWith, found, type Result } from '../../runtime/result.ts';

/**
 * All calls to libvirt that one of its ordinary workers has to carry out, under one budget.
 *
 * libvirtd serves all its clients with a pool of workers: 5 at the start (`min_workers`), 20 at most.
 * A call that waits for a hung QEMU, or for the lock of an object somebody else holds, keeps its worker
 * until that is over, whatever our deadline, and even after the connection is closed. And the pool may
 * stop growing: virThreadPoolSendJob (src/util/virthreadpool.c) adds a worker only when
 * `freeWorkers - jobQueueDepth <= 0`, both unsigned, so that no worker is ever added once a job waits
 * while none is free. Then nobody is served any more. So each call of ours that sticks takes away a
 * fifth of what keeps the daemon alive for everybody; hence the budget:
 *
 * - `maxCalls` under way at once, those that stick included; one less while anything sticks;
 * - with `maxStuck` stuck, one at a time, and only for what is known to be alive;
 * - with more of our own stuck than that, none at all;
 * - never a second call under a key (a guest, a pool) whose last one is not answered.
 */
export interface DaemonCallsOptions {
  /** Opens a read-only connection; rejects like `openLibvirt`. */
  readonly open: () => Promise<LibvirtConnection>;
  readonly maxCalls: number;
  readonly maxStuck: number;
}

/** libvirtd reads no sixth call of a client with five in progress (`max_client_requests`). */
const CALLS_PER_CONNECTION = 4;

/** Why a call has no answer. */
export type CallFailure =
  /** The daemon's own refusal: no such guest, not running, not supported. */
  | { readonly kind: 'refused'; readonly cause: RpcError }
  /** Sent, and not answered in time; the daemon owes the answer now. */
  | { readonly kind: 'timeout' }
  /** Not sent: an earlier call under the same key has not been answered. */
  | { readonly kind: 'owed' }
  /** Not sent: the budget is used up. */
  | { readonly kind: 'budget' }
  /** Not sent, or lost: no connection, or no slot before the deadline. */
  | { readonly kind: 'lost'; readonly cause: LibvirtError | undefined };

export interface CallRequest {
  /** What the call may hang on: the guest's or the pool's UUID, or a name. */
  readonly key: string;
  /** Longest to wait for the answer once sent. */
  readonly timeoutMs: number;
  /** No waiting for a slot, and no waiting at all, beyond it. */
  readonly deadline: Deadline;
  /**
   * Asked when the slot is given: whether it is known now that nothing of it hangs. By default it is
   * not.
   */
  readonly isAlive?: () => boolean;
}

export interface DaemonCallCounters {
  /** Calls sent and not answered, those given up included. */
  readonly outstanding: number;
  /** Those of them that missed their deadline. */
  readonly overdue: number;
  readonly timeouts: number;
  readonly lateReplies: number;
  readonly connects: number;
}

/** A slot of the budget. */
interface Lease {
  /** Undefined until there is a connection with room for the call. */
  connection: LibvirtConnection | undefined;
  /** The caller has given up, and the daemon has not. */
  overdue: boolean;
}

type Refusal = 'owed' | 'budget' | 'closed';
type Admission = 'now' | 'wait' | Refusal;

interface Waiter {
  readonly request: CallRequest;
  readonly admit: (outcome: Lease | Refusal) => void;
}

export class DaemonCalls {
  readonly #options: DaemonCallsOptions;
  readonly #leases = new Map<string, Lease>();
  #waiting: Waiter[] = [];
  #connections: LibvirtConnection[] = [];
  #opening: Promise<LibvirtConnection> | undefined;
  #stuckElsewhere = { ours: 0, others: 0 };
  #timeouts = 0;
  #lateReplies = 0;
  #connects = 0;
  #closed = false;

  constructor(options: DaemonCallsOptions) {
    this.#options = options;
  }

  /** More callers than this would only wait for each other. */
  get maxCalls(): number {
    return this.#options.maxCalls;
  }

  get maxStuck(): number {
    return this.#options.maxStuck;
  }

  get counters(): DaemonCallCounters {
    return {
      outstanding: this.#leases.size,
      overdue: this.#overdue,
      timeouts: this.#timeouts,
      lateReplies: this.#lateReplies,
      connects: this.#connects,
    };
  }

  /** Calls of ours and of others that are known to keep a worker of the daemon. */
  get stuck(): number {
    return this.#overdue + this.#stuckElsewhere.ours + this.#stuckElsewhere.others;
  }

  /** Whether the daemon owes the answer to a call under this key. */
  owes(key: string): boolean {
    return this.#leases.get(key)?.overdue === true;
  }

  /**
   * What keeps workers besides the calls made here.
   *
   * @param ours calls this exporter, perhaps in an earlier life, made in other ways.
   * @param others calls of other clients.
   */
  countElsewhere(ours: number, others: number): void {
    this.#stuckElsewhere = { ours, others };
    this.#admitWaiting();
  }

  /** Makes a call when the budget allows. Never rejects but with what is no LibvirtError. */
  async call<Value>(
    request: CallRequest,
    send: (connection: LibvirtConnection, options: CallOptions) => Promise<Value>,
  ): Promise<Result<Value, CallFailure>> {
    const { key, deadline, timeoutMs } = request;
    const lease = await this.#slot(request);
    switch (lease) {
      case 'owed':
      case 'budget':
        return failedWith({ kind: lease });
      case 'closed':
        return failedWith({ kind: 'lost', cause: undefined });
      default:
        break;
    }
    let connection: LibvirtConnection | undefined;
    try {
      connection = await deadline.race(this.#connect(key, lease));
    } catch (error) {
      this.#release(key);
      if (error instanceof LibvirtError) return failedWith({ kind: 'lost', cause: error });
      throw error;
    }
    if (connection === undefined) {
      this.#release(key);
      return failedWith({ kind: 'lost', cause: undefined });
    }
    const deadlineMs = Math.max(1, Math.ceil(deadline.within(timeoutMs).remaining()));
    try {
      const value = await send(connection, { deadlineMs, tag: key });
      this.#release(key);
      return found(value);
    } catch (error) {
      if (error instanceof CallTimeoutError && error.sent) {
        this.#timeouts += 1;
        // The late reply, or the end of the connection, may have come first.
        if (connection.isOutstanding(key)) lease.overdue = true;
        else this.#release(key);
        this.#admitWaiting();
        return failedWith({ kind: 'timeout' });
      }
      this.#release(key);
      if (error instanceof RpcError) return failedWith({ kind: 'refused', cause: error });
      if (error instanceof LibvirtError) return failedWith({ kind: 'lost', cause: error });
      throw error;
    }
  }

  /** Closes all connections. The daemon keeps at work on what it owes. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#admitWaiting();
    const connections = this.#connections;
    this.#connections = [];
    await Promise.all(connections.map((connection) => connection.close()));
  }

  get #overdue(): number {
    let overdue = 0;
    for (const lease of this.#leases.values()) if (lease.overdue) overdue += 1;
    return overdue;
  }

  #admission({ key, isAlive }: CallRequest): Admission {
    if (this.#closed) return 'closed';
    const lease = this.#leases.get(key);
    if (lease !== undefined) return lease.overdue ? 'owed' : 'wait';
    const { maxCalls, maxStuck } = this.#options;
    const overdue = this.#overdue;
    const ours = overdue + this.#stuckElsewhere.ours;
    const stuck = ours + this.#stuckElsewhere.others;
    const underWay = this.#leases.size - overdue;
    if (stuck === 0) return underWay < maxCalls ? 'now' : 'wait';
    if (ours > maxStuck) return 'budget';
    if (stuck < maxStuck) return underWay + stuck < maxCalls - 1 ? 'now' : 'wait';
    if (ours >= maxStuck && isAlive?.() !== true) return 'budget';
    return underWay === 0 ? 'now' : 'wait';
  }

  /** Takes a slot for the key, when and if there is one before the deadline. */
  async #slot(request: CallRequest): Promise<Lease | Refusal> {
    const admission = this.#admission(request);
    if (admission === 'now') return this.#hold(request.key);
    if (admission !== 'wait') return admission;
    const { promise, resolve } = Promise.withResolvers<Lease | Refusal>();
    const waiter: Waiter = { request, admit: resolve };
    const expiry = request.deadline.onExpiry(() => {
      this.#waiting = this.#waiting.filter((other) => other !== waiter);
      resolve('closed');
    });
    this.#waiting.push(waiter);
    try {
      return await promise;
    } finally {
      expiry.cancel();
    }
  }

  /** Lets in whoever may come, first come first served. */
  #admitWaiting(): void {
    this.#waiting = this.#waiting.filter(({ request, admit }) => {
      const admission = this.#admission(request);
      if (admission === 'wait') return true;
      admit(admission === 'now' ? this.#hold(request.key) : admission);
      return false;
    });
  }

  #hold(key: string): Lease {
    const lease: Lease = { connection: undefined, overdue: false };
    this.#leases.set(key, lease);
    return lease;
  }

  #release(key: string): void {
    this.#leases.delete(key);
    this.#admitWaiting();
  }

  /** Gives the lease a connection with room for one more call; undefined when it was given up. */
  async #connect(key: string, lease: Lease): Promise<LibvirtConnection | undefined> {
    while (this.#leases.get(key) === lease) {
      this.#connections = this.#connections.filter((one) => one.closeReason === undefined);
      const free = this.#connections.find((one) => this.#callsOn(one) < CALLS_PER_CONNECTION);
      if (free !== undefined) {
        lease.connection = free;
        return free;
      }
      if (this.#closed) throw new ClosedError('the exporter is stopping');
      // All who wait for a connection share the one that is being opened.
      this.#opening ??= this.#open().finally(() => {
        this.#opening = undefined;
      });
      await this.#opening;
    }
    return undefined;
  }

  #callsOn(connection: LibvirtConnection): number {
    let calls = 0;
    for (const lease of this.#leases.values()) if (lease.connection === connection) calls += 1;
    return calls;
  }

  async #open(): Promise<LibvirtConnection> {
    const connection = await this.#options.open();
    if (this.#closed) {
      await connection.close();
      throw new ClosedError('the exporter is stopping');
    }
    this.#connects += 1;
    this.#connections.push(connection);
    connection.onLateReply((key) => {
      this.#lateReplies += 1;
      if (key !== undefined) this.#release(key);
    });
    connection.onClose(() => {
      for (const [key, lease] of this.#leases) {
        // Those under way reject by themselves.
        if (lease.connection === connection && lease.overdue) {
          this.#leases.delete(key);
        }
      }
      this.#admitWaiting();
    });
    return connection;
  }
}
