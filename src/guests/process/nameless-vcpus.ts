import { readKernelRecord } from '../../sources/kernel/kernel-file.ts';
import { parseProcessStat } from '../../sources/process/stat.ts';
import type { Roots } from '../../sources/kernel/roots.ts';
import type { GuestProcess } from '../../model/domain.ts';
import type { ProcessThread } from '../../model/process.ts';

/**
 * Finds the vCPUs of a QEMU that was started without `debug-threads=on` (before QEMU 11), whose threads
 * all have one name: only a thread that runs a vCPU spends time in guest mode (guest_time of
 * /proc/<pid>/task/<tid>/stat). They are numbered in the order in which QEMU started them. A vCPU that has
 * never run is not found, and under TCG none is. Keep one instance per exporter.
 */
export class NamelessVcpus {
  readonly #roots: Roots;
  /** Threads that have been in guest mode, by process. */
  readonly #known = new Map<string, Set<number>>();

  constructor(roots: Roots) {
    this.#roots = roots;
  }

  /** The same process, with the roles of its threads. `key` names it for good. */
  name(key: string, process: GuestProcess): GuestProcess {
    const { threads, stat, pid } = process;
    if (threads === undefined || stat.guestSeconds === 0) return process;
    if (threads.some(({ role }) => role.kind === 'vcpu')) return process;
    const known = this.#known.get(key) ?? new Set<number>();
    this.#known.set(key, known);
    for (const { tid, role } of threads) {
      if (role.kind === 'other' && !known.has(tid) && this.#runsGuest(pid, tid)) known.add(tid);
    }
    const vcpus = threads
      .filter(({ tid, role }) => role.kind === 'other' && known.has(tid))
      .sort((one, other) => one.tid - other.tid);
    const index = new Map(vcpus.map(({ tid }, at) => [tid, at]));
    return {
      ...process,
      threads: threads.map((thread): ProcessThread => {
        const at = index.get(thread.tid);
        return at === undefined ? thread : { ...thread, role: { kind: 'vcpu', index: at } };
      }),
    };
  }

  /** Drops every process not in this set. */
  retain(keys: ReadonlySet<string>): void {
    for (const key of this.#known.keys()) if (!keys.has(key)) this.#known.delete(key);
  }

  #runsGuest(pid: number, tid: number): boolean {
    const path = `${this.#roots.procfs}/${pid}/task/${tid}/stat`;
    const text = readKernelRecord(path);
    const stat = text.ok ? parseProcessStat(text.value, path) : text;
    return stat.ok && stat.value.guestSeconds > 0;
  }
}
