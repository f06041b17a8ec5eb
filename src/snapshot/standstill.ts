import { readKernelFile } from '../sources/kernel-file.ts';
import type { ProcessThread } from '../sources/process-threads.ts';

/**
 * Why a QEMU can not answer its monitor, seen without asking it:
 * - `stopped`: a thread is stopped by a signal or a debugger (state T or t);
 * - `frozen`: its cgroup is frozen, as `virsh suspend` never does but a container manager may;
 * - `blocked`: a thread has been in uninterruptible sleep (state D) for a while without running, most
 *   often because storage does not answer.
 *
 * Any thread will do: QEMU's main loop waits for the vCPUs, iothreads and workers at many places. An
 * idle thread that will never wake (a lost futex) can not be told from one that is merely idle.
 */
export type Standstill = 'stopped' | 'frozen' | 'blocked';

/** A thread that has slept uninterruptibly for so long waits for more than a disk. */
const BLOCKED_AFTER_MS = 250;

/**
 * Undefined when nothing speaks against asking.
 *
 * @param mainState the state of the process's main thread, read with its `stat`. Not for D: for that the
 *   thread has to be seen twice, in `threads`.
 * @param cgroup the guest's own directory in the unified hierarchy.
 */
export function readStandstill(
  mainState: string,
  threads: readonly ProcessThread[] | undefined,
  cgroup: string | undefined,
): Standstill | undefined {
  const all = threads ?? [];
  if (isStopped(mainState) || all.some(({ state }) => isStopped(state))) return 'stopped';
  if (cgroup !== undefined && isFrozen(cgroup)) return 'frozen';
  const isBlocked = all.some(({ state, stillMs }) => state === 'D' && stillMs >= BLOCKED_AFTER_MS);
  return isBlocked ? 'blocked' : undefined;
}

function isStopped(state: string | undefined): boolean {
  return state === 'T' || state === 't';
}

/**
 * `frozen 1` in cgroup.events (Documentation/admin-guide/cgroup-v2.rst): all processes of the group are
 * frozen, by the group's own switch or by one further up. Their threads look asleep (S). In cgroup v1
 * frozen threads are in state D.
 */
function isFrozen(cgroup: string): boolean {
  const events = readKernelFile(`${cgroup}/cgroup.events`);
  return events.ok && /^frozen 1$/m.test(events.value);
}
