import {
  CallTimeoutError,
  domainStats,
  getAllDomainStats,
  readDomainStats,
  RpcError,
  type CallOptions,
  type DomainJobInfo,
  type DomainRef,
  type DomainStats,
  type LibvirtConnection,
} from '../libvirt/index.ts';
import { within } from './within.ts';

/**
 * Asks libvirt for what only the guest's QEMU can tell (balloon, block), so that one QEMU that does
 * not answer costs nobody else anything:
 *
 * - one call per guest with NOWAIT, since a bulk call is answered only when its slowest guest has;
 * - NOWAIT is no timeout (the first caller takes the job and hangs), so each call has a deadline;
 * - a call that missed it stays with the daemon until its late reply; that guest is not asked again
 *   before, as each further call would hold another of the daemon's 20 workers;
 * - a further connection is opened only when the slots of all others are taken by such calls, up
 *   to a cap, and with too many stuck calls nobody is asked any more.
 *
 * Why the limits are what they are: libvirtd reads no sixth call from a client with five in
 * progress (`max_client_requests`), and serves all clients with 20 workers (`max_workers`).
 */
export interface GuestMonitorOptions {
  /** Opens a read-only connection for stats calls; rejects like `openLibvirt`. */
  readonly open: () => Promise<LibvirtConnection>;
  /** Longest to wait for one guest. */
  readonly callTimeoutMs: number;
}

/** Calls at once on one connection. */
const WINDOW = 4;
const MAX_CONNECTIONS = 3;
/** Guests that can be asked at the same time. */
export const MONITORS_AT_ONCE = WINDOW * MAX_CONNECTIONS;
/** Stuck calls over all connections beyond which no guest is asked. */
const MAX_STUCK = 8;

export type MonitorAnswer<Value = DomainStats> =
  | { readonly kind: 'answered'; readonly value: Value }
  /** Missed its deadline, now or in an earlier collection that is still unanswered. */
  | { readonly kind: 'unresponsive' }
  /** libvirt no longer knows it, or refused for another reason. */
  | { readonly kind: 'refused' }
  /** Not asked to the end, which is not the guest's fault: no free slot, connection lost. */
  | { readonly kind: 'unasked' };

export interface MonitorCounters {
  readonly outstanding: number;
  readonly timeouts: number;
  readonly lateReplies: number;
  readonly connects: number;
}

/** A connection and how many callers were promised a slot on it but have not called yet. */
interface Line {
  readonly connection: LibvirtConnection;
  promised: number;
}

interface InFlight {
  readonly groups: number;
  readonly answer: Promise<MonitorAnswer>;
}

export class GuestMonitor {
  readonly #options: GuestMonitorOptions;
  #lines: Line[] = [];
  #opening: Promise<true | undefined> | undefined;
  readonly #inFlight = new Map<string, InFlight>();
  readonly #waiting: (() => void)[] = [];
  #timeouts = 0;
  #lateRepliesOfClosed = 0;
  #connects = 0;
  #closed = false;

  constructor(options: GuestMonitorOptions) {
    this.#options = options;
  }

  get counters(): MonitorCounters {
    let outstanding = 0;
    let lateReplies = this.#lateRepliesOfClosed;
    for (const { connection } of this.#lines) {
      outstanding += connection.outstanding;
      lateReplies += connection.lateReplies;
    }
    return { outstanding, timeouts: this.#timeouts, lateReplies, connects: this.#connects };
  }

  /**
   * Asks one guest for the given groups (`domainStats` bits). Never rejects, and settles by
   * `deadline` (in `performance.now()` time) at the latest.
   */
  async ask(domain: DomainRef, groups: number, deadline: number): Promise<MonitorAnswer> {
    const current = this.#inFlight.get(domain.uuid);
    if (current !== undefined) {
      const answer = await within(current.answer, deadline);
      if (answer === undefined) return { kind: 'unresponsive' };
      if ((current.groups & groups) === groups) return answer;
    }
    const answer = this.#stats(domain, groups, deadline);
    this.#inFlight.set(domain.uuid, { groups, answer });
    try {
      return await answer;
    } finally {
      this.#inFlight.delete(domain.uuid);
    }
  }

  /** Asks for the job a guest is busy with. Not while another question to it is under way. */
  async askJob(domain: DomainRef, deadline: number): Promise<MonitorAnswer<DomainJobInfo>> {
    return this.#call(domain, deadline, (connection, options) =>
      connection.domainGetJobInfo(domain, options),
    );
  }

  /** Closes all connections; stuck calls go with them. */
  async close(): Promise<void> {
    this.#closed = true;
    const lines = this.#lines;
    this.#lines = [];
    this.#wakeWaiting();
    await Promise.all(lines.map(({ connection }) => connection.close()));
  }

