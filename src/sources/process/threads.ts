import { listKernelDirectory, readKernelRecord } from '../kernel/kernel-file.ts';
import { bigDecimalAt, digitsEnd } from '../kernel/kernel-scan.ts';
import { failed, found, isAbsence, toValue, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { ProcessThread, ThreadRole, ThreadSchedule } from '../../model/process.ts';

export function threadRole(comm: string, tid: number, pid: number): ThreadRole {
  if (comm.startsWith('CPU ')) {
    const slash = comm.indexOf('/', 4);
    const index = decimal(comm, 4, slash === -1 ? comm.length : slash);
    if (index !== undefined) return { kind: 'vcpu', index };
  }
  if (comm.startsWith('IO iothread')) {
    const id = decimal(comm, 11, comm.length);
    if (id !== undefined) return { kind: 'iothread', id };
  }
  if (comm === 'IO mon_iothread') return { kind: 'monitor' };
  if (comm.startsWith('ALL CPUs/')) return { kind: 'all-vcpus' };
  if (comm.startsWith('vhost-')) return { kind: 'vhost' };
  if (tid === pid) return { kind: 'emulator' };
  return { kind: 'other' };
}

function decimal(text: string, start: number, end: number): number | undefined {
  const digits = text.slice(start, end);
  return /^\d{1,7}$/.test(digits) ? Number(digits) : undefined;
}

/** `run delay slices`; undefined when all are 0, which is what a kernel without sched_info says. */
export function parseSchedstat(text: string, subject: string): Result<ThreadSchedule | undefined> {
  const runEnd = digitsEnd(text, 0);
  const delayEnd = digitsEnd(text, runEnd + 1);
  const runNanoseconds = bigDecimalAt(text, 0);
  const delayNanoseconds = bigDecimalAt(text, runEnd + 1);
  const timeslices = bigDecimalAt(text, delayEnd + 1);
  if (
    runNanoseconds === undefined ||
    delayNanoseconds === undefined ||
    timeslices === undefined ||
    text[runEnd] !== ' ' ||
    text[delayEnd] !== ' ' ||
    text.slice(digitsEnd(text, delayEnd + 1)).trim() !== ''
  ) {
    return failed('malformed', subject, 'not three numbers');
  }
  if (runNanoseconds === 0n && delayNanoseconds === 0n && timeslices === 0n) {
    return found(undefined);
  }
  return found({ runNanoseconds, delayNanoseconds, timeslices });
}

/** The letter of a thread's state: field 3 of its `stat`, after the last `)`. */
export function readThreadState(directory: string): Result<string> {
  const path = `${directory}/stat`;
  const text = readKernelRecord(path);
  if (!text.ok) return text;
  const state = text.value[text.value.lastIndexOf(')') + 2];
  return state === undefined ? failed('malformed', path, 'no state') : found(state);
}

interface KnownThread {
  readonly thread: ProcessThread;
  /** When it was first seen at its present number of timeslices. */
  readonly stillSince: number;
  /** A thread names itself just after it starts; the name is believed once read twice alike. */
  readonly settled: boolean;
}

interface KnownProcess {
  readonly startTimeTicks: number;
  readonly threads: ReadonlyMap<number, KnownThread>;
}

/**
 * Reads the threads of QEMU processes, once per collection. Caches thread names between
 * collections, which halves the files read; one instance per exporter.
 */
export class ProcessThreadReader {
  readonly #roots: Roots;
  readonly #known = new Map<number, KnownProcess>();

  constructor(roots: Roots) {
    this.#roots = roots;
  }

  /**
   * The threads of the process which has this pid and start time; `absent` when it is gone. All or
   * nothing: without one that is there but cannot be read, the others would not add up.
   *
   * @param mainState the state of its main thread, just read with the process's `stat`.
   */
  read(pid: number, startTimeTicks: number, mainState: string): Result<readonly ProcessThread[]> {
    const names = listKernelDirectory(`${this.#roots.procfs}/${pid}/task`);
    if (!names.ok) {
      this.#known.delete(pid);
      return names;
    }
    const known = this.#known.get(pid);
    const previous = known?.startTimeTicks === startTimeTicks ? known.threads : undefined;
    const threads = new Map<number, KnownThread>();
    for (const name of names.value) {
      const tid = Number(name);
      if (!Number.isSafeInteger(tid)) continue;
      const thread = this.#readOne(pid, tid, mainState, previous?.get(tid));
      if (thread.ok) threads.set(tid, thread.value);
      // Ended meanwhile.
      else if (!isAbsence(thread.error)) return thread;
    }
    this.#known.set(pid, { startTimeTicks, threads });
    return found([...threads.values()].map(({ thread }) => thread));
  }

  /** Drops every process not in this set, so that ended guests do not add up. */
  retain(pids: ReadonlySet<number>): void {
    for (const pid of this.#known.keys()) if (!pids.has(pid)) this.#known.delete(pid);
  }

  #readOne(
    pid: number,
    tid: number,
    mainState: string,
    previous: KnownThread | undefined,
  ): Result<KnownThread> {
    const directory = `${this.#roots.procfs}/${pid}/task/${tid}`;
    const path = `${directory}/schedstat`;
    const text = readKernelRecord(path);
    // Absent means ended, or a kernel without CONFIG_SCHED_INFO: the comm tells which.
    if (!text.ok && text.error.kind !== 'absent') return text;
    const parsed = text.ok ? parseSchedstat(text.value, path) : found(undefined);
    if (!parsed.ok) return parsed;
    const schedule = parsed.value;

    // Run time going backwards is another thread under a reused tid.
    const run = schedule?.runNanoseconds ?? 0n;
    const sameThread = run >= (previous?.thread.schedule?.runNanoseconds ?? 0n);
    const now = performance.now();
    const before = previous?.thread.schedule;
    const hasRun =
      schedule === undefined ||
      before === undefined ||
      schedule.timeslices !== before.timeslices ||
      schedule.runNanoseconds !== before.runNanoseconds;
    const stillSince = hasRun ? now : (previous?.stillSince ?? now);
    const state = tid === pid ? found(mainState) : readThreadState(directory);
    if (!state.ok && !isAbsence(state.error)) return state;
    const seen = { schedule, state: toValue(state), stillMs: now - stillSince };
    if (text.ok && previous?.settled === true && sameThread) {
      const { comm, role } = previous.thread;
      return found({ thread: { tid, comm, role, ...seen }, stillSince, settled: true });
    }
    const comm = readKernelRecord(`${directory}/comm`);
    if (!comm.ok) return comm;
    const name = comm.value.endsWith('\n') ? comm.value.slice(0, -1) : comm.value;
    return found({
      thread: { tid, comm: name, role: threadRole(name, tid, pid), ...seen },
      stillSince,
      settled: previous?.thread.comm === name,
    });
  }
}
