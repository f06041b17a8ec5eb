import { setTimeout as sleep } from 'node:timers/promises';

import {
  domainStats,
  getAllDomainStats,
  readDomainStats,
  type DomainJobInfo,
  type DomainRef,
  type DomainStats,
} from '../../libvirt/index.ts';
import type { Roots } from '../../sources/kernel/roots.ts';
import type { Deadline } from '../../runtime/deadline.ts';
import { Backoff } from '../../runtime/backoff.ts';
import type { CallFailure, DaemonCalls } from './daemon-calls.ts';
import { MainLoops, type SleepingThreads } from './main-loops.ts';
import type { OccupiedGuests } from './occupied-guests.ts';
import { severalAtOnce } from '../../runtime/several-at-once.ts';
import type { SeenStandstill } from '../process/standstill.ts';
import type { FailureDomain, StorageCheck } from './storage-check.ts';
import type { UnaskedReason } from '../../model/domain.ts';

/** Longest to wait for one guest's monitor; a healthy one answers within 10 ms. */
const MONITOR_TIMEOUT_MS = 2_000;

/** A failure domain whose canary did not answer is tried again with another guest. */
const FIRST_BACKOFF_MS = 15_000;
const LONGEST_BACKOFF_MS = 10 * 60_000;

/** Between the two looks at a main loop that has just begun to sleep uninterruptibly. */
const SECOND_LOOK_MS = 300;

/** Groups which need the monitor, as far as this exporter asks for them. */
export const monitorGroups = {
  balloon: domainStats.balloon,
  block: domainStats.block,
  cpu: domainStats.cpuTotal | domainStats.vcpu,
  /** Halt polling. */
  haltPolling: domainStats.cpuTotal,
  /** Exits, yields and preemptions: QEMU interrupts each vCPU for them. */
  kvm: domainStats.vcpu,
} as const;

export interface MonitorAnswer {
  /** Undefined when nothing was answered. */
  readonly stats: DomainStats | undefined;
  /** `unasked`: it is not known whether it would answer. */
  readonly monitor: 'responsive' | 'unresponsive' | 'unasked';
  /** Undefined when all was asked. */
  readonly reason: UnaskedReason | undefined;
}

export interface Question {
  readonly ref: DomainRef;
  /** `domainStats` bits, of {@link monitorGroups}. */
  readonly groups: number;
  /** Undefined where the process is out of reach: nothing can be seen before asking then. */
  readonly pid: number | undefined;
  /** Settles when its process has been read in this collection. */
  readonly standstill: Promise<SeenStandstill | undefined>;
}

/** What of {@link StorageCheck} is asked here. */
type StorageAnswers = Pick<StorageCheck, 'findFailureDomains' | 'findSilentDomains'>;

/** Whether guests of a failure domain may be asked in this collection. */
type Gate = 'untested' | 'open' | 'closed' | Promise<unknown>;

/** One collection's work. */
interface Round {
  readonly deadline: Deadline;
  readonly storage: StorageAnswers | undefined;
  readonly gates: Map<string, Gate>;
  readonly answers: Map<string, MonitorAnswer>;
}

/**
 * Asks libvirt for what only the guest's QEMU can tell (balloon, block), so that one QEMU that does not
 * answer costs nobody else anything. One call per guest with NOWAIT, since a bulk call is answered only
 * when its slowest guest has; NOWAIT is no timeout (the first caller takes the job and hangs), and what
 * hangs stays with the daemon ({@link DaemonCalls}). So a guest is asked only when
 *
 * 1. nothing is owed for it, and libvirt itself does not wait for it;
 * 2. its process does not stand still;
 * 3. what its images lie on answers;
 * 4. one guest of each failure domain, the canary, has answered in this collection;
 * 5. the budget allows.
 */
export class GuestMonitor {
  readonly #calls: DaemonCalls;
  readonly #timeoutMs: number;
  readonly #occupied: OccupiedGuests;
  readonly #loops: MainLoops;
  readonly #domains = new Backoff(0, FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS);
  /** Guests whose last question was answered. */
  readonly #answered = new Set<string>();
  /** Guests in the order of their last time-out: the next canary is one that has not been it lately. */
  readonly #timedOut = new Map<string, number>();
  /** The failure domains in doubt because of each guest that has not answered yet. */
  readonly #doubts = new Map<string, readonly FailureDomain[]>();

  constructor(
    calls: DaemonCalls,
    occupied: OccupiedGuests,
    roots: Roots,
    timeoutMs = MONITOR_TIMEOUT_MS,
  ) {
    this.#calls = calls;
    this.#timeoutMs = timeoutMs;
    this.#occupied = occupied;
    this.#loops = new MainLoops(roots);
  }

