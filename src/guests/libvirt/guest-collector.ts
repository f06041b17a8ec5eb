import { setImmediate as nextTurn } from 'node:timers/promises';

import type { DomainJobInfo, DomainRef } from '../../libvirt/index.ts';
import type { DomainConfig } from '../../model/domain-config.ts';
import { QemuProcessFinder, type QemuProcess } from '../../sources/process/qemu-processes.ts';
import type { Roots } from '../../sources/kernel/roots.ts';
import { BalloonCache } from './balloon-cache.ts';
import { agrees, seenConfig, computeSignature, type SeenConfig } from './config-check.ts';
import type { DaemonCalls } from './daemon-calls.ts';
import { DomainConfigs, type DomainConfigsResult } from './domain-configs.ts';
import { stateNames } from './domain-state-names.ts';
import { GuestList, type ListedGuest } from './guest-list.ts';
import { GuestMonitor, monitorGroups, type MonitorAnswer } from './guest-monitor.ts';
import { GuestNics } from './guest-nics.ts';
import { GuestProcessCollector, type GuestFacts } from '../process/guest-process-collector.ts';
import { toBalloon, toDisks, toKvmCounters, toLibvirtCpu, toPerf } from './guest-stats.ts';
import type { LibvirtSession } from './libvirt-session.ts';
import type { NetworkLinks } from '../../model/network.ts';
import { OccupiedGuests } from './occupied-guests.ts';
import type { OutcomeLog } from '../../model/outcome-log.ts';
import { severalAtOnce } from '../../runtime/several-at-once.ts';
import type { SeenStandstill } from '../process/standstill.ts';
import type { StorageCheck } from './storage-check.ts';
import type {
  Balloon,
  ConfiguredGuest,
  Domain,
  DomainJob,
  KvmCounters,
  NicCounters,
} from '../../model/domain.ts';

/** Guests put together between two turns of the event loop. */
const GUESTS_PER_TURN = 50;

/** Changes told of between two collections, after which all guests are taken to have changed. */
const MAX_CHANGES = 10_000;

export interface GuestsUnderWay {
  /** Known long before the rest, which waits for monitors. Undefined as below. */
  readonly configured: Promise<readonly ConfiguredGuest[] | undefined>;
  /**
   * With `domains`: those that `configured` told of with an XML which turned out to be out of date, with
   * what it is now. Whatever was made of the old one is not true.
   */
  readonly changed: Promise<ReadonlyMap<string, ConfiguredGuest>>;
  /** Undefined when libvirt could not be asked. */
  readonly domains: Promise<readonly Domain[] | undefined>;
}

/** Begins to ask whether what these guests' disks depend on answers. */
export type CheckStorage = (guests: readonly ConfiguredGuest[]) => StorageCheck | undefined;

/** What was learnt of one guest beyond the list. */
interface Learnt {
  readonly config: DomainConfig | undefined;
  readonly answer: MonitorAnswer | undefined;
  readonly balloon: Balloon | undefined;
  readonly kvm: KvmCounters | undefined;
  readonly nics: readonly NicCounters[] | undefined;
  readonly facts: GuestFacts | undefined;
  readonly job: DomainJob | undefined;
}

/** What is known of the guests before their monitors are asked. */
interface Asked {
  readonly active: readonly DomainRef[];
  /** Guests whose lock libvirt holds for a question of ours. */
  readonly locked: ReadonlySet<string>;
  readonly configs: ReadonlyMap<string, DomainConfig>;
  readonly qemus: ReadonlyMap<string, QemuProcess>;
  readonly storage: StorageCheck | undefined;
  /** Settled as their processes are read. */
  readonly standstills: ReadonlyMap<string, PromiseWithResolvers<SeenStandstill | undefined>>;
}

/** A guest's answers in one collection; where a guest is missing nothing was asked of it. */
type Answers = ReadonlyMap<string, MonitorAnswer>;

/**
 * Collects the guests: their list, then their XML (cached), then side by side their processes, their
 * monitors (guest by guest, see GuestMonitor) and their NICs.
 */
