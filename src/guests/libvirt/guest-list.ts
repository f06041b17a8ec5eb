import {
  domainStats,
  getAllDomainStats,
  listDomains,
  readDomainStats,
  type DomainRef,
  type DomainState,
  type TypedParams,
} from '../../libvirt/index.ts';
import type { ControlCalls } from './control-calls.ts';
import type { CallFailure, DaemonCalls } from './daemon-calls.ts';
import type { OutcomeLog } from '../../model/outcome-log.ts';
import type { Deadline } from '../../runtime/deadline.ts';

/** A daemon with a free worker lists a thousand guests in 30 ms. */
const LIST_TIMEOUT_MS = 500;
/** For one guest's state, which waits for nothing but the guest's lock. */
const STATE_TIMEOUT_MS = 200;

/** What libvirt says of one guest without asking its QEMU. */
export interface ListedGuest {
  readonly ref: DomainRef;
  readonly state: DomainState;
  /** Undefined when not known. */
  readonly persistent: boolean | undefined;
  readonly autostart: boolean | undefined;
  /** Statistics that came with the list (perf, memory bandwidth); undefined when it came without. */
  readonly params: TypedParams | undefined;
}

/** VIR_DOMAIN_NOSTATE: libvirt's own word for a state that is not known. */
const UNKNOWN_STATE: DomainState = { state: 0, reason: 0 };

/**
 * The list of guests, by three ways, each for when the one before hangs:
 *
 * 1. one bulk call, which an ordinary worker of the daemon carries out;
 * 2. the list and each guest's state by priority procedures, when all ordinary workers are taken;
 * 3. the list as it was, with the state of each guest whose lock is free: every listing waits for the
 *    lock of every guest, and the daemon holds one for as long as it runs `ovs-vsctl` for that guest.
 *    Guests that came since are missing until a list is answered.
 */
export class GuestList {
  readonly #calls: DaemonCalls;
  readonly #control: ControlCalls;
  /** As last listed, by uuid. */
  #last: ReadonlyMap<string, ListedGuest> | undefined;

  constructor(calls: DaemonCalls, control: ControlCalls) {
    this.#calls = calls;
    this.#control = control;
  }

  /** Another daemon, or the same one after a restart: what is known may be wrong. */
  forget(): void {
    this.#last = undefined;
  }

  /**
   * Undefined when the daemon answered nothing at all; the log says why then. Never rejects.
   *
   * @param locked guests whose lock is known to be held, so that no listing would be answered.
   */
  async read(
    log: OutcomeLog,
    deadline: Deadline,
    locked: ReadonlySet<string>,
  ): Promise<readonly ListedGuest[] | undefined> {
    const listed =
      locked.size > 0 && this.#last !== undefined
        ? await this.#lastKnown(this.#last, locked, deadline)
        : ((await this.#inBulk(log, deadline)) ?? (await this.#oneByOne(log, deadline)));
    if (listed !== undefined) this.#last = new Map(listed.map((guest) => [guest.ref.uuid, guest]));
    return listed;
  }

  async #inBulk(log: OutcomeLog, deadline: Deadline): Promise<readonly ListedGuest[] | undefined> {
    const groups =
      domainStats.state | (log.wants('perf') ? domainStats.perf | domainStats.memory : 0);
    const bulk = await this.#calls.call(
      { key: 'list of guests', timeoutMs: LIST_TIMEOUT_MS, deadline, isAlive: () => true },
      (connection, options) =>
        connection.getAllDomainStats(groups, getAllDomainStats.noWait, [], options),
    );
    if (!bulk.ok) return undefined;
    const autostart = await this.#uuids('autostart', listDomains.autostart, deadline);
    const persistent = await this.#uuids('persistent', listDomains.persistent, deadline);
    return bulk.value.map((record) => {
      const { state, params } = readDomainStats(record);
      const { uuid } = record.domain;
      const last = this.#last?.get(uuid);
      return {
        ref: record.domain,
        state: { state: state.state ?? 0, reason: state.reason ?? 0 },
        persistent: persistent?.has(uuid) ?? last?.persistent,
        autostart: autostart?.has(uuid) ?? last?.autostart,
        params,
      };
    });
  }

  /** Guests for which a list flag holds; undefined when that was not answered. */
  async #uuids(
    name: string,
    flag: number,
    deadline: Deadline,
  ): Promise<ReadonlySet<string> | undefined> {
    const answer = await this.#control.call(
      `list of ${name} guests`,
      LIST_TIMEOUT_MS,
      deadline,
      (connection, options) => connection.listAllDomains(flag, options),
    );
    return answer.ok ? new Set(answer.value.map(({ uuid }) => uuid)) : undefined;
  }

  async #oneByOne(
    log: OutcomeLog,
    deadline: Deadline,
  ): Promise<readonly ListedGuest[] | undefined> {
    const list = await this.#control.call(
      'list of guests',
      LIST_TIMEOUT_MS,
      deadline,
      (connection, options) => connection.listAllDomains(0, options),
    );
    if (list.ok) {
      const guests = list.value.map(
        (ref): ListedGuest =>
          this.#last?.get(ref.uuid) ?? {
            ref,
            state: UNKNOWN_STATE,
            persistent: undefined,
            autostart: undefined,
            params: undefined,
          },
      );
      const known = new Map(guests.map((guest) => [guest.ref.uuid, guest]));
      // A list was answered, so that there are guests even where no state is.
      return (await this.#lastKnown(known, new Set(), deadline)) ?? guests;
    }
    const lastKnown =
      this.#last === undefined ? undefined : await this.#lastKnown(this.#last, new Set(), deadline);
    if (lastKnown === undefined) {
      const isLate = list.error.kind === 'timeout' || list.error.kind === 'owed';
      const kind = isLate ? 'timeout' : 'absent';
      log.fail('domain', { kind, subject: 'libvirt', detail: toReason(list.error) });
    }
    return lastKnown;
  }

  /** The guests of a list with their states of today; undefined when not one of these is answered. */
  async #lastKnown(
    guests: ReadonlyMap<string, ListedGuest>,
    locked: ReadonlySet<string>,
    deadline: Deadline,
  ): Promise<readonly ListedGuest[] | undefined> {
    const current: ListedGuest[] = [];
    let answers = 0;
    for (const guest of guests.values()) {
      const { uuid } = guest.ref;
      const answer = locked.has(uuid)
        ? undefined
        : await this.#control.call(
            `state of ${uuid}`,
            STATE_TIMEOUT_MS,
            deadline,
            (connection, options) => connection.domainGetState(guest.ref, options),
          );
      const isRefused = answer?.ok === false && answer.error.kind === 'refused';
      if (answer?.ok === true || isRefused) answers += 1;
      // It is gone: undefined, or ended and transient.
      if (isRefused) continue;
      const state = answer?.ok === true ? answer.value : guest.state;
      // Statistics of an earlier list are not those of today.
      current.push({ ...guest, state, params: undefined });
    }
    return answers === 0 && guests.size > 0 ? undefined : current;
  }
}

function toReason(failure: CallFailure): string {
  switch (failure.kind) {
    case 'timeout':
      return `the list of guests was not answered within ${LIST_TIMEOUT_MS} ms`;
    case 'owed':
      return 'an earlier list of guests is not answered yet';
    case 'budget':
      return 'too many calls are not answered yet';
    case 'refused':
      return failure.cause.message;
    case 'lost':
      return failure.cause?.message ?? 'no connection';
  }
}
