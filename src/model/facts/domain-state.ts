/** virDomainState of libvirt-domain.h in libvirt's own words, by its number. */
export const DOMAIN_STATES = [
  'nostate',
  'running',
  'blocked',
  'paused',
  'shutdown',
  'shutoff',
  'crashed',
  'pmsuspended',
] as const;

export type DomainState = (typeof DOMAIN_STATES)[number];

interface StateAndReason {
  readonly state: DomainState;
  readonly reason: string;
}

/** A write of the guest failed, and it was stopped for that. */
export function isPausedOnIoError({ state, reason }: StateAndReason): boolean {
  return state === 'paused' && reason === 'ioerror';
}

/**
 * `crashed` after a panic, `shutoff` with reason `crashed` when QEMU went away, `paused` with it when
 * the guest is kept for a look.
 */
export function hasCrashed({ state, reason }: StateAndReason): boolean {
  return (
    state === 'crashed' || ((state === 'shutoff' || state === 'paused') && reason === 'crashed')
  );
}
