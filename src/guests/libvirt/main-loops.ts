import { listKernelDirectory, readKernelRecord } from '../../sources/kernel/kernel-file.ts';
import { parseSchedstat, readThreadState } from '../../sources/process/threads.ts';
import { readProcessStat } from '../../sources/process/stat.ts';
import { toValue } from '../../runtime/result.ts';
import type { Roots } from '../../sources/kernel/roots.ts';

interface Sample {
  readonly takenAt: number;
  readonly timeslices: bigint;
}

/** How long the sight of a running main loop counts. */
const FRESH_MS = 1_000;

/** The threads of a process in uninterruptible sleep, with how often each had run by then. */
export type SleepingThreads = ReadonlyMap<string, bigint | undefined>;

/**
 * The main threads of QEMU processes, checked again just before a guest is asked: QEMU answers its
 * monitor in its main loop, which is the main thread.
 */
export class MainLoops {
  readonly #roots: Roots;
  readonly #samples = new Map<number, Sample>();
  readonly #ranAt = new Map<number, number>();

  constructor(roots: Roots) {
    this.#roots = roots;
  }

  /** Notes where the main loop is, to be compared with later. */
  sample(pid: number): void {
    const timeslices = this.#timeslices(`${this.#roots.procfs}/${pid}/task/${pid}`);
    if (timeslices === undefined) return;
    const now = performance.now();
    const known = this.#samples.get(pid);
    // The older sample of the last second serves better: more can have happened since.
    if (known?.timeslices === timeslices && now - known.takenAt < FRESH_MS) return;
    if (known !== undefined && known.timeslices !== timeslices && now - known.takenAt < FRESH_MS) {
      this.#ranAt.set(pid, now);
    }
    this.#samples.set(pid, { takenAt: now, timeslices });
  }

  /** Whether the main loop was seen to run within the last second. An idle one may not have. */
  ranLately(pid: number): boolean {
    this.sample(pid);
    return performance.now() - (this.#ranAt.get(pid) ?? -Infinity) < FRESH_MS;
  }

  /** The state of the main thread now (`S`, `T`, `D` …); undefined when the process is gone. */
  state(pid: number): string | undefined {
    return toValue(readProcessStat(this.#roots, pid))?.state;
  }

  /** The threads that sleep uninterruptibly now (state D). */
  asleep(pid: number): SleepingThreads {
    const directory = `${this.#roots.procfs}/${pid}/task`;
    const asleep = new Map<string, bigint | undefined>();
    for (const tid of toValue(listKernelDirectory(directory)) ?? []) {
      const state = toValue(readThreadState(`${directory}/${tid}`));
      if (state === 'D') asleep.set(tid, this.#timeslices(`${directory}/${tid}`));
    }
    return asleep;
  }

  /** Whether one of these threads still sleeps as it did then, and has not run since. */
  sleepsStill(pid: number, before: SleepingThreads): boolean {
    const now = this.asleep(pid);
    return [...before].some(([tid, timeslices]) => now.has(tid) && now.get(tid) === timeslices);
  }

  /** Drops all other processes. */
  retain(pids: ReadonlySet<number>): void {
    for (const pid of this.#samples.keys()) if (!pids.has(pid)) this.#samples.delete(pid);
    for (const pid of this.#ranAt.keys()) if (!pids.has(pid)) this.#ranAt.delete(pid);
  }

  #timeslices(directory: string): bigint | undefined {
    const path = `${directory}/schedstat`;
    const text = readKernelRecord(path);
    return text.ok ? toValue(parseSchedstat(text.value, path))?.timeslices : undefined;
  }
}
