import type { ResourceRisk, RiskLevel, RiskResource } from '../../overcommit/risk-model.ts';
import type { Phrase, Sentence } from './sentence.ts';

/** What the page says of one resource. */
export interface ResourceFacts {
  readonly resource: RiskResource;
  /** Undefined: nothing of it was measured. */
  readonly level: RiskLevel | undefined;
  /** Promised per capacity in short, `8 : 1`; undefined where one of both is not known. */
  readonly promise: string | undefined;
  /** What happens if everybody wants what was promised at once. */
  readonly bank: Sentence;
  readonly charts: readonly Chart[];
  /** Why the level is what it is, the gravest first; empty when it is low. */
  readonly reasons: readonly Reason[];
  /** What else is worth knowing. */
  readonly notes: readonly Sentence[];
  readonly top: TopGuests;
}

export interface Reason {
  readonly level: RiskLevel;
  readonly sentence: Sentence;
}

/** Bars on one scale: what was promised, against what there is. */
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

export type Risks = Readonly<Record<RiskResource, ResourceRisk | undefined>>;

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
