import type { DomainView, View } from '../../view/view.ts';
import { promisedMemory, promisedVcpus } from '../../overcommit/memory/assess-promise.ts';
import { findGuestTroubles, guestSurroundings, type GuestTrouble } from '../../risk/guest-risk.ts';
import type { GuestRates, Rates } from '../../risk/rates.ts';
import { troubleWords, type GuestTroubleWords } from './guest-troubles.ts';
import type { DomainState } from '../../model/facts/domain-state.ts';
import type { GuestSourceName } from '../../model/guest-source.ts';

/** One guest in the list. Undefined is not known, and not zero. */
export interface GuestRow {
  readonly name: string;
  readonly uuid: string;
  /** Who told of it first. */
  readonly source: GuestSourceName;
  /** What libvirt calls its state, with the reason where that matters. */
  readonly state: string;
  /** What is wrong with it, worst first. */
  readonly troubles: readonly GuestTroubleWords[];
  readonly vcpus: number | undefined;
  readonly cpus: number | undefined;
  readonly delayRatio: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly claimableBytes: number | undefined;
  readonly swappedBytes: number | undefined;
  readonly claimableStorageBytes: number | undefined;
  readonly trafficBytesPerSecond: number | undefined;
}

/**
 * Every guest: who suffers most first, by the level of what is wrong and then by how much of the time
 * or of its memory; then the active ones, each by name.
 */
export function guestList(
  { domains, policy }: View,
  rates: Rates | undefined,
): readonly GuestRow[] {
  const surroundings = guestSurroundings(policy.policy, rates?.host.cpuWaitingRatio);
  return domains
    .map((view) => {
      const own = rates?.guests.get(view.domain.uuid);
      return { view, own, troubles: findGuestTroubles(view, own, surroundings) };
    })
    .sort(
      (one, other) =>
        compareTroubles(one.troubles[0], other.troubles[0]) ||
        Number(other.view.domain.active) - Number(one.view.domain.active) ||
        compareNames(one.view.domain.name, other.view.domain.name),
    )
    .map(({ view, own, troubles }) => toGuestRow(view, own, troubles.map(troubleWords)));
}

function compareTroubles(one: GuestTrouble | undefined, other: GuestTrouble | undefined): number {
  return (other?.level ?? 0) - (one?.level ?? 0) || (other?.share ?? 0) - (one?.share ?? 0);
}

/** web-2 before web-10; the order of code points where that says nothing. */
const collator = new Intl.Collator('en', { numeric: true });

export function compareNames(one: string, other: string): number {
  return collator.compare(one, other) || (one < other ? -1 : 1);
}

const STATE_WORDS: Readonly<Partial<Record<DomainState, string>>> = {
  shutoff: 'off',
  shutdown: 'shutting down',
  pmsuspended: 'suspended',
  nostate: 'no state',
};

const REASON_WORDS: Readonly<Record<string, string>> = {
  ioerror: 'write failed',
  user: 'by hand',
};

/** Reasons worth a word: why a guest is paused, and that it crashed. */
function stateWords({ state, reason, monitor }: DomainView['domain']): string {
  const word = STATE_WORDS[state] ?? state;
  const why =
    (state === 'paused' && reason !== 'unknown') || reason === 'crashed'
      ? (REASON_WORDS[reason] ?? reason.replaceAll('_', ' '))
      : undefined;
  const details = [
    ...(why === undefined ? [] : [why]),
    ...(monitor === 'unresponsive' ? ['no answer'] : []),
  ];
  return [word, ...details].join(', ');
}

function toGuestRow(
  view: DomainView,
  own: GuestRates | undefined,
  troubles: readonly GuestTroubleWords[],
): GuestRow {
  const { domain, memory, storage } = view;
  const traffic = own?.traffic;
  return {
    name: domain.name,
    uuid: domain.uuid,
    source: domain.source ?? 'libvirt',
    state: stateWords(domain),
    troubles,
    vcpus: promisedVcpus(domain)?.filter(({ online }) => online).length,
    cpus: own?.cpus,
    delayRatio: own?.delayRatio,
    memoryBytes: promisedMemory(domain)?.currentBytes,
    claimableBytes: memory?.claimableBytes,
    swappedBytes: memory?.swapBytes,
    claimableStorageBytes:
      storage.length === 0
        ? undefined
        : storage.reduce((sum, { part }) => sum + part.claimableBytes, 0),
    trafficBytesPerSecond: traffic && traffic.receivedBytesPerSecond + traffic.sentBytesPerSecond,
  };
}
