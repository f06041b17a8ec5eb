import type { DomainState } from '../../model/facts/domain-state.ts';
import type { PveVmStatistics } from './statistics.ts';

/** QEMU's RunState (qapi/run-state.json) in libvirt's words. */
const STATES: ReadonlyMap<string, readonly [DomainState, string]> = new Map([
  ['running', ['running', 'unknown']],
  ['paused', ['paused', 'unknown']],
  ['io-error', ['paused', 'ioerror']],
  ['internal-error', ['paused', 'crashed']],
  ['guest-panicked', ['crashed', 'panicked']],
  ['suspended', ['pmsuspended', 'unknown']],
  ['prelaunch', ['paused', 'starting up']],
  ['inmigrate', ['paused', 'migration']],
  ['finish-migrate', ['paused', 'migration']],
  ['postmigrate', ['paused', 'migration']],
  ['colo', ['paused', 'migration']],
  ['restore-vm', ['paused', 'from snapshot']],
  ['save-vm', ['paused', 'save']],
  ['watchdog', ['paused', 'watchdog']],
  ['shutdown', ['shutdown', 'unknown']],
  ['debug', ['paused', 'debug']],
]);

/** What holds a guest in its config (`lock`), as the reason of a state that has no better one. */
const LOCKS: ReadonlySet<string> = new Set([
  ...['backup', 'clone', 'create', 'migrate', 'rollback', 'snapshot', 'snapshot-delete'],
  ...['suspending', 'suspended', 'disk', 'mounted', 'destroyed', 'fstrim'],
]);

/** State and reason; `statistics` undefined where nothing of now is known, and nobody says it is paused. */
export function toVmState(
  active: boolean,
  statistics: PveVmStatistics | undefined,
  lock: string | undefined,
): { readonly state: DomainState; readonly reason: string } {
  const [state, reason] = active
    ? (STATES.get(statistics?.qmpStatus ?? 'running') ?? ['running', 'unknown'])
    : (['shutoff', 'unknown'] as const);
  const held = lock !== undefined && LOCKS.has(lock) ? lock : undefined;
  return { state, reason: reason === 'unknown' ? (held ?? reason) : reason };
}
