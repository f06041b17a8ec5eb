import { KernelThreadReader } from '../../sources/process/kernel-threads.ts';
import { readKernelFile } from '../../sources/kernel/kernel-file.ts';
import { parseSchedstat } from '../../sources/process/threads.ts';
import { found, isAbsence, toValue, type Result } from '../../runtime/result.ts';
import type { Roots } from '../../sources/kernel/roots.ts';
import { TimeSlice } from '../../runtime/time-slice.ts';
import type { ProcessThread } from '../../model/process.ts';

/**
 * The vhost workers of guests on kernels before 6.4, where they are kernel threads of their own;
 * since then they are threads of QEMU and found there (kernel/vhost_task.c).
 */
export class VhostThreads {
  readonly #roots: Roots;
  readonly #kernelThreads: KernelThreadReader;
  /** Undefined until the kernel has said which one it is. */
  #apart: boolean | undefined;
  #lastPids: ReadonlySet<number> = new Set();

  constructor(roots: Roots) {
    this.#roots = roots;
    this.#kernelThreads = new KernelThreadReader(roots);
  }

  /** By the pid of the QEMU process they work for; call once per collection with all of these. */
  async of(
    qemuPids: ReadonlySet<number>,
  ): Promise<Result<ReadonlyMap<number, readonly ProcessThread[]>>> {
    const threads = new Map<number, ProcessThread[]>();
    if (this.#apart === undefined) {
      const release = readKernelFile(`${this.#roots.procfs}/sys/kernel/osrelease`);
      if (!release.ok && !isAbsence(release.error)) return release;
      this.#apart = areThreadsApart(toValue(release));
    }
    if (!this.#apart) return found(threads);
    const changed = [...qemuPids].some((pid) => !this.#lastPids.has(pid));
    this.#lastPids = qemuPids;
    const slice = new TimeSlice();
    const vhosts = await this.#kernelThreads.readVhost(changed);
    if (!vhosts.ok) return vhosts;
    for (const { pid, comm, ownerPid } of vhosts.value) {
      if (!qemuPids.has(ownerPid)) continue;
      if (slice.isOver) await slice.nextTurn();
      const ofOwner = threads.get(ownerPid) ?? [];
      const schedule = this.#schedule(pid);
      if (!schedule.ok) return schedule;
      ofOwner.push({
        tid: pid,
        comm,
        role: { kind: 'vhost' },
        schedule: schedule.value,
        state: undefined,
        stillMs: 0,
      });
      threads.set(ownerPid, ofOwner);
    }
    return found(threads);
  }

  #schedule(tid: number): Result<ProcessThread['schedule']> {
    const path = `${this.#roots.procfs}/${tid}/schedstat`;
    const text = readKernelFile(path);
    if (text.ok) return parseSchedstat(text.value, path);
    return isAbsence(text.error) ? found(undefined) : text;
  }
}

/** `6.1.0-28-amd64` → true, `6.4.0` → false; a kernel that does not say is taken for a new one. */
export function areThreadsApart(release: string | undefined): boolean {
  const match = /^(\d+)\.(\d+)/.exec(release ?? '');
  if (match === null) return false;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major < 6 || (major === 6 && minor < 4);
}
