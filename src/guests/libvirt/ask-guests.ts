import type { DomainRef } from '../../libvirt/index.ts';
import type { ConfiguredGuest, DomainJob, NicCounters } from '../../model/domain.ts';
import type { NetworkLinks } from '../../model/network.ts';
import type { OutcomeLog } from '../../model/outcome-log.ts';
import type { Deadline } from '../../runtime/deadline.ts';
import { TimeSlice } from '../../runtime/time-slice.ts';
import { severalAtOnce } from '../../runtime/several-at-once.ts';
import type { Roots } from '../../sources/kernel/roots.ts';
import type { GuestProcessCollector, GuestFacts } from '../process/guest-process-collector.ts';
import type { SeenStandstill } from '../process/standstill.ts';
import type { BalloonCache } from './balloon-cache.ts';
import { seenConfig } from './config-check.ts';
import type { DaemonCalls } from './daemon-calls.ts';
import type { DomainConfigs } from './domain-configs.ts';
import { GuestMonitor, monitorGroups, type MonitorAnswer, type Question } from './guest-monitor.ts';
import { GuestNics } from './guest-nics.ts';
import { toBalloon, toJob, toKvmCounters } from './guest-stats.ts';
import type { LibvirtSession } from './libvirt-session.ts';
import type { KnownGuests } from './list-guests.ts';
import type { OccupiedGuests } from './occupied-guests.ts';
import { OutdatedConfigs } from './outdated-configs.ts';
import type { StorageCheck } from './storage-check.ts';

/** A guest's answers in one collection; where a guest is missing nothing was asked of it. */
type Answers = ReadonlyMap<string, MonitorAnswer>;

/** Settled as the guests' processes are read. */
type Standstills = ReadonlyMap<string, PromiseWithResolvers<SeenStandstill | undefined>>;

/** What was learnt of the guests one by one, by uuid. */
export interface LearntOfGuests {
  readonly answers: Answers;
  readonly facts: ReadonlyMap<string, GuestFacts>;
  readonly nics: ReadonlyMap<string, readonly NicCounters[]> | undefined;
  readonly jobs: ReadonlyMap<string, DomainJob> | undefined;
  /** As {@link OutdatedConfigs.reread}. */
  readonly changed: ReadonlyMap<string, ConfiguredGuest>;
}

/**
 * Asks the guests one by one, side by side: their processes and cgroups, their monitors (guest by guest, see
 * GuestMonitor) and their NICs; then what only the answers make worth asking: fresh XML, and jobs.
 */
export class GuestAsker {
  readonly #session: LibvirtSession;
  readonly #calls: DaemonCalls;
  readonly #balloons: BalloonCache;
  readonly #monitor: GuestMonitor;
  readonly #nics: GuestNics;
  readonly #outdated: OutdatedConfigs;
  readonly #processes: GuestProcessCollector;

  constructor(
    session: LibvirtSession,
    calls: DaemonCalls,
    occupied: OccupiedGuests,
    configs: DomainConfigs,
    balloons: BalloonCache,
    processes: GuestProcessCollector,
    roots: Roots,
  ) {
    this.#session = session;
    this.#calls = calls;
    this.#balloons = balloons;
    this.#monitor = new GuestMonitor(calls, occupied, roots);
    this.#nics = new GuestNics(calls);
    this.#outdated = new OutdatedConfigs(configs, calls);
    this.#processes = processes;
  }

