import { DOMAIN_STATES, type DomainState } from '../../model/facts/domain-state.ts';

/**
 * Words for libvirt's numbers (virDomainState and the reason enums of libvirt-domain.h), as `virsh
 * domstate --reason` knows them. A reason means nothing without its state: 5 is `ioerror` for a
 * paused guest and `saved` for one that is shut off.
 */
const REASONS: Readonly<Record<DomainState, readonly string[]>> = {
  nostate: ['unknown'],
  running: [
    'unknown',
    'booted',
    'migrated',
    'restored',
    'from_snapshot',
    'unpaused',
    'migration_canceled',
    'save_canceled',
    'wakeup',
    'crashed',
    'postcopy',
    'postcopy_failed',
  ],
  blocked: ['unknown'],
  paused: [
    'unknown',
    'user',
    'migration',
    'save',
    'dump',
    'ioerror',
    'watchdog',
    'from_snapshot',
    'shutting_down',
    'snapshot',
    'crashed',
    'starting_up',
    'postcopy',
    'postcopy_failed',
    'api_error',
  ],
  shutdown: ['unknown', 'user'],
  shutoff: [
    'unknown',
    'shutdown',
    'destroyed',
    'crashed',
    'migrated',
    'saved',
    'failed',
    'from_snapshot',
    'daemon',
  ],
  crashed: ['unknown', 'panicked'],
  pmsuspended: ['unknown'],
};

export interface StateNames {
  readonly state: DomainState;
  readonly reason: string;
}

/** The words for a state and its reason; a number newer than this list becomes `unknown`. */
export function stateNames(state: number | undefined, reason: number | undefined): StateNames {
  const name = DOMAIN_STATES[state ?? 0];
  if (name === undefined) return { state: 'nostate', reason: 'unknown' };
  return { state: name, reason: REASONS[name][reason ?? 0] ?? 'unknown' };
}