export class GuestCollector {
  readonly #session: LibvirtSession;
  readonly #calls: DaemonCalls;
  readonly #list: GuestList;
  readonly #occupied: OccupiedGuests;
  readonly #monitor: GuestMonitor;
  readonly #nics: GuestNics;
  readonly #configs = new DomainConfigs();
  readonly #balloons = new BalloonCache();
  readonly #finder: QemuProcessFinder;
  readonly #processes: GuestProcessCollector;
  /** Sights of guests, by uuid, that a fresh XML did not explain. */
  readonly #unexplained = new Map<string, string>();
  /** Told of since the last collection began. */
  #changes = 0;

  constructor(session: LibvirtSession, calls: DaemonCalls, roots: Roots, pageBytes: number) {
    this.#session = session;
    this.#calls = calls;
    this.#list = new GuestList(calls, session.control);
    this.#occupied = new OccupiedGuests(session.control, calls);
    this.#monitor = new GuestMonitor(calls, this.#occupied, roots);
    this.#nics = new GuestNics(calls);
    this.#finder = new QemuProcessFinder(roots);
    this.#processes = new GuestProcessCollector(roots, pageBytes);
    session.on('changed', (uuid) => {
      this.#changes += 1;
      if (this.#changes === MAX_CHANGES) this.#invalidateAll();
      if (this.#changes >= MAX_CHANGES) return;
      this.#configs.invalidate(uuid);
      this.#balloons.invalidate(uuid);
      this.#processes.invalidate(uuid);
    });
    session.on('connected', () => {
      this.#list.forget();
      this.#occupied.connected();
      this.#invalidateAll();
    });
  }

  #invalidateAll(): void {
    this.#configs.invalidateAll();
    this.#balloons.invalidateAll();
    this.#processes.invalidateAll();
  }

  /**
   * The guests `selects` lets through. Neither promise ever rejects.
   *
   * @param deadline in `performance.now()` time.
   * @param network the host's interfaces, for the counters of NICs; undefined where not collected.
   */
  collect(
    log: OutcomeLog,
    deadline: number,
    selects: (name: string) => boolean,
    network: Promise<NetworkLinks | undefined>,
    checkStorage: CheckStorage,
  ): GuestsUnderWay {
    const { promise, resolve } = Promise.withResolvers<readonly ConfiguredGuest[] | undefined>();
    const changed = new Map<string, ConfiguredGuest>();
    const domains = this.#collect(log, deadline, selects, network, checkStorage, resolve, changed);
    // Without guests there are none with a configuration.
    const end = (): void => {
      resolve(undefined);
    };
    void domains.then(end, end);
    return { configured: promise, domains, changed: domains.then(() => changed) };
  }

  async #collect(
    log: OutcomeLog,
    deadline: number,
    selects: (name: string) => boolean,
    network: Promise<NetworkLinks | undefined>,
    checkStorage: CheckStorage,
    tellConfigured: (guests: readonly ConfiguredGuest[]) => void,
    changed: Map<string, ConfiguredGuest>,
  ): Promise<readonly Domain[] | undefined> {
    // Of those past the limit it is not known which guests they were.
    if (this.#changes > MAX_CHANGES) this.#invalidateAll();
    this.#changes = 0;
    if (this.#session.current === undefined) {
      const error = this.#session.lastError;
      log.fail('domain', {
        kind: 'absent',
        subject: 'libvirt',
        detail: error === undefined ? 'not connected yet' : error.message,
      });
      return undefined;
    }
    const locked = new Set(this.#nics.locked);
    const listed = await log.runAsync('domain', () => this.#list.read(log, deadline, locked));
    if (listed === undefined) return undefined;
    const wanted = listed.filter(({ ref }) => selects(ref.name));
    const running = wanted.map(({ ref }) => ref).filter(({ id }) => id !== undefined);
    // Control info waits for a guest's lock as well.
    const unlocked = running.filter(({ uuid }) => !locked.has(uuid));
    await log.runAsync('domain', () => this.#occupied.look(unlocked, deadline));

    const { configs, gone } = await this.#readConfigs(wanted, log, deadline);
    const isThere = ({ uuid }: DomainRef): boolean => !gone.has(uuid);
    const selected = wanted.filter(({ ref }) => isThere(ref));
    const active = running.filter(isThere);
    const qemus = await this.#find(active, configs, log);
    const configured = ({ name, uuid, id }: DomainRef): ConfiguredGuest => ({
      name,
      uuid,
      active: id !== undefined,
      config: configs.get(uuid),
      memoryFiles: qemus.get(uuid)?.memoryFiles ?? [],
    });
    const storage = checkStorage(active.map(configured));
    tellConfigured(selected.map(({ ref }) => configured(ref)));

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
      this.#askMonitors({ active, locked, configs, qemus, storage, standstills }, log, deadline),
      log.runAsync('nic', async () =>
        this.#nics.read(active, configs, await network, log, deadline),
      ),
    ]);

    await this.#reread(active, configs, qemus, answers, facts, log, deadline, changed);
    const findConfig = (uuid: string): DomainConfig | undefined => {
      const now = changed.get(uuid);
      return now === undefined ? configs.get(uuid) : now.config;
    };

    const jobs = await log.runAsync('job', () => this.#jobs(active, answers, deadline));

    const domains: Domain[] = [];
    for (const one of selected) {
      if (domains.length % GUESTS_PER_TURN === GUESTS_PER_TURN - 1) await nextTurn();
      const { uuid } = one.ref;
      const answer = answers.get(uuid);
      domains.push(
        toDomain(one, log, {
          config: findConfig(uuid),
          answer,
          balloon: this.#findBalloon(uuid, answer, log),
          kvm: this.#findKvm(one.ref, answer, log),
          nics: nics?.get(uuid),
          facts: facts.get(uuid),
          job: jobs?.get(uuid),
        }),
      );
    }
    this.#balloons.retain(new Set(selected.map(({ ref }) => ref.uuid)));
    return domains;
  }

  async #find(
    active: readonly DomainRef[],
    configs: ReadonlyMap<string, DomainConfig>,
    log: OutcomeLog,
  ): Promise<ReadonlyMap<string, QemuProcess>> {
    const expected = new Map(
      active.map(({ uuid, id }) => [uuid, { runId: id, ownerUid: configs.get(uuid)?.ownerUid }]),
    );
    const found = await log.runAsync('process', async () =>
      log.required('process', await this.#finder.find(expected)),
    );
    if (found === undefined) log.failDependants('process');
    return found ?? new Map();
  }

  async #readConfigs(
    selected: readonly ListedGuest[],
    log: OutcomeLog,
    deadline: number,
  ): Promise<DomainConfigsResult> {
    const result = await this.#configs.of(
      selected.map(({ ref }) => ref),
      this.#calls,
      deadline,
    );
    for (const error of result.errors) log.fail('domain', error);
    return result;
  }

  /** Not every change sends an event; what is seen of a guest tells of those that matter most. */
  async #reread(
    active: readonly DomainRef[],
    configs: ReadonlyMap<string, DomainConfig>,
    qemus: ReadonlyMap<string, QemuProcess>,
    answers: Answers,
    facts: ReadonlyMap<string, GuestFacts>,
    log: OutcomeLog,
    deadline: number,
    changed: Map<string, ConfiguredGuest>,
  ): Promise<void> {
    const seen = new Map<string, SeenConfig>();
    for (const { uuid } of active) {
      const config = configs.get(uuid);
      if (config === undefined) continue;
      const one = seenConfig(answers.get(uuid)?.stats, facts.get(uuid)?.process?.threads);
      if (agrees(config, one)) this.#unexplained.delete(uuid);
      else if (this.#unexplained.get(uuid) !== computeSignature(one)) seen.set(uuid, one);
    }
    const uuids = new Set(active.map(({ uuid }) => uuid));
    for (const uuid of this.#unexplained.keys())
      if (!uuids.has(uuid)) this.#unexplained.delete(uuid);
    if (seen.size === 0) return;
    const outdated = active.filter(({ uuid }) => seen.has(uuid));
    const fresh = await this.#configs.again(outdated, this.#calls, deadline);
    for (const error of fresh.errors) log.fail('domain', error);
    for (const { uuid, name } of outdated) {
      const config = fresh.configs.get(uuid);
      const memoryFiles = qemus.get(uuid)?.memoryFiles ?? [];
      changed.set(uuid, { name, uuid, config, memoryFiles });
      const one = seen.get(uuid);
      if (config !== undefined && one !== undefined && !agrees(config, one)) {
        this.#unexplained.set(uuid, computeSignature(one));
      }
    }
  }

  async #askMonitors(
    { active, locked, configs, qemus, storage, standstills }: Asked,
    log: OutcomeLog,
    deadline: number,
  ): Promise<Answers> {
    if (this.#session.versions?.driver !== 'QEMU') return new Map();
    const start = performance.now();
    const answers = new Map<string, MonitorAnswer>();
    // Together with the balloon and at its pace: each answer costs the guest's QEMU.
    const withBalloon =
      monitorGroups.balloon |
      monitorGroups.haltPolling |
      (relaysKvmCounters(this.#session.versions.libvirt) ? monitorGroups.kvm : 0);
    const asked = active.flatMap((ref) => {
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
        return [];
      }
      const question = {
        ref,
        groups,
        pid: qemus.get(uuid)?.pid,
        standstill: standstills.get(uuid)?.promise ?? Promise.resolve(undefined),
      };
      return groups === 0 ? [] : [{ question, wantsBalloon }];
    });
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

  #findBalloon(
    uuid: string,
    answer: MonitorAnswer | undefined,
    log: OutcomeLog,
  ): Balloon | undefined {
    if (!log.wants('balloon') || answer?.monitor === 'unresponsive') return undefined;
    return this.#balloons.get(uuid);
  }

  #findKvm(
    ref: DomainRef,
    answer: MonitorAnswer | undefined,
    log: OutcomeLog,
  ): KvmCounters | undefined {
    if (!log.wants('balloon') || answer?.monitor === 'unresponsive') return undefined;
    return this.#balloons.getKvm(ref);
  }

  /** Of guests whose monitor has just answered: the others would only keep a slot. */
  async #jobs(
    active: readonly DomainRef[],
    answers: Answers,
    deadline: number,
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

function toDomain(
  { ref, state, persistent, autostart, params }: ListedGuest,
  log: OutcomeLog,
  learnt: Learnt,
): Domain {
  const { answer, config, balloon, kvm, nics, facts, job } = learnt;
  const answered = answer?.stats;
  return {
    name: ref.name,
    uuid: ref.uuid,
    ...stateNames(state.state, state.reason),
    active: ref.id !== undefined,
    persistent,
    autostart,
    config,
    monitor: answer?.monitor ?? 'unasked',
    unaskedReason: answer?.reason,
    balloon,
    disks:
      answered === undefined || !log.wants('block') || answer?.reason === 'storage'
        ? undefined
        : toDisks(answered),
    nics,
    libvirtCpu:
      answered === undefined || facts?.process !== undefined ? undefined : toLibvirtCpu(answered),
    kvm,
    process: facts?.process,
    cgroup: facts?.cgroup,
    job,
    perf: params === undefined || !log.wants('perf') ? undefined : toPerf(params),
  };
}

/** Since 8.9 libvirt relays what QEMU tells of KVM in the group of vCPUs. */
function relaysKvmCounters(libvirtVersion: string): boolean {
  const [major = 0, minor = 0] = libvirtVersion.split('.').map(Number);
  return major > 8 || (major === 8 && minor >= 9);
}

/** virDomainJobType: bounded and unbounded jobs are running; the rest is over or none. */
const JOB_OPERATIONS: ReadonlyMap<number, string> = new Map([
  [1, 'bounded'],
  [2, 'unbounded'],
]);

function toJob(info: DomainJobInfo): DomainJob | undefined {
  const operation = JOB_OPERATIONS.get(info.type);
  if (operation === undefined) return undefined;
  return {
    operation,
    elapsedSeconds: Number(info.timeElapsedMs) / 1000,
    remainingSeconds: info.timeRemainingMs === 0n ? undefined : Number(info.timeRemainingMs) / 1000,
    dataTotalBytes: info.dataTotalBytes,
    dataProcessedBytes: info.dataProcessedBytes,
    dataRemainingBytes: info.dataRemainingBytes,
  };
}
