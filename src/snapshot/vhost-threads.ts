import { KernelThreadReader } from '../sources/kernel-threads.ts';
import { readKernelFile } from '../sources/kernel-file.ts';
import { parseSchedstat, type ProcessThread } from '../sources/process-threads.ts';
import { valueOf } from '../sources/reading.ts';
import type { Roots } from '../sources/roots.ts';
import { TimeSlice } from '../sources/time-slice.ts';

/**
 * The vhost workers of guests on kernels before 6.4, where they are kernel threads of their own;
 * since then they are threads of QEMU and found there (kernel/vhost_task.c).
 */
export class VhostThreads {
  readonly #roots: Roots;
  readonly #kernelThreads: KernelThreadReader;
  readonly #apart: boolean;
  #lastPids: ReadonlySet<number> = new Set();

  constructor(roots: Roots) {
    this.#roots = roots;
    this.#kernelThreads = new KernelThreadReader(roots);
    this.#apart = areThreadsApart(valueOf(readKernelFile(`${roots.procfs}/sys/kernel/osrelease`)));
  }

  /** By the pid of the QEMU process they work for; call once per collection with all of these. */
  async of(qemuPids: ReadonlySet<number>): Promise<ReadonlyMap<number, readonly ProcessThread[]>> {
    const threads = new Map<number, ProcessThread[]>();
    if (!this.#apart) return threads;
    const changed = [...qemuPids].some((pid) => !this.#lastPids.has(pid));
    this.#lastPids = qemuPids;
    const slice = new TimeSlice();
    for (const { pid, comm, ownerPid } of valueOf(await this.#kernelThreads.readVhost(changed)) ??
      []) {
      if (!qemuPids.has(ownerPid)) continue;
      if (slice.isOver) await slice.nextTurn();
      const ofOwner = threads.get(ownerPid) ?? [];
      ofOwner.push(this.#thread(pid, comm));
      threads.set(ownerPid, ofOwner);
    }
    return threads;
  }

  #thread(tid: number, comm: string): ProcessThread {
    const path = `${this.#roots.procfs}/${tid}/schedstat`;
    const text = readKernelFile(path);
    const schedule = text.ok ? valueOf(parseSchedstat(text.value, path)) : undefined;
    return { tid, comm, role: { kind: 'vhost' }, schedule, stillIn: undefined };
  }
}

/** `6.1.0-28-amd64` → true, `6.4.0` → false; a kernel that does not say is taken for a new one. */
export function areThreadsApart(release: string | undefined): boolean {
  const match = /^(\d+)\.(\d+)/.exec(release ?? '');
  if (match === null) return false;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major < 6 || (major === 6 && minor < 4);
}
