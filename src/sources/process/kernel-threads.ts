import { listPids } from './pids.ts';
import { readProcessStat } from './stat.ts';
import { found, isAbsence, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import { TimeSlice } from '../../runtime/time-slice.ts';
import type { KernelThread } from '../../model/host.ts';

/**
 * `vhost-<pid>`: moves the packets of one guest NIC's queue. A kernel thread of its own before Linux
 * 6.4, in the cgroup of the guest but not in its process; since then a thread of QEMU.
 */
export interface VhostKernelThread extends KernelThread {
  /** The QEMU process it works for. */
  readonly ownerPid: number;
}

const MEMORY_MANAGEMENT = /^(?:ksmd|khugepaged|kswapd\d+|kcompactd\d+)$/;
const VHOST = /^vhost-(\d{1,10})$/;

/** The parent of every kernel thread, started by the kernel right after init. */
const KTHREADD_PID = 2;

interface KnownThread {
  readonly comm: string;
  readonly startTimeTicks: number;
}

/**
 * How long a walk for vhost threads is good for, in milliseconds. A NIC plugged into a running
 * guest brings new ones without a new process, and a guest may be seen before its own are started.
 */
const VHOST_WALK_MAX_AGE_MS = 60_000;

/**
 * Finds these kernel threads by walking /proc, and afterwards reads only their own stat files. A
 * walk costs some 20 µs for each process of the host, so it gives way to other work; nothing is
 * kept of processes that are something else, as their pids are reused. Keep one instance per
 * exporter.
 */
export class KernelThreadReader {
  readonly #roots: Roots;
  #memoryManagement: ReadonlyMap<number, KnownThread> | undefined;
  #vhosts: ReadonlyMap<number, KnownThread> = new Map();
  #vhostsWalkedAt = -Infinity;

  constructor(roots: Roots) {
    this.#roots = roots;
  }

  /**
   * The memory management threads. Walks /proc the first time, and again when one of them is gone
   * (a node or its memory went offline). Empty in a container which sees only its own processes.
   */
  async readMemoryManagement(): Promise<Result<readonly KernelThread[]>> {
    const known = this.#memoryManagement;
    if (known !== undefined) {
      const threads = await this.#readAll(known);
      if (!threads.ok || threads.value.length === known.size) return threads;
    }
    const walked = await this.#walk(MEMORY_MANAGEMENT);
    if (!walked.ok) return walked;
    this.#memoryManagement = walked.value;
    return this.#readAll(walked.value);
  }

  /**
   * The vhost threads of QEMU processes (before Linux 6.4; later ones are found by
   * ProcessThreadReader and this gives none). Walks /proc when a guest started since the last call
   * (`guestsChanged`), and once a minute.
   *
   * @param now a moment of `performance.now()`.
   */
  async readVhost(
    guestsChanged: boolean,
    now = performance.now(),
  ): Promise<Result<readonly VhostKernelThread[]>> {
    if (guestsChanged || now - this.#vhostsWalkedAt >= VHOST_WALK_MAX_AGE_MS) {
      const walked = await this.#walk(VHOST);
      if (!walked.ok) return walked;
      this.#vhosts = walked.value;
      this.#vhostsWalkedAt = now;
    }
    const threads = await this.#readAll(this.#vhosts);
    if (!threads.ok) return threads;
    return found(
      threads.value.map((thread) => ({
        ...thread,
        ownerPid: Number(VHOST.exec(thread.comm)?.[1]),
      })),
    );
  }

  /** Those of the known threads that still are the same. */
  async #readAll(
    known: ReadonlyMap<number, KnownThread>,
  ): Promise<Result<readonly KernelThread[]>> {
    const threads: KernelThread[] = [];
    const slice = new TimeSlice();
    for (const [pid, { comm, startTimeTicks }] of known) {
      if (slice.isOver) await slice.nextTurn();
      const stat = readProcessStat(this.#roots, pid);
      if (!stat.ok) {
        if (isAbsence(stat.error)) continue;
        return stat;
      }
      if (stat.value.comm !== comm) continue;
      if (stat.value.startTimeTicks !== startTimeTicks) continue;
      threads.push({ pid, comm, cpuSeconds: stat.value.userSeconds + stat.value.systemSeconds });
    }
    return found(threads);
  }

  /** The kernel's own threads of such a name, by pid. */
  async #walk(name: RegExp): Promise<Result<ReadonlyMap<number, KnownThread>>> {
    const pids = listPids(this.#roots);
    if (!pids.ok) return pids;
    const threads = new Map<number, KnownThread>();
    const slice = new TimeSlice();
    for (const pid of pids.value) {
      if (slice.isOver) await slice.nextTurn();
      if (pid <= KTHREADD_PID) continue;
      const stat = readProcessStat(this.#roots, pid);
      if (!stat.ok) {
        if (isAbsence(stat.error)) continue;
        return stat;
      }
      const { comm, startTimeTicks, kernelThread, parentPid } = stat.value;
      if (kernelThread && parentPid === KTHREADD_PID && name.test(comm)) {
        threads.set(pid, { comm, startTimeTicks });
      }
    }
    return found(threads);
  }
}
