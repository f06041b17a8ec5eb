import { listKernelDirectory, readKernelFile } from './kernel-file.ts';
import { failed, found, type Reading } from './reading.ts';
import type { Roots } from './roots.ts';

/**
 * What a thread of a QEMU process is for. QEMU names its threads when started with
 * `-name …,debug-threads=on`, as libvirt does:
 * - `vcpu`: `CPU <n>/KVM`, or `CPU <n>/TCG` when emulating (accel/kvm/kvm-accel-ops.c).
 * - `all-vcpus`: `ALL CPUs/TCG`, the one thread of single-threaded emulation.
 * - `iothread`: `IO iothread<id>`, libvirt's numbering of `<iothread id=…>`.
 * - `monitor`: `IO mon_iothread`, which serves QMP.
 * - `emulator`: the main thread, where the device models run.
 * - `vhost`: `vhost-<pid>`, the host half of a virtio NIC. In the process since Linux 6.4; before,
 *   kernel threads of their own (see kernel-threads.ts).
 * - `other`: `worker` (thread pool), `call_rcu`, `vnc_worker`, migration threads, …
 */
export type ThreadRole =
  | { readonly kind: 'vcpu'; readonly index: number }
  | { readonly kind: 'iothread'; readonly id: number }
  | { readonly kind: 'all-vcpus' | 'monitor' | 'emulator' | 'vhost' | 'other' };

/**
 * Scheduler statistics of one thread, `/proc/<pid>/task/<tid>/schedstat`
 * (Documentation/scheduler/sched-stats.rst). Never reset while the thread lives.
 */
export interface ThreadSchedule {
  /** Time on a CPU. For a vCPU this is guest mode plus KVM's own work for it. */
  readonly runNanoseconds: bigint;
  /**
   * Time runnable but waiting for a CPU: what KVM hands to the guest as steal. On kernels before
   * the task-based bandwidth throttle (6.12 and older at least) time throttled by cpu.max counts
   * here as well.
   */
  readonly delayNanoseconds: bigint;
  /** Times it was put on a CPU. */
  readonly timeslices: bigint;
}

export interface ProcessThread {
  readonly tid: number;
  readonly comm: string;
  readonly role: ThreadRole;
  /**
   * Undefined when the kernel keeps no such statistics (no CONFIG_SCHED_INFO: all three are 0) or
   * the thread ended while being read.
   */
  readonly schedule: ThreadSchedule | undefined;
}

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
export function parseSchedstat(text: string, subject: string): Reading<ThreadSchedule | undefined> {
  const match = /^(\d+) (\d+) (\d+)\s*$/.exec(text);
  if (match === null) return failed('malformed', subject, 'not three numbers');
  const [, run = '', delay = '', slices = ''] = match;
  if (run === '0' && delay === '0' && slices === '0') return found(undefined);
  return found({
    runNanoseconds: BigInt(run),
    delayNanoseconds: BigInt(delay),
    timeslices: BigInt(slices),
  });
}

interface KnownThread {
  readonly tid: number;
  readonly comm: string;
  readonly role: ThreadRole;
  /** A thread names itself just after it starts; the name is believed once read twice alike. */
  readonly settled: boolean;
  readonly runNanoseconds: bigint;
}

interface KnownProcess {
  readonly startTimeTicks: number;
  readonly threads: readonly KnownThread[];
}

/**
 * Reads the threads of QEMU processes, once per collection. Remembers thread names between
 * collections, which halves the files read; one instance per exporter.
 */
export class ProcessThreadReader {
  readonly #roots: Roots;
  readonly #known = new Map<number, KnownProcess>();

  constructor(roots: Roots) {
    this.#roots = roots;
  }

  /**
   * The threads of the process which has this pid and start time. `threadCount`, the number of
   * threads stat or status gave in this collection, saves listing the directory when it has not
   * changed: if as many known threads still answer, no other can exist. `absent` when the process
   * is gone.
   */
  read(
    pid: number,
    startTimeTicks: number,
    threadCount: number | undefined,
  ): Reading<readonly ProcessThread[]> {
    const known = this.#known.get(pid);
    const same = known?.startTimeTicks === startTimeTicks ? known.threads : [];
    if (same.length > 0 && same.length === threadCount) {
      const threads = this.#readKnown(pid, same);
      if (threads !== undefined) return found(this.#remember(pid, startTimeTicks, threads));
    }

    const directory = `${this.#roots.procfs}/${pid}/task`;
    const names = listKernelDirectory(directory);
    if (!names.ok) {
      this.#known.delete(pid);
      return names;
    }
    const knownByTid = new Map(same.map((thread) => [thread.tid, thread]));
    const threads: ReadThread[] = [];
    for (const name of names.value) {
      const tid = Number(name);
      if (!Number.isSafeInteger(tid)) continue;
      const thread = this.#readOne(pid, tid, knownByTid.get(tid));
      if (thread !== undefined) threads.push(thread);
    }
    return found(this.#remember(pid, startTimeTicks, threads));
  }

  /** Forgets every process not in this set, so that ended guests do not add up. */
  retain(pids: ReadonlySet<number>): void {
    for (const pid of this.#known.keys()) if (!pids.has(pid)) this.#known.delete(pid);
  }

  #readKnown(pid: number, known: readonly KnownThread[]): ReadThread[] | undefined {
    const threads: ReadThread[] = [];
    for (const previous of known) {
      const thread = this.#readOne(pid, previous.tid, previous);
      if (thread === undefined) return undefined;
      threads.push(thread);
    }
    return threads;
  }

  #readOne(pid: number, tid: number, previous: KnownThread | undefined): ReadThread | undefined {
    const directory = `${this.#roots.procfs}/${pid}/task/${tid}`;
    const path = `${directory}/schedstat`;
    const text = readKernelFile(path);
    // Absent means ended, or a kernel without CONFIG_SCHED_INFO; the comm tells which.
    if (!text.ok && text.error.kind !== 'absent') return undefined;
    const parsed = text.ok ? parseSchedstat(text.value, path) : undefined;
    const schedule = parsed?.ok === true ? parsed.value : undefined;

    const run = schedule?.runNanoseconds ?? 0n;
    // Run time going backwards is another thread under a reused tid.
    const trusted = text.ok && previous?.settled === true && run >= previous.runNanoseconds;
    if (trusted) {
      return { ...previous, schedule, runNanoseconds: run };
    }
    const comm = readKernelFile(`${directory}/comm`);
    if (!comm.ok) return undefined;
    const name = comm.value.endsWith('\n') ? comm.value.slice(0, -1) : comm.value;
    return {
      tid,
      comm: name,
      role: threadRole(name, tid, pid),
      settled: previous?.comm === name,
      runNanoseconds: run,
      schedule,
    };
  }

  #remember(
    pid: number,
    startTimeTicks: number,
    threads: readonly ReadThread[],
  ): readonly ProcessThread[] {
    this.#known.set(pid, { startTimeTicks, threads });
    return threads;
  }
}

type ReadThread = KnownThread & ProcessThread;
