import { setImmediate as nextTurn } from 'node:timers/promises';

import {
  domainStats,
  LibvirtError,
  listDomains,
  readDomainStats,
  type DomainJobInfo,
  type DomainRef,
  type DomainStats,
  type LibvirtConnection,
} from '../libvirt/index.ts';
import type { DomainConfig } from '../sources/domain-config.ts';
import { QemuProcessFinder, type QemuProcess } from '../sources/qemu-processes.ts';
import type { Roots } from '../sources/roots.ts';
import { BalloonCache } from './balloon-cache.ts';
import type { CollectorName } from './collectors.ts';
import type { Balloon, Domain, DomainJob, NicCounters } from './domain.ts';
import { DomainConfigs } from './domain-configs.ts';
import { stateNames } from './domain-state-names.ts';
import type { GuestMonitor, MonitorAnswer } from './guest-monitor.ts';
import { MONITORS_AT_ONCE, monitorGroups } from './guest-monitor.ts';
import { GuestProcessCollector, type GuestFacts } from './guest-process-collector.ts';
import { balloonOf, disksOf, libvirtCpuOf, nicsOf, perfOf } from './guest-stats.ts';
import type { LibvirtSession } from './libvirt-session.ts';
import type { NetworkLinks } from './network.ts';
import { nicsInSight } from './nic-counters.ts';
import type { OutcomeLog } from './outcome-log.ts';

/** Guests put together between two turns of the event loop. */
const GUESTS_PER_TURN = 50;

/** Changes told of between two collections, after which all guests are taken to have changed. */
const MAX_CHANGES = 10_000;

/** What the bulk calls say of one guest. */
interface Listed {
  readonly ref: DomainRef;
  readonly stats: DomainStats;
  readonly persistent: boolean;
  readonly autostart: boolean;
}

/** A guest and what its XML says; enough to look for its images. */
export type ConfiguredGuest = Pick<Domain, 'name' | 'uuid' | 'config'>;

export interface GuestsUnderWay {
  /** Known long before the rest, which waits for monitors. Undefined as below. */
  readonly configured: Promise<readonly ConfiguredGuest[] | undefined>;
  /** Undefined when libvirt could not be asked. */
  readonly domains: Promise<readonly Domain[] | undefined>;
}

/** What was learnt of one guest beyond the bulk calls. */
interface Learnt {
  readonly config: DomainConfig | undefined;
  readonly answer: MonitorAnswer;
  readonly balloon: Balloon | undefined;
  readonly nics: readonly NicCounters[] | undefined;
  readonly facts: GuestFacts | undefined;
  readonly job: DomainJob | undefined;
}

/**
 * Collects the guests: one bulk call for what libvirt answers without asking them, then their XML
 * (cached), their monitors (guest by guest, see GuestMonitor) and their processes side by side.
 */
export class GuestCollector {
  readonly #session: LibvirtSession;
  readonly #monitor: GuestMonitor;
  readonly #configs = new DomainConfigs();
  readonly #balloons = new BalloonCache();
  readonly #finder: QemuProcessFinder;
  readonly #processes: GuestProcessCollector;
  /** Told of since the last collection began. */
  #changes = 0;

  constructor(session: LibvirtSession, monitor: GuestMonitor, roots: Roots, pageBytes: number) {
    this.#session = session;
    this.#monitor = monitor;
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
  ): GuestsUnderWay {
    const { promise, resolve } = Promise.withResolvers<readonly ConfiguredGuest[] | undefined>();
    const domains = this.#collect(log, deadline, selects, network, resolve);
    // Without guests there are none with a configuration.
    const end = (): void => {
      resolve(undefined);
    };
    void domains.then(end, end);
    return { configured: promise, domains };
  }