  /** Guests whose lock libvirt holds for a question of ours. */
  get locked(): ReadonlySet<string> {
    return new Set(this.#nics.locked);
  }

  /** Never rejects but with what is a bug. Parameters as `GuestCollector.ask`. */
  async ask(
    known: KnownGuests,
    log: OutcomeLog,
    deadline: Deadline,
    network: Promise<NetworkLinks | undefined>,
    storage: StorageCheck | undefined,
  ): Promise<LearntOfGuests> {
    const { active, configs, qemus } = known;
    const standstills = new Map(
      [...qemus.keys()].map((uuid) => [uuid, Promise.withResolvers<SeenStandstill | undefined>()]),
    );
    const [facts, answers, nics] = await Promise.all([
      this.#processes
        .collect(qemus, log, deadline, (uuid, seen) => standstills.get(uuid)?.resolve(seen))
        .finally(() => {
          // Nothing was seen of those that were not reached.
          for (const { resolve } of standstills.values()) resolve(undefined);
        }),
      this.#askMonitors(known, standstills, storage, log, deadline),
      log.runAsync('nic', async () =>
        this.#nics.read(active, configs, await network, log, deadline),
      ),
    ]);
    const see = ({ uuid }: DomainRef) =>
      seenConfig(answers.get(uuid)?.stats, facts.get(uuid)?.process?.threads);
    const changed = await this.#outdated.reread(known, see, log, deadline);
    const jobs = await log.runAsync('job', () => this.#jobs(active, answers, deadline));
    return { answers, facts, nics, jobs, changed };
  }

  async #askMonitors(
    { active, locked, configs, qemus }: KnownGuests,
    standstills: Standstills,
    storage: StorageCheck | undefined,
    log: OutcomeLog,
    deadline: Deadline,
  ): Promise<Answers> {
    if (this.#session.versions?.driver !== 'QEMU') return new Map();
    const start = performance.now();
    const answers = new Map<string, MonitorAnswer>();
    // Together with the balloon and at its pace: each answer costs the guest's QEMU.
    const withBalloon =
      monitorGroups.balloon |
      monitorGroups.haltPolling |
      (relaysKvmCounters(this.#session.versions.libvirt) ? monitorGroups.kvm : 0);
    const asked: { readonly question: Question; readonly wantsBalloon: boolean }[] = [];
    const slice = new TimeSlice();
    for (const ref of active) {
      if (slice.isOver) await slice.nextTurn();
      const { uuid } = ref;
      const period = configs.get(uuid)?.balloon?.statsPeriodSeconds;
      const wantsBalloon = log.wants('balloon') && this.#balloons.isDue(ref, period);
      const groups =
        (wantsBalloon ? withBalloon : 0) |
        (log.wants('block') ? monitorGroups.block : 0) |
        (log.wants('process') && !qemus.has(uuid) ? monitorGroups.cpu : 0);
      // libvirt can not even begin with a guest whose lock it holds for a question about its NICs.
      if (locked.has(uuid)) {
        answers.set(uuid, { stats: undefined, monitor: 'unasked', reason: 'occupied' });
        continue;
      }
      if (groups === 0) continue;
      const question = {
        ref,
        groups,
        pid: qemus.get(uuid)?.pid,
        standstill: standstills.get(uuid)?.promise ?? Promise.resolve(undefined),
      };
      asked.push({ question, wantsBalloon });
    }
    const asking = this.#monitor.askAll(
      asked.map(({ question }) => question),
      storage,
      deadline,
    );
    for (const [uuid, answer] of await asking) answers.set(uuid, answer);
    for (const { question, wantsBalloon } of asked) {
      const stats = answers.get(question.ref.uuid)?.stats;
      if (stats === undefined || !wantsBalloon) continue;
      this.#balloons.put(question.ref, toBalloon(stats), toKvmCounters(stats));
    }
    const milliseconds = performance.now() - start;
    const missed = [...answers.values()].filter(({ reason }) => reason === 'budget').length;
    for (const collector of ['balloon', 'block'] as const) {
      if (!log.wants(collector)) continue;
      log.spend(collector, milliseconds);
      if (missed === 0) continue;
      log.fail(collector, {
        kind: 'timeout',
        subject: 'guest monitors',
        detail: `${missed} of ${active.length} guests could not be asked: ${this.#calls.stuck} calls are stuck, or there was no time left`,
      });
    }
    return answers;
  }

  /** Of guests whose monitor has just answered: the others would only keep a slot. */
  async #jobs(
    active: readonly DomainRef[],
    answers: Answers,
    deadline: Deadline,
  ): Promise<ReadonlyMap<string, DomainJob>> {
    const jobs = new Map<string, DomainJob>();
    const responsive = active.filter(
      ({ uuid }) => (answers.get(uuid)?.monitor ?? 'responsive') === 'responsive',
    );
    await severalAtOnce(this.#calls.maxCalls, responsive, async (ref) => {
      const info = await this.#monitor.askJob(ref, deadline);
      const job = info === undefined ? undefined : toJob(info);
      if (job !== undefined) jobs.set(ref.uuid, job);
    });
    return jobs;
  }
}

/** Since 8.9 libvirt relays what QEMU tells of KVM in the group of vCPUs. */
function relaysKvmCounters(libvirtVersion: string): boolean {
  const [major = 0, minor = 0] = libvirtVersion.split('.').map(Number);
  return major > 8 || (major === 8 && minor >= 9);
}
