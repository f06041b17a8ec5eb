import { listKernelDirectory } from './kernel-file.ts';
import { readProcessStat } from './process-stat.ts';
import { found, type Reading } from './reading.ts';
import type { Roots } from './roots.ts';

/**
 * What memory management costs the host in CPU time: `ksmd` (merging), `kswapd<node>` (background
 * reclaim), `kcompactd<node>` and `khugepaged` (making huge pages). Reclaim done by a vCPU thread
 * itself is not in here, but in that thread's system time.
 */
export interface KernelThread {
  readonly pid: number;
  /** E.g. `kswapd0`. */
  readonly comm: string;
  readonly cpuSeconds: number;
}

/**
 * `vhost-<pid>`: moves the packets of one guest NIC's queue. A kernel thread of its own before Linux
 * 6.4, in the cgroup of the guest but not in its process; since then a thread of QEMU.
 */
export interface VhostKernelThread extends KernelThread {
  /** The QEMU process it works for. */
  readonly ownerPid: number;
}

const MEMORY_MANAGEMENT = /^(?:ksmd|khugepaged|kswapd\d+|kcompactd\d+)$/;
const VHOST = /^vhost-(\d+)$/;

/** The parent of every kernel thread, started by the kernel right after init. */
const KTHREADD_PID = 2;

interface KnownThread {
  readonly comm: string;
  readonly startTimeTicks: number;
}

/**
 * Finds these kernel threads by walking /proc, and afterwards reads only their own stat files. Keep
 * one instance per exporter.
 */
export class KernelThreadReader {
  readonly #roots: Roots;
  readonly #found = new Map<number, KnownThread>();
  readonly #vhosts = new Map<number, KnownThread>();
  /** Pids seen to be something else, so that a further walk looks at new ones only. */
  readonly #others = new Set<number>();
  #walked = false;

  constructor(roots: Roots) {
    this.#roots = roots;
  }

  /**
   * The memory management threads. Walks /proc the first time, and again when one of them is gone
   * (a node or its memory went offline). Empty in a container which sees only its own processes.
   */
  readMemoryManagement(): Reading<readonly KernelThread[]> {
    if (this.#walked) {
      const expected = this.#found.size;
      const threads = this.#readAll(this.#found);
      if (threads.length === expected) return found(threads);
    }
    this.#others.clear();
    const walked = this.#walk();
    return walked.ok ? found(this.#readAll(this.#found)) : walked;
  }

  /**
   * The vhost threads of these QEMU processes (before Linux 6.4; later ones are found by
   * ProcessThreadReader and this gives none). `guestsChanged` when a guest started since the last
   * call: only then can there be new ones, and /proc is walked again.
   */
  readVhost(guestsChanged: boolean): Reading<readonly VhostKernelThread[]> {
    if (guestsChanged || !this.#walked) {
      const walked = this.#walk();
      if (!walked.ok) return walked;
    }
    return found(
      this.#readAll(this.#vhosts).map((thread) => ({
        ...thread,
        ownerPid: Number(VHOST.exec(thread.comm)?.[1]),
      })),
    );
  }

  #readAll(known: Map<number, KnownThread>): readonly KernelThread[] {
    const threads: KernelThread[] = [];
    for (const [pid, { comm, startTimeTicks }] of known) {
      const stat = readProcessStat(this.#roots, pid);
      if (stat.ok && stat.value.comm === comm && stat.value.startTimeTicks === startTimeTicks) {
        threads.push({
          pid,
          comm,
          cpuSeconds: stat.value.userSeconds + stat.value.systemSeconds,
        });
      } else {
        known.delete(pid);
      }
    }
    return threads;
  }

  #walk(): Reading<undefined> {
    const names = listKernelDirectory(this.#roots.procfs);
    if (!names.ok) return names;
    const present = new Set<number>();
    for (const name of names.value) {
      const pid = Number(name);
      if (!Number.isSafeInteger(pid) || pid <= KTHREADD_PID) continue;
      present.add(pid);
      if (this.#others.has(pid) || this.#found.has(pid) || this.#vhosts.has(pid)) continue;
      const stat = readProcessStat(this.#roots, pid);
      if (!stat.ok) continue;
      const { comm, startTimeTicks, kernelThread, parentPid } = stat.value;
      const isKernels = kernelThread && parentPid === KTHREADD_PID;
      if (isKernels && MEMORY_MANAGEMENT.test(comm)) this.#found.set(pid, { comm, startTimeTicks });
      else if (isKernels && VHOST.test(comm)) this.#vhosts.set(pid, { comm, startTimeTicks });
      else this.#others.add(pid);
    }
    for (const pid of this.#others) if (!present.has(pid)) this.#others.delete(pid);
    this.#walked = true;
    return found(undefined);
  }
}
