import { CATALOGUE } from '../../src/metrics/catalogue.ts';
import { labelsIn } from './expectations.ts';
import { expandedValues } from './sample-values.ts';
import { OF_PROMETHEUS, TARGET_LABELS } from './series.ts';
import type { RuleTest } from './test-file.ts';

const FAMILIES = new Map(CATALOGUE.map((family) => [family.name, family]));

/** Families whose value is 0 or 1 and nothing between: the names say so. */
const YES_OR_NO = /_(?:up|responsive|readonly|success|successful|readable|corrupt|needs_check)$/;

/** What may be below 0: merging costs memory too. */
const SIGNED = /_profit_bytes$/;

/**
 * What no exporter would publish among the input of a test: a family that is not there, a label too
 * many or too few, an info that is not 1, a counter or a size below 0.
 *
 * Tests may give what recording rules make (`level:metric:operation`); that is for them to know.
 */
export function emittedFaults(test: RuleTest): readonly string[] {
  return test.input_series.flatMap(({ series, values }) =>
    faultsOf(series, values).map((fault) => `${test.name}: ${series}: ${fault}`),
  );
}

function faultsOf(series: string, values: string): readonly string[] {
  const name = /^[^{]+/.exec(series)?.[0] ?? '';
  if (name.includes(':') || OF_PROMETHEUS.has(name)) return [];
  const family = FAMILIES.get(name);
  if (family === undefined) return ['not in the catalogue'];
  const given = Object.keys(labelsIn(series)).filter((label) => !TARGET_LABELS.includes(label));
  const wanted = new Set(family.labels);
  const faults = [
    ...given.filter((label) => !wanted.has(label)).map((label) => `has no label ${label}`),
    // To Prometheus an empty label is none, and what is not known of a thing is empty.
    ...(family.type === 'info' ? [] : [...wanted])
      .filter((label) => !given.includes(label))
      .map((label) => `needs ${label}`),
  ];
  const numbers = expandedValues(values).filter((one) => one !== '_' && one !== 'stale');
  const strange = numbers.find((one) => !canBe(family.type, name, Number(one)));
  if (strange !== undefined) faults.push(`is never ${strange}`);
  return faults;
}

function canBe(type: string, name: string, value: number): boolean {
  if (type === 'info') return value === 1;
  if (YES_OR_NO.test(name)) return value === 0 || value === 1;
  return value >= 0 || SIGNED.test(name);
}