  async #collect(
    log: OutcomeLog,
    deadline: number,
    selects: (name: string) => boolean,
    network: Promise<NetworkLinks | undefined>,
    tellConfigured: (guests: readonly ConfiguredGuest[]) => void,
  ): Promise<readonly Domain[] | undefined> {
    // Of those past the limit it is not known which guests they were.
    if (this.#changes > MAX_CHANGES) this.#invalidateAll();
    this.#changes = 0;
    const connection = this.#session.current;
    if (connection === undefined) {
      const error = this.#session.lastError;
      log.fail('domain', {
        kind: 'absent',
        subject: 'libvirt',
        detail: error === undefined ? 'not connected yet' : error.message,
      });
      return undefined;
    }
    const listed = await log.runAsync('domain', () => this.#list(connection, log, deadline));
    if (listed === undefined) return undefined;
    const selected = listed.filter(({ ref }) => selects(ref.name));

    const active = selected.filter(({ ref }) => ref.id !== undefined);
    const qemus = await this.#find(active, log);
    const configs = this.#configsOf(selected, connection, log, deadline);
    const [known, answers, nics, facts] = await Promise.all([
      configs,
      configs.then((early) => {
        tellConfigured(
          selected.map(({ ref: { name, uuid } }) => ({ name, uuid, config: early.get(uuid) })),
        );
        return this.#askMonitors(active, early, qemus, log, deadline);
      }),
      configs.then((early) =>
        log.runAsync('nic', async () =>
          this.#nics(active, early, await network, connection, log, deadline),
        ),
      ),
      this.#processes.collect(qemus, log, deadline),
    ]);

    const jobs = await log.runAsync('job', () => this.#jobs(active, answers, deadline));

    const domains: Domain[] = [];
    for (const one of selected) {
      if (domains.length % GUESTS_PER_TURN === GUESTS_PER_TURN - 1) await nextTurn();
      const { uuid } = one.ref;
      const answer = answers.get(uuid) ?? { kind: 'unasked' };
      domains.push(
        domainOf(one, log, {
          config: known.get(uuid),
          answer,
          balloon: this.#balloonOf(uuid, answer, log),
          nics: nics?.get(uuid),
          facts: facts.get(uuid),
          job: jobs?.get(uuid),
        }),
      );
    }
    this.#balloons.retain(new Set(selected.map(({ ref }) => ref.uuid)));
    return domains;
  }

  /** Bulk calls only; none of them waits for a guest. */
  async #list(
    connection: LibvirtConnection,
    log: OutcomeLog,
    deadline: number,
  ): Promise<readonly Listed[] | undefined> {
    const options = { deadlineMs: Math.max(1, deadline - performance.now()) };
    const groups =
      domainStats.state | (log.wants('perf') ? domainStats.perf | domainStats.memory : 0);
    try {
      const [records, autostart, persistent] = await Promise.all([
        connection.getAllDomainStats(groups, 0, [], options),
        connection.listAllDomains(listDomains.autostart, options),
        connection.listAllDomains(listDomains.persistent, options),
      ]);
      const starting = new Set(autostart.map(({ uuid }) => uuid));
      const lasting = new Set(persistent.map(({ uuid }) => uuid));
      return records.map((record) => ({
        ref: record.domain,
        stats: readDomainStats(record),
        persistent: lasting.has(record.domain.uuid),
        autostart: starting.has(record.domain.uuid),
      }));
    } catch (error) {
      failCall(log, 'domain', 'libvirt', error);
      return undefined;
    }
  }

  /** From the host's own interfaces where all of a guest's are in sight, else from libvirt. */
  async #nics(
    active: readonly Listed[],
    configs: ReadonlyMap<string, DomainConfig>,
    network: NetworkLinks | undefined,
    connection: LibvirtConnection,
    log: OutcomeLog,
    deadline: number,
  ): Promise<ReadonlyMap<string, readonly NicCounters[]>> {
    const nics = new Map<string, readonly NicCounters[]>();
    const others: DomainRef[] = [];
    for (const { ref } of active) {
      const config = configs.get(ref.uuid);
      const counters =
        config === undefined || network === undefined ? undefined : nicsInSight(config, network);
      if (counters === undefined) others.push(ref);
      else nics.set(ref.uuid, counters);
    }
    if (others.length === 0) return nics;
    const options = { deadlineMs: Math.max(1, deadline - performance.now()) };
    try {
      const records = await connection.getAllDomainStats(domainStats.interface, 0, others, options);
      for (const record of records) {
        nics.set(record.domain.uuid, nicsOf(readDomainStats(record)));
      }
    } catch (error) {
      failCall(log, 'nic', 'interfaces of guests', error);
    }
    return nics;
  }

  async #find(
    active: readonly Listed[],
    log: OutcomeLog,
  ): Promise<ReadonlyMap<string, QemuProcess>> {
    const uuids = new Set(active.map(({ ref }) => ref.uuid));
    const found = await log.runAsync('process', async () =>
      log.required('process', await this.#finder.find(uuids)),
    );
    return found ?? new Map();
  }

  async #configsOf(
    selected: readonly Listed[],
    connection: LibvirtConnection,
    log: OutcomeLog,
    deadline: number,
  ): Promise<ReadonlyMap<string, DomainConfig>> {
    const { configs, errors } = await this.#configs.of(
      selected.map(({ ref }) => ref),
      connection,
      deadline,
    );
    for (const error of errors) log.fail('domain', error);
    return configs;
  }

  async #askMonitors(
    active: readonly Listed[],
    configs: ReadonlyMap<string, DomainConfig>,
    qemus: ReadonlyMap<string, QemuProcess>,
    log: OutcomeLog,
    deadline: number,
  ): Promise<ReadonlyMap<string, MonitorAnswer>> {
    const answers = new Map<string, MonitorAnswer>();
    const isQemu = this.#session.versions?.driver === 'QEMU';
    if (!isQemu) return answers;
    const start = performance.now();
    // No more under way than can be asked at once: a thousand that wait for a slot, each with a
    // timer of its own, cost more than their questions.
    const queue = active.values();
    const askInTurn = async (): Promise<void> => {
      for (const { ref } of queue) {
        const period = configs.get(ref.uuid)?.balloon?.statsPeriodSeconds;
        const wantsBalloon = log.wants('balloon') && this.#balloons.isDue(ref, period);
        const groups =
          (wantsBalloon ? monitorGroups.balloon : 0) |
          (log.wants('block') ? monitorGroups.block : 0) |
          (log.wants('process') && !qemus.has(ref.uuid) ? monitorGroups.cpu : 0);
        if (groups === 0) continue;
        const answer = await this.#monitor.ask(ref, groups, deadline);
        answers.set(ref.uuid, answer);
        if (answer.kind === 'answered' && wantsBalloon) {
          this.#balloons.put(ref, balloonOf(answer.value));
        }
      }
    };
    await Promise.all(Array.from({ length: MONITORS_AT_ONCE }, askInTurn));
    const milliseconds = performance.now() - start;
    for (const collector of ['balloon', 'block'] as const) {
      if (!log.wants(collector)) continue;
      log.spend(collector, milliseconds);
      const missed = active.filter(({ ref }) => answers.get(ref.uuid)?.kind === 'unasked');
      if (missed.length === 0) continue;
      log.fail(collector, {
        kind: 'timeout',
        subject: 'guest monitors',
        detail: `${missed.length} of ${active.length} guests could not be asked in time`,
      });
    }
    return answers;
  }

  #balloonOf(uuid: string, answer: MonitorAnswer, log: OutcomeLog): Balloon | undefined {
    if (!log.wants('balloon') || answer.kind === 'unresponsive') return undefined;
    return this.#balloons.get(uuid);
  }

  /** Of the guests whose monitor has just answered: the others would only keep a slot. */
  async #jobs(
    active: readonly Listed[],
    answers: ReadonlyMap<string, MonitorAnswer>,
    deadline: number,
  ): Promise<ReadonlyMap<string, DomainJob>> {
    const jobs = new Map<string, DomainJob>();
    await Promise.all(
      active.map(async ({ ref }) => {
        if (answers.get(ref.uuid)?.kind === 'unresponsive') return;
        const answer = await this.#monitor.askJob(ref, deadline);
        const job = answer.kind === 'answered' ? jobOf(answer.value) : undefined;
        if (job !== undefined) jobs.set(ref.uuid, job);
      }),
    );
    return jobs;
  }
}

