import { GUEST_SOURCES, type GuestSourceName } from '../../model/guest-source.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { say, type Sentence } from './sentence.ts';

/** Who told of a guest. */
export const SOURCE_WORDS: Readonly<Record<GuestSourceName, string>> = {
  libvirt: 'libvirt',
  proxmox: 'Proxmox VE',
  process: 'its process',
};

const SILENCE: Readonly<Record<GuestSourceName, string>> = {
  libvirt: 'libvirt could not be asked about guests',
  proxmox: 'files of Proxmox VE could not be read',
  process: 'processes of guests could not be read',
};

/** Why sums over guests are not known; undefined where all guests are. */
export function whyGuestsAreUnknown({
  domains,
  guestSources,
}: Pick<Snapshot, 'domains' | 'guestSources'>): Sentence | undefined {
  const silent = GUEST_SOURCES.find((source) =>
    guestSources?.states.some(({ name, up }) => name === source && !up),
  );
  if (silent !== undefined) return say`Unknown: ${SILENCE[silent]}.`;
  return domains === undefined ? say`Unknown: ${SILENCE.libvirt}.` : undefined;
}