  /**
   * Asks all guests; of each there is an answer, by uuid. Never rejects, and settles by `deadline` at
   * the latest, but for what is settled when it is called.
   */
  async askAll(
    questions: readonly Question[],
    storage: StorageAnswers | undefined,
    deadline: Deadline,
  ): Promise<ReadonlyMap<string, MonitorAnswer>> {
    const round: Round = { deadline, storage, gates: new Map(), answers: new Map() };
    this.#forgetOthers(questions);
    const seenTo = deadline.within(900);
    await this.#askGroups(questions, round);
    const left = questions.filter(({ ref }) => round.answers.get(ref.uuid)?.reason === 'budget');
    if (left.length > 0 && this.#calls.stuck > 0) {
      // By now a main loop that runs at all has been seen to, and the last slot may serve it.
      await sleep(seenTo.remaining());
      await this.#askGroups(left, round);
    }
    return round.answers;
  }

  /** Asks for the job a guest is busy with; undefined when there is no answer. */
  async askJob(ref: DomainRef, deadline: Deadline): Promise<DomainJobInfo | undefined> {
    const answer = await this.#calls.call(
      { key: ref.uuid, timeoutMs: this.#timeoutMs, deadline },
      (connection, options) => connection.domainGetJobInfo(ref, options),
    );
    return answer.ok ? answer.value : undefined;
  }

