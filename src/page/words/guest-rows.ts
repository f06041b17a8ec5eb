import type { DomainView, View } from '../../view/view.ts';
import { promisedMemory, promisedVcpus } from '../../overcommit/memory/assess-promise.ts';
import type { Rates } from '../../risk/rates.ts';
import { hasCrashed, isPausedOnIoError, type DomainState } from '../../model/facts/domain-state.ts';

/** So many guests are listed; all are in the metrics. */
const MOST_GUEST_ROWS = 200;

/** One guest in the list. Undefined is not known, and not zero. */
export interface GuestRow {
  readonly name: string;
  /** What libvirt calls its state, with the reason where that matters. */
  readonly state: string;
  readonly isTrouble: boolean;
  readonly vcpus: number | undefined;
  readonly cpus: number | undefined;
  readonly delayRatio: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly claimableBytes: number | undefined;
  readonly swappedBytes: number | undefined;
  readonly claimableStorageBytes: number | undefined;
  readonly trafficBytesPerSecond: number | undefined;
}

export interface GuestRows {
  readonly rows: readonly GuestRow[];
  readonly total: number;
}

/** Guests in trouble first, then the active ones, each by name. */
export function guestList({ domains }: View, rates: Rates | undefined): GuestRows {
  const ranked = domains
    .map((view) => ({ view, rank: computeRank(view.domain) }))
    .sort(
      (one, other) =>
        one.rank - other.rank || compareNames(one.view.domain.name, other.view.domain.name),
    );
  return {
    total: ranked.length,
    rows: ranked
      .slice(0, MOST_GUEST_ROWS)
      .map(({ view, rank }) => toGuestRow(view, rank < CALM, rates)),
  };
}

/** Ranks below this are trouble. */
const CALM = 4;

function computeRank(domain: DomainView['domain']): number {
  if (isPausedOnIoError(domain)) return 0;
  if (hasCrashed(domain)) return 1;
  if (domain.monitor === 'unresponsive') return 2;
  // Paused by somebody, for a snapshot or a migration: may be meant, but stands still.
  if (domain.state === 'paused') return 3;
  return domain.active ? CALM : CALM + 1;
}

/** web-2 before web-10; the order of code points where that says nothing. */
const collator = new Intl.Collator('en', { numeric: true });

function compareNames(one: string, other: string): number {
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

function toGuestRow(view: DomainView, isTrouble: boolean, rates: Rates | undefined): GuestRow {
  const { domain, memory, storage } = view;
  const own = rates?.guests.get(domain.uuid);
  const traffic = own?.traffic;
  return {
    name: domain.name,
    state: stateWords(domain),
    isTrouble,
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