  async #stats(domain: DomainRef, groups: number, deadline: number): Promise<MonitorAnswer> {
    const answer = await this.#call(domain, deadline, (connection, options) =>
      connection.getAllDomainStats(groups, getAllDomainStats.noWait, [domain], options),
    );
    if (answer.kind !== 'answered') return answer;
    const record = answer.value[0];
    if (record === undefined) return { kind: 'refused' };
    return { kind: 'answered', value: readDomainStats(record) };
  }

  async #call<Value>(
    domain: DomainRef,
    deadline: number,
    call: (connection: LibvirtConnection, options: CallOptions) => Promise<Value>,
  ): Promise<MonitorAnswer<Value>> {
    if (this.#isStuck(domain.uuid)) return { kind: 'unresponsive' };
    const line = await this.#slot(deadline);
    if (line === undefined) {
      // A slot that was meant for this call goes to the next one.
      this.#wakeWaiting();
      return { kind: 'unasked' };
    }
    const remaining = Math.max(1, deadline - performance.now());
    const deadlineMs = Math.min(remaining, this.#options.callTimeoutMs);
    try {
      const answer = call(line.connection, { deadlineMs, tag: domain.uuid });
      line.promised -= 1;
      return { kind: 'answered', value: await answer };
    } catch (error) {
      if (error instanceof RpcError) return { kind: 'refused' };
      if (error instanceof CallTimeoutError && error.sent) {
        this.#timeouts += 1;
        return { kind: 'unresponsive' };
      }
      return { kind: 'unasked' };
    } finally {
      this.#wakeWaiting();
    }
  }

  #isStuck(uuid: string): boolean {
    return this.#lines.some(({ connection }) => connection.isOutstanding(uuid));
  }

  /** A slot to call on, kept for the caller; undefined when there is none before the deadline. */
  async #slot(deadline: number): Promise<Line | undefined> {
    for (;;) {
      if (this.#closed || performance.now() >= deadline) return undefined;
      this.#dropClosed();
      if (this.#stuck >= MAX_STUCK) return undefined;
      const free = this.#lines.find(
        ({ connection, promised }) => connection.outstanding + promised < WINDOW,
      );
      if (free !== undefined) {
        free.promised += 1;
        return free;
      }
      if (!this.#allStuck) {
        await this.#freedSlot(deadline);
      } else if (this.#lines.length >= MAX_CONNECTIONS) {
        return undefined;
      } else if ((await within(this.#open(), deadline)) === undefined) {
        return undefined;
      }
    }
  }

  /** Resolves when a call of ours ends or the deadline passes, whichever is first. */
  async #freedSlot(deadline: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<true>();
    const wake = (): void => {
      resolve(true);
    };
    this.#waiting.push(wake);
    await within(promise, deadline);
    const at = this.#waiting.indexOf(wake);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  /** Opens one more connection, for all who wait for one; undefined when that failed. */
  #open(): Promise<true | undefined> {
    this.#opening ??= this.#options
      .open()
      .then(async (connection) => {
        if (this.#closed) {
          await connection.close();
          return undefined;
        }
        this.#connects += 1;
        this.#lines.push({ connection, promised: 0 });
        connection.onLateReply(() => {
          this.#wakeWaiting();
        });
        this.#wakeWaiting();
        return true as const;
      })
      .catch(() => undefined)
      .finally(() => {
        this.#opening = undefined;
      });
    return this.#opening;
  }

  /** Stuck calls over all connections. */
  get #stuck(): number {
    return this.#lines.reduce((sum, { connection }) => sum + connection.overdue, 0);
  }

  /** There will be no free slot unless a connection is added. */
  get #allStuck(): boolean {
    return this.#lines.every(({ connection }) => connection.overdue >= WINDOW);
  }

  /**
   * Wakes as many of those who wait as there are slots, or all when it is no use to wait. Never all
   * for one slot: with 1000 guests waiting that would be 1000 × 1000 awakenings per scrape.
   */
  #wakeWaiting(): void {
    const hopeless = this.#closed || this.#stuck >= MAX_STUCK || this.#allStuck;
    const slots = this.#lines.reduce(
      (sum, { connection, promised }) =>
        sum + Math.max(0, WINDOW - connection.outstanding - promised),
      0,
    );
    for (const wake of this.#waiting.splice(0, hopeless ? this.#waiting.length : slots)) wake();
  }

  #dropClosed(): void {
    this.#lines = this.#lines.filter(({ connection }) => {
      if (connection.closeReason === undefined) return true;
      this.#lateRepliesOfClosed += connection.lateReplies;
      return false;
    });
  }
}

/** Groups which need the monitor, as far as this exporter asks for them. */
export const monitorGroups = {
  balloon: domainStats.balloon,
  block: domainStats.block,
  cpu: domainStats.cpuTotal | domainStats.vcpu,
} as const;
