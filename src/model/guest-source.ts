/** Where guests are learnt of; the first that knows a fact about a guest is believed. */
export const GUEST_SOURCES = ['libvirt', 'proxmox', 'process'] as const;
export type GuestSourceName = (typeof GUEST_SOURCES)[number];

/** One source in one collection. Sources this host has nothing of are not listed. */
export interface GuestSourceState {
  readonly name: GuestSourceName;
  /** It told of all its guests. Otherwise sums over guests would be too small, and are not made. */
  readonly up: boolean;
  /** Guests it told of and no source before it; undefined where it did not answer. */
  readonly guests: number | undefined;
}

/**
 * QEMUs that ordinary users of the host run for themselves. They may say of themselves what they
 * like, so that nothing but what the kernel says of them is taken, and they are part of no promise.
 */
export interface UserQemus {
  readonly count: number;
  /** Σ resident pages of /proc/<pid>/stat, in bytes. */
  readonly residentBytes: number;
}

/** What the sources of guests said, and what was found beside the guests. */
export interface GuestSources {
  readonly states: readonly GuestSourceState[];
  /** Undefined where /proc was not looked through. */
  readonly userQemus: UserQemus | undefined;
  /** Unix time of what Proxmox VE's pvestatd wrote last; undefined where there is no such file. */
  readonly pvestatdAtSeconds: number | undefined;
}

/** Every source that was expected told of its guests, so that sums over them are whole. */
export function areGuestsComplete(sources: GuestSources | undefined): boolean {
  return sources?.states.every(({ up }) => up) ?? true;
}
