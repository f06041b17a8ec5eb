import type { Family, FamilyType, FamilyUnit } from '../exposition/family.ts';
import type { DomainView, View } from '../view/view.ts';

/**
 * A metric family together with how its samples come out of a snapshot: the catalogue is a list of
 * these, and nothing is exposed that is not in it.
 */
export type Metric = HostMetric | DomainMetric;

/** Takes one sample; a value that could not be read (undefined) leaves no sample. */
export type Sample = (labels: string, value: number | bigint | undefined) => void;

interface Common extends Family {
  /** What docs/metrics.md says after the help: labels, special cases. */
  readonly note: string | undefined;
}

/** Written in one go from the whole view. */
export interface HostMetric extends Common {
  readonly scope: 'host';
  readonly write: (view: View, sample: Sample) => void;
}

/** Written guest by guest, so that the writer can yield to the event loop in between. */
export interface DomainMetric extends Common {
  readonly scope: 'domain';
  readonly write: (domain: DomainView, sample: Sample) => void;
}

interface Details {
  readonly note?: string;
  readonly labels?: readonly string[];
  /** Labels the administrator named come behind these. */
  readonly ownLabels?: boolean;
}

type HostWrite = HostMetric['write'];
type DomainWrite = DomainMetric['write'];

export function gauge(name: string, help: string, details: Details, write: HostWrite): HostMetric {
  return { ...declare(name, help, 'gauge', details), scope: 'host', write };
}

export function counter(
  name: string,
  help: string,
  details: Details,
  write: HostWrite,
): HostMetric {
  return { ...declare(name, help, 'counter', details), scope: 'host', write };
}

export function info(name: string, help: string, details: Details, write: HostWrite): HostMetric {
  return { ...declare(name, help, 'info', details), scope: 'host', write };
}

/** The `domain` label comes first in every family about guests and need not be declared. */
export function domainGauge(
  name: string,
  help: string,
  details: Details,
  write: DomainWrite,
): DomainMetric {
  return { ...declareDomain(name, help, 'gauge', details), scope: 'domain', write };
}

export function domainCounter(
  name: string,
  help: string,
  details: Details,
  write: DomainWrite,
): DomainMetric {
  return { ...declareDomain(name, help, 'counter', details), scope: 'domain', write };
}

export function domainInfo(
  name: string,
  help: string,
  details: Details,
  write: DomainWrite,
): DomainMetric {
  return { ...declareDomain(name, help, 'info', details), scope: 'domain', write };
}

/** The same family with a note, where a helper without one declares it. */
export function withNote<M extends Metric>(metric: M, note: string): M {
  return { ...metric, note };
}

function declareDomain(name: string, help: string, type: FamilyType, details: Details): Common {
  return declare(name, help, type, { ...details, labels: ['domain', ...(details.labels ?? [])] });
}

function declare(name: string, help: string, type: FamilyType, details: Details): Common {
  return {
    name,
    help,
    type,
    unit: findUnit(name, type),
    labels: details.labels ?? [],
    ownLabels: details.ownLabels,
    note: details.note,
  };
}

const UNIT_SUFFIXES: readonly Exclude<FamilyUnit, ''>[] = ['seconds', 'bytes', 'ratio'];

/** The unit is part of the name by convention, so it is not declared a second time. */
function findUnit(name: string, type: FamilyType): FamilyUnit {
  if (type === 'info') return '';
  const base = name.replace(/_total$/, '');
  return UNIT_SUFFIXES.find((unit) => base.endsWith(`_${unit}`)) ?? '';
}
