import { readKernelRecord } from '../../sources/kernel/kernel-file.ts';
import { lineStart, lineText } from '../../sources/kernel/kernel-scan.ts';
import { parseSwitch } from '../../sources/kernel/kernel-text.ts';

import { failed, Faults, found, inShort, type Result } from '../../runtime/result.ts';
import type { ProcessThread } from '../../model/process.ts';
import type { Standstill } from '../../model/domain.ts';

/**
 * `uncertain`: a thread sleeps uninterruptibly and has only just begun. Whether it is blocked, or waits for
 * a disk as threads do all the time, shows at a second look.
 */
export type SeenStandstill = Standstill | 'uncertain';

/** A thread that has slept uninterruptibly for so long waits for more than a disk. */
const BLOCKED_AFTER_MS = 250;

/**
 * Undefined when nothing speaks against asking. A cgroup that does not say whether it is frozen is a
 * fault.
 *
 * @param mainState the state of the process's main thread, read with its `stat`. Not for D: for that the
 *   thread has to be seen twice, in `threads`.
 * @param cgroup the guest's own directory in the unified hierarchy.
 */
export function readStandstill(
  mainState: string,
  threads: readonly ProcessThread[] | undefined,
  cgroup: string | undefined,
): Result<SeenStandstill | undefined> {
  const all = threads ?? [];
  if (isStopped(mainState) || all.some(({ state }) => isStopped(state))) return found('stopped');
  const faults = new Faults();
  const isFrozen = cgroup !== undefined && faults.optional(readFrozen(cgroup)) === true;
  if (isFrozen) return found('frozen');
  const asleep = all.filter(({ state }) => state === 'D');
  if (asleep.some(({ stillMs }) => stillMs >= BLOCKED_AFTER_MS)) return faults.found('blocked');
  return faults.found(asleep.length > 0 ? 'uncertain' : undefined);
}

function isStopped(state: string | undefined): boolean {
  return state === 'T' || state === 't';
}

/**
 * `frozen 1` in cgroup.events (Documentation/admin-guide/cgroup-v2.rst): all processes of the group are
 * frozen, by the group's own switch or by one further up. Their threads look asleep (S). In cgroup v1
 * frozen threads are in state D. Before Linux 5.2 the file has no such line.
 */
function readFrozen(cgroup: string): Result<boolean> {
  const path = `${cgroup}/cgroup.events`;
  const events = readKernelRecord(path);
  if (!events.ok) return events;
  if (lineStart(events.value, 'populated') === -1) return failed('malformed', path, 'no populated');
  const word = lineText(events.value, 'frozen');
  const frozen = word === undefined ? false : parseSwitch(word);
  return frozen === undefined
    ? failed('malformed', path, `frozen: ${inShort(word ?? '')}`)
    : found(frozen);
}
