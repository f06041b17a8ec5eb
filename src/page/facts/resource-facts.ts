import type { Snapshot } from '../../model/snapshot.ts';
import type { RiskLevel, RiskResource, SignalId } from '../../risk/risk-model.ts';
import { formatRatio } from '../words/format.ts';
import { say, type Phrase, type Sentence } from '../words/sentence.ts';
import { whyGuestsAreUnknown } from '../words/source-words.ts';

/** What the page says of one resource. */
export interface ResourceFacts {
  readonly resource: RiskResource;
  /** Undefined: nothing of it was measured. */
  readonly level: RiskLevel | undefined;
  /** Undefined where what is promised or the capacity is not known, or nothing is promised. */
  readonly promise: PromisedInShort | undefined;
  /** Known: guests were promised nothing. */
  readonly isNothingPromised: boolean;
  /** The amounts behind the words, the worst part first. */
  readonly parts: readonly ResourcePart[];
  /** From level 2 on, the severest that is measured and not merely promised: it goes before `bank`. */
  readonly lead: Reason | undefined;
  /** What could make the level higher and is not known; empty from level 2 on. */
  readonly doubts: readonly Sentence[];
  /** Losses that only Prometheus can tell, whatever is measured here; empty at level 3. */
  readonly unseen: readonly Sentence[];
  /** What happens if everybody wants what was promised at once; its figure can stand alone. */
  readonly bank: Sentence;
  readonly charts: readonly Chart[];
  /** Why the level is what it is, severest first; empty when it is low. */
  readonly reasons: readonly Reason[];
  /** What else is worth knowing. */
  readonly notes: readonly Sentence[];
  /** Who takes or may claim most. */
  readonly top: TopGuests;
  /** Who waits, stalls or loses most. */
  readonly sufferers: TopGuests;
}

/** One filesystem, pool or uplink; all of the host where a resource has no parts. */
export interface ResourcePart {
  /** Undefined: all of the host. */
  readonly name: string | undefined;
  readonly unit: 'cpus' | 'bytes' | 'bytes_per_second';
  readonly promised: number | undefined;
  readonly capacity: number | undefined;
  readonly exposure: number | undefined;
  readonly supply: number | undefined;
  /** Exposure less supply; negative: so much would be left. */
  readonly shortfall: number | undefined;
  /** As of the last minute; undefined without two looks. */
  readonly used: number | undefined;
}

/** The over-commitment of a resource; of its worst part where it has several. */
export interface PromisedInShort {
  /** `8 : 1` */
  readonly ratio: string;
  /** `32 vCPUs` */
  readonly promised: string;
  /** `4 CPUs` */
  readonly capacity: string;
}

export interface Reason {
  readonly signal: SignalId;
  readonly level: RiskLevel;
  readonly sentence: Sentence;
  /** The sentence of a severer reason has it already. */
  readonly isSaid: boolean;
  /** Infinite where something is claimed and nothing is there. */
  readonly value: number;
  readonly limit: number;
  /** It happens now; false: it could. */
  readonly isMeasured: boolean;
  readonly runbook: string;
}

/** Bars on one scale: what was promised, against the capacity. */
export interface Chart {
  /** Which filesystem, pool or uplink, where a host has several. */
  readonly of: Phrase | undefined;
  readonly bars: readonly Bar[];
}

export interface Bar {
  readonly kind: 'promised' | 'capacity' | 'used' | 'claim' | 'supply';
  readonly label: string;
  /** In the unit of the chart. */
  readonly value: number;
  readonly text: string;
  /** Where the capacity ends; what reaches beyond is drawn apart. */
  readonly limit: number | undefined;
}

/** Makes bars whose values are all in one unit. */
export function barsIn(
  write: (value: number) => string,
): (kind: Bar['kind'], label: string, value: number, limit?: number) => Bar {
  return (kind, label, value, limit) => ({ kind, label, value, text: write(value), limit });
}

/** At most three guests, with what they are there for. */
export interface TopGuests {
  readonly title: string;
  readonly guests: readonly TopGuest[];
}

export interface TopGuest {
  readonly name: string;
  readonly why: string;
}

/** What every resource is told by, its own part left open. */
export type RiskOf = Pick<ResourceFacts, 'level' | 'reasons' | 'lead' | 'doubts' | 'unseen'>;

/** From here on the page says first what happens, and then what could. */
const MEASUREMENT_LEADS = 2;

export function findLead(reasons: readonly Reason[]): Reason | undefined {
  return reasons.find(({ level, isMeasured }) => isMeasured && level >= MEASUREMENT_LEADS);
}

/** @returns undefined where one of both is not known, or nothing is there to promise. */
export function promiseInShort(
  promised: number | undefined,
  capacity: number | undefined,
  write: (value: number) => string,
  writeCapacity = write,
): PromisedInShort | undefined {
  if (promised === undefined || capacity === undefined || capacity === 0) return undefined;
  return {
    ratio: formatRatio(promised / capacity),
    promised: write(promised),
    capacity: writeCapacity(capacity),
  };
}

/**
 * Why nothing can be said of what is promised: not all guests are known, or else the host is not.
 *
 * @param lacking what could not be read where all guests are known.
 */
export function unknownBank(
  snapshot: Pick<Snapshot, 'domains' | 'guestSources'>,
  lacking: string,
): Sentence {
  return whyGuestsAreUnknown(snapshot) ?? say`Unknown: ${lacking} could not be read.`;
}

const MOST_TOP_GUESTS = 3;

/** The guests with the highest values, by name where they are equal; none with 0 or less. */
export function topGuests<T extends { readonly name: string }>(
  guests: readonly T[],
  valueOf: (guest: T) => number | undefined,
  whyOf: (guest: T, value: number) => string,
): readonly TopGuest[] {
  return guests
    .flatMap((guest) => {
      const value = valueOf(guest);
      return value === undefined || value <= 0 ? [] : [{ guest, value }];
    })
    .sort((one, other) => other.value - one.value || (one.guest.name < other.guest.name ? -1 : 1))
    .slice(0, MOST_TOP_GUESTS)
    .map(({ guest, value }) => ({ name: guest.name, why: whyOf(guest, value) }));
}