/** Notes a call that libvirt did not answer as it should. @throws any other error, as it is. */
function failCall(
  log: OutcomeLog,
  collector: CollectorName,
  subject: string,
  error: unknown,
): void {
  if (!(error instanceof LibvirtError)) throw error;
  const kind = error.kind === 'timeout' ? 'timeout' : 'absent';
  log.fail(collector, { kind, subject, detail: error.message });
}

function domainOf(
  { ref, stats, persistent, autostart }: Listed,
  log: OutcomeLog,
  learnt: Learnt,
): Domain {
  const { state, reason } = stateNames(stats.state.state, stats.state.reason);
  const { answer, config, balloon, nics, facts, job } = learnt;
  const answered = answer.kind === 'answered' ? answer.value : undefined;
  return {
    name: ref.name,
    uuid: ref.uuid,
    state,
    reason,
    active: ref.id !== undefined,
    persistent,
    autostart,
    config,
    monitor: MONITOR[answer.kind],
    balloon,
    disks: answered === undefined || !log.wants('block') ? undefined : disksOf(answered),
    nics,
    libvirtCpu:
      answered === undefined || facts?.process !== undefined ? undefined : libvirtCpuOf(answered),
    process: facts?.process,
    cgroup: facts?.cgroup,
    job,
    perf: log.wants('perf') ? perfOf(stats.params) : undefined,
  };
}

const MONITOR: Readonly<Record<MonitorAnswer['kind'], Domain['monitor']>> = {
  answered: 'responsive',
  unresponsive: 'unresponsive',
  refused: 'unasked',
  unasked: 'unasked',
};

/** virDomainJobType: bounded and unbounded jobs are running; the rest is over or none. */
const JOB_OPERATIONS: ReadonlyMap<number, string> = new Map([
  [1, 'bounded'],
  [2, 'unbounded'],
]);

function jobOf(info: DomainJobInfo): DomainJob | undefined {
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
