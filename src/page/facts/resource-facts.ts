import type { RiskLevel, RiskResource, SignalId } from '../../risk/risk-model.ts';
import { formatRatio } from '../words/format.ts';
import type { Phrase, Sentence } from '../words/sentence.ts';

/** What the page says of one resource. */
export interface ResourceFacts {
  readonly resource: RiskResource;
  /** Undefined: nothing of it was measured. */
  readonly level: RiskLevel | undefined;
  /** Undefined where what is promised or the capacity is not known. */
  readonly promise: PromisedInShort | undefined;
  /** What happens if everybody wants what was promised at once; its figure can stand alone. */
  readonly bank: Sentence;
  readonly charts: readonly Chart[];
  /** Why the level is what it is, severest first; empty when it is low. */
  readonly reasons: readonly Reason[];
  /** What else is worth knowing. */
  readonly notes: readonly Sentence[];
  readonly top: TopGuests;
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
export type RiskOf = Pick<ResourceFacts, 'level' | 'reasons'>;

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
