import { domainStats, isGuestEnded, readDomainStats, type DomainRef } from '../../libvirt/index.ts';
import type { DomainConfig, Interface } from '../../model/domain-config.ts';
import type { Deadline } from '../../runtime/deadline.ts';
import { Backoff } from '../../runtime/backoff.ts';
import { TimeSlice } from '../../runtime/time-slice.ts';
import type { DaemonCalls } from './daemon-calls.ts';
import type { NicCounters } from '../../model/domain.ts';
import { toNic, toNics } from './guest-stats.ts';
import type { NetworkLinks } from '../../model/network.ts';
import { nicInSight, nicsInSight } from './nic-counters.ts';
import type { OutcomeLog } from '../../model/outcome-log.ts';

/** `ovs-vsctl` takes some 20 ms; it gives up by itself after 5 s. */
const PROGRAM_TIMEOUT_MS = 1_000;
/** For all guests together; the daemon reads /proc/net/dev for each NIC. */
const BULK_TIMEOUT_MS = 2_000;

const FIRST_BACKOFF_MS = 60_000;
const LONGEST_BACKOFF_MS = 10 * 60_000;

const BULK_KEY = 'interfaces of guests';

/**
 * The counters of guests' NICs: from the host's own interfaces where these are in sight, else from
 * libvirt.
 *
 * For a vhost-user NIC libvirt runs `ovs-vsctl` and holds the guest's lock meanwhile: five seconds for
 * each NIC when Open vSwitch hangs, and until then nobody's listing of guests is answered. Such NICs are
 * asked one by one, no further one of a guest while one is owed or was slow, and a slow guest is left
 * alone for up to 10 minutes.
 */
export class GuestNics {
  readonly #calls: DaemonCalls;
  readonly #backoff = new Backoff(FIRST_BACKOFF_MS, FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS);
  /** Guests for which a call about a NIC timed out. */
  readonly #timedOut = new Set<string>();

  constructor(calls: DaemonCalls) {
    this.#calls = calls;
  }

  /** Guests for which a call about a NIC has not been answered: the daemon holds their lock. */
  get locked(): ReadonlySet<string> {
    for (const uuid of this.#timedOut) if (!this.#calls.owes(uuid)) this.#timedOut.delete(uuid);
    return this.#timedOut;
  }

  /** By uuid. Guests with a NIC that could not be read are missing. Never rejects. */
  async read(
    active: readonly DomainRef[],
    configs: ReadonlyMap<string, DomainConfig>,
    network: NetworkLinks | undefined,
    log: OutcomeLog,
    deadline: Deadline,
  ): Promise<ReadonlyMap<string, readonly NicCounters[]>> {
    const nics = new Map<string, readonly NicCounters[]>();
    const inBulk: DomainRef[] = [];
    const byProgram: { readonly ref: DomainRef; readonly interfaces: readonly Interface[] }[] = [];
    const slice = new TimeSlice();
    for (const ref of active) {
      if (slice.isOver) await slice.nextTurn();
      // Of a guest without XML it is not known what libvirt would have to do for it.
      const config = configs.get(ref.uuid);
      if (config === undefined) continue;
      const { interfaces } = config;
      const inSight = network === undefined ? undefined : nicsInSight(config, network);
      if (inSight !== undefined) nics.set(ref.uuid, inSight);
      else if (interfaces.some(isAskedByProgram)) byProgram.push({ ref, interfaces });
      else inBulk.push(ref);
    }
    const uuids = new Set(active.map(({ uuid }) => uuid));
    this.#backoff.retain((key) => key === BULK_KEY || uuids.has(key));
    await Promise.all([
      this.#readInBulk(inBulk, nics, log, deadline),
      ...byProgram.map(({ ref, interfaces }) =>
        this.#readOneByOne(ref, interfaces, network, nics, log, deadline),
      ),
    ]);
    return nics;
  }

  async #readInBulk(
    refs: readonly DomainRef[],
    nics: Map<string, readonly NicCounters[]>,
    log: OutcomeLog,
    deadline: Deadline,
  ): Promise<void> {
    if (refs.length === 0 || this.#backoff.isLeftAlone(BULK_KEY)) return;
    const answer = await this.#calls.call(
      { key: BULK_KEY, timeoutMs: BULK_TIMEOUT_MS, deadline, isAlive: () => true },
      (connection, options) =>
        connection.getAllDomainStats(domainStats.interface, 0, refs, options),
    );
    if (answer.ok) {
      this.#backoff.answer(BULK_KEY);
      for (const record of answer.value) {
        nics.set(record.domain.uuid, toNics(readDomainStats(record)));
      }
      return;
    }
    // The next collection asks for those that are left.
    const { error } = answer;
    if (error.kind === 'refused' && isGuestEnded(error.cause)) return;
    if (error.kind === 'timeout') this.#backoff.miss(BULK_KEY);
    log.fail('nic', {
      kind: error.kind === 'refused' ? 'absent' : 'timeout',
      subject: BULK_KEY,
      detail: error.kind === 'refused' ? error.cause.message : `not answered (${error.kind})`,
    });
  }

  async #readOneByOne(
    ref: DomainRef,
    interfaces: readonly Interface[],
    network: NetworkLinks | undefined,
    nics: Map<string, readonly NicCounters[]>,
    log: OutcomeLog,
    deadline: Deadline,
  ): Promise<void> {
    const { uuid, name } = ref;
    if (this.#backoff.isLeftAlone(uuid)) return;
    const counters: NicCounters[] = [];
    for (const one of interfaces) {
      const { target } = one;
      if (target === undefined) continue;
      const inSight = network === undefined ? undefined : nicInSight(target, network);
      if (inSight !== undefined) {
        counters.push(inSight);
        continue;
      }
      const start = performance.now();
      const answer = await this.#calls.call(
        { key: uuid, timeoutMs: PROGRAM_TIMEOUT_MS, deadline },
        (connection, options) => connection.domainInterfaceStats(ref, target, options),
      );
      if (answer.ok && performance.now() - start < PROGRAM_TIMEOUT_MS) {
        counters.push(toNic(target, answer.value));
        continue;
      }
      const failure = answer.ok ? 'late' : answer.error.kind;
      if (failure === 'timeout') {
        this.#backoff.miss(uuid);
        this.#timedOut.add(uuid);
      }
      // A NIC the switch does not know has no counters; those of the others are as good as ever.
      if (failure === 'refused') continue;
      log.fail('nic', {
        kind: 'timeout',
        subject: `interface ${target} of ${name}`,
        detail: `not answered (${failure})`,
      });
      return;
    }
    this.#backoff.answer(uuid);
    nics.set(uuid, counters);
  }
}

/** libvirt has no other way to count than to ask Open vSwitch (virNetDevOpenvswitchInterfaceStats). */
function isAskedByProgram({ type }: Interface): boolean {
  return type === 'vhostuser';
}