  #forgetOthers(questions: readonly Question[]): void {
    const uuids = new Set(questions.map(({ ref }) => ref.uuid));
    for (const uuid of this.#timedOut.keys()) if (!uuids.has(uuid)) this.#timedOut.delete(uuid);
    for (const uuid of this.#answered) if (!uuids.has(uuid)) this.#answered.delete(uuid);
    for (const [uuid, domains] of this.#doubts) {
      // A late answer is one as well: what the guest lies on need not be left alone any longer.
      if (this.#calls.owes(uuid)) continue;
      for (const domain of domains) this.#domains.answer(domain);
      this.#doubts.delete(uuid);
    }
    this.#loops.retain(new Set(questions.flatMap(({ pid }) => pid ?? [])));
  }

  /** Guests on the same storage one group, groups side by side. */
  async #askGroups(questions: readonly Question[], round: Round): Promise<void> {
    const groups = new Map<string, Question[]>();
    for (const question of questions) {
      if (this.#calls.stuck > 0 && question.pid !== undefined) this.#loops.sample(question.pid);
      const key = (round.storage?.findFailureDomains(question.ref.uuid) ?? []).join('\n');
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [question]);
      else group.push(question);
    }
    await Promise.all([...groups.values()].map((group) => this.#askGroup(group, round)));
  }

  async #askGroup(questions: readonly Question[], round: Round): Promise<void> {
    // Those that have timed out before come last, the latest at the very end.
    const queue = questions.toSorted(
      (a, b) => (this.#timedOut.get(a.ref.uuid) ?? 0) - (this.#timedOut.get(b.ref.uuid) ?? 0),
    );
    const uncertain = new Map<Question, SleepingThreads>();
    await severalAtOnce(this.#atOnce(questions), queue, async (question) => {
      const answer = await this.#ask(question, round, undefined);
      if ('monitor' in answer) round.answers.set(question.ref.uuid, answer);
      else uncertain.set(question, answer.asleep);
    });
    if (uncertain.size === 0) return;
    await sleep(round.deadline.within(SECOND_LOOK_MS).remaining());
    for (const [question, asleep] of uncertain) {
      const answer = await this.#ask(question, round, asleep);
      if ('monitor' in answer) round.answers.set(question.ref.uuid, answer);
    }
  }

  /**
   * As many as may stick, since what they lie on can fail at any moment. One more where all have answered
   * the last time: it takes a failure in the very milliseconds of asking to make three of them stick, which
   * the daemon still bears, and with two the host's CPUs wait for each other.
   */
  #atOnce(questions: readonly Question[]): number {
    const { maxCalls, maxStuck, stuck } = this.#calls;
    const trusted = stuck === 0 && questions.every(({ ref }) => this.#answered.has(ref.uuid));
    return trusted ? Math.min(maxCalls, maxStuck + 1) : maxStuck;
  }

  /**
   * Asks one guest, unless something speaks against it.
   *
   * @param asleep the threads that slept at the first look, when this is the second.
   * @returns its threads that sleep, when it has to be checked a second time.
   */
  async #ask(
    question: Question,
    round: Round,
    asleep: SleepingThreads | undefined,
  ): Promise<MonitorAnswer | { readonly asleep: SleepingThreads }> {
    const { ref, pid, groups } = question;
    const { uuid } = ref;
    if (this.#calls.owes(uuid)) return unresponsive('timed_out');
    if (this.#occupied.isStuck(uuid)) return unresponsive('occupied');

    const seen = await question.standstill;
    const state = pid === undefined ? undefined : this.#loops.state(pid);
    const mayBeBlocked = pid !== undefined && (seen === 'uncertain' || state === 'D');
    if (mayBeBlocked && asleep === undefined) return { asleep: this.#loops.asleep(pid) };
    const standstill =
      seen !== undefined && seen !== 'uncertain'
        ? seen
        : state === 'T' || state === 't'
          ? 'stopped'
          : pid !== undefined && asleep !== undefined && this.#loops.sleepsStill(pid, asleep)
            ? 'blocked'
            : undefined;
    if (standstill !== undefined) {
      // Somebody else may have asked it, and keep one of the daemon's workers.
      await this.#occupied.lookAt(ref, round.deadline);
      return unresponsive(standstill);
    }

    const silent = (await round.storage?.findSilentDomains(uuid)) ?? [];
    const askable = silent.length === 0 ? groups : groups & ~monitorGroups.block;
    if (askable === 0) return unasked('storage');
    const domains: readonly string[] =
      silent.length === 0
        ? (round.storage?.findFailureDomains(uuid) ?? [])
        : silent.map((domain) => `balloons on ${domain}`);
    const answer = await this.#askThroughGates(question, askable, domains, round);
    return silent.length === 0 || answer.reason !== undefined
      ? answer
      : { ...answer, reason: 'storage' };
  }

  /** Waits until its failure domains are tested, or tests them: the first to come is the canary. */
  async #askThroughGates(
    question: Question,
    groups: number,
    domains: readonly FailureDomain[],
    round: Round,
  ): Promise<MonitorAnswer> {
    const { gates } = round;
    for (;;) {
      const states = domains.map((domain) => this.#gate(domain, gates));
      if (states.includes('closed')) return unasked('storage');
      const underTest = states.find((state) => typeof state === 'object');
      // Nothing is held while waiting, so that two canaries can not wait for each other.
      if (underTest !== undefined) {
        await underTest;
        continue;
      }
      const untested = domains.filter((domain) => this.#gate(domain, gates) === 'untested');
      if (untested.length === 0) return this.#askNow(question, groups, domains, round);
      const { promise, resolve } = Promise.withResolvers<unknown>();
      for (const domain of untested) gates.set(domain, promise);
      const answer = await this.#askNow(question, groups, domains, round);
      for (const domain of untested) {
        // A canary that could not be asked tells nothing of the others.
        const outcome: Gate =
          answer.stats !== undefined
            ? 'open'
            : answer.reason === 'timed_out'
              ? 'closed'
              : 'untested';
        gates.set(domain, outcome);
      }
      resolve(undefined);
      return answer;
    }
  }

  #gate(domain: FailureDomain, gates: Map<string, Gate>): Gate {
    const known = gates.get(domain);
    if (known !== undefined) return known;
    const first: Gate = this.#domains.isLeftAlone(domain) ? 'closed' : 'untested';
    gates.set(domain, first);
    return first;
  }

  async #askNow(
    { ref, pid }: Question,
    groups: number,
    domains: readonly FailureDomain[],
    { deadline }: Round,
  ): Promise<MonitorAnswer> {
    const answer = await this.#calls.call(
      {
        key: ref.uuid,
        timeoutMs: this.#timeoutMs,
        deadline,
        isAlive: () => pid !== undefined && this.#loops.ranLately(pid),
      },
      (connection, options) =>
        connection.getAllDomainStats(groups, getAllDomainStats.noWait, [ref], options),
    );
    if (answer.ok) {
      this.#answered.add(ref.uuid);
      this.#timedOut.delete(ref.uuid);
      for (const domain of domains) this.#domains.answer(domain);
      const record = answer.value[0];
      // It has just ended.
      if (record === undefined) return unasked(undefined);
      return { stats: readDomainStats(record), monitor: 'responsive', reason: undefined };
    }
    this.#answered.delete(ref.uuid);
    if (answer.error.kind === 'timeout') {
      this.#timedOut.set(ref.uuid, performance.now());
      for (const domain of domains) this.#domains.miss(domain);
      this.#doubts.set(ref.uuid, domains);
    }
    return withoutStats(answer.error);
  }
}

function withoutStats(failure: CallFailure): MonitorAnswer {
  switch (failure.kind) {
    case 'timeout':
    case 'owed':
      return unresponsive('timed_out');
    case 'budget':
      return unasked('budget');
    case 'refused':
      return unasked(undefined);
    case 'lost':
      // With an error the connection is gone; without one there was no slot in time.
      return unasked(failure.cause === undefined ? 'budget' : undefined);
  }
}

function unresponsive(reason: UnaskedReason): MonitorAnswer {
  return { stats: undefined, monitor: 'unresponsive', reason };
}

function unasked(reason: UnaskedReason | undefined): MonitorAnswer {
  return { stats: undefined, monitor: 'unasked', reason };
}
