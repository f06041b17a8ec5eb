import type { Deadline } from '../runtime/deadline.ts';
import type { ConfiguredGuest, Domain } from '../model/domain.ts';
import { GUEST_SOURCES, type GuestSourceName } from '../model/guest-source.ts';
import type { NetworkLinks } from '../model/network.ts';
import type { OutcomeLog } from '../model/outcome-log.ts';
import type { ThinPool } from '../model/storage.ts';
import type { CountedQemu } from '../sources/process/qemu-census.ts';

/** Which sources of guests to use. */
export interface SourceChoice {
  readonly used: ReadonlySet<GuestSourceName>;
  /** Those somebody asked for by name: that they do not answer is a failure, whatever the host has. */
  readonly named: ReadonlySet<GuestSourceName>;
}

/**
 * What the flags ask for: `auto`, or nothing, is any source this host has something of.
 *
 * @param isLibvirtNamed somebody said where libvirt is.
 */
export function chooseSources({
  sources,
  isLibvirtNamed,
}: {
  readonly sources: readonly string[];
  readonly isLibvirtNamed: boolean;
}): SourceChoice {
  const named = new Set(GUEST_SOURCES.filter((name) => sources.includes(name)));
  const isAuto = sources.length === 0 || sources.includes('auto');
  const used = isAuto ? new Set(GUEST_SOURCES) : named;
  if (isLibvirtNamed && used.has('libvirt')) named.add('libvirt');
  return { used, named };
}

/** All sources, each where the host has what it reads. */
export const ANY_SOURCE: SourceChoice = {
  used: new Set(['libvirt', 'proxmox', 'process']),
  named: new Set(),
};

/** What a source that reads files and processes is given in one collection. */
export interface Collection {
  readonly log: OutcomeLog;
  /** In `performance.now()` time. */
  readonly deadline: Deadline;
  readonly selects: (name: string) => boolean;
  readonly network: Promise<NetworkLinks | undefined>;
  /** QEMUs that no source before this one has claimed. */
  readonly qemus: readonly CountedQemu[];
}

/** What a source tells in one collection. */
export interface Told {
  /**
   * It told of all its guests; false: it was there and did not, and sums over guests are not to be made.
   */
  readonly up: boolean;
  readonly configured: readonly ConfiguredGuest[];
  readonly guests: readonly Domain[];
  /** Processes it has claimed as its guests', by pid. */
  readonly claimed: ReadonlySet<number>;
  /** Unix time of the statistics in it; undefined where there are none. */
  readonly writtenAtSeconds?: number | undefined;
  /** Thin pools of LVM whose fullness somebody else has measured, as of that time. */
  readonly thinPools?: readonly ThinPool[];
}

/**
 * A place guests are learnt of without asking a daemon. libvirt is none: it is asked in several steps,
 * each of which may hang by itself (guests/libvirt/guest-collector.ts).
 */
export interface GuestSource {
  readonly name: GuestSourceName;
  /** Undefined where this host has nothing of it. Never rejects, and waits for no guest. */
  collect(collection: Collection): Promise<Told | undefined>;
}
