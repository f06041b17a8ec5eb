import type { Registry } from 'prom-client';

import { formatValue } from './escape.ts';
import type { Family, FamilyType } from './family.ts';
import { labelText } from './labels.ts';
import type { ExpositionWriter } from './writer.ts';

/**
 * Brings the exporter's own process and runtime metrics, which prom-client keeps, into our
 * exposition. Through data and not through prom-client's text: one registry renders only one
 * format, and after an OpenMetrics rendering prom-client 15 drops `_total` from later text.
 */
export interface ForeignFamily {
  readonly family: Family;
  readonly samples: readonly ForeignSample[];
}

interface ForeignSample {
  /** '' or `_bucket`, `_sum`, `_count`. */
  readonly suffix: string;
  readonly labels: string;
  readonly value: number;
}

interface RegistryValue {
  readonly value: number;
  readonly labels: Readonly<Partial<Record<string, string | number>>>;
  readonly metricName?: string;
}

/**
 * The families of a registry. Gauges whose name ends in `_total` are left out: prom-client has
 * three (active handles, requests, resources), each the sum of another family of its own, and
 * neither format allows that ending for a gauge. NaN, which it has for means of nothing, is absent.
 */
export async function readRegistry(registry: Registry): Promise<readonly ForeignFamily[]> {
  const families: ForeignFamily[] = [];
  for (const metric of await registry.getMetricsAsJSON()) {
    const type = toType(String(metric.type), metric.name);
    if (type !== 'counter' && metric.name.endsWith('_total')) continue;
    const values: readonly RegistryValue[] = metric.values;
    const labelNames = [...new Set(values.flatMap((value) => Object.keys(value.labels)))].filter(
      (name) => name !== 'le' && name !== 'quantile',
    );
    const family: Family = {
      name: metric.name,
      help: metric.help,
      type,
      unit: '',
      labels: labelNames,
    };
    const known = values.filter(({ value }) => !Number.isNaN(value));
    families.push({ family, samples: known.map((value) => toSample(family, value)) });
  }
  return families;
}

/** Writes families read by `readRegistry`. */
export function* writeForeign(
  writer: ExpositionWriter,
  families: readonly ForeignFamily[],
): Generator<void> {
  for (const { family, samples } of families) {
    writer.family(family);
    for (const sample of samples) writer.sample(sample.labels, sample.value, sample.suffix);
    yield;
  }
}

function toType(type: string, name: string): FamilyType {
  switch (type) {
    case 'counter':
      // Without the suffix it could not be told from its OpenMetrics family name.
      return name.endsWith('_total') ? 'counter' : 'unknown';
    case 'gauge':
      return name.endsWith('_info') ? 'info' : 'gauge';
    case 'histogram':
      return 'histogram';
    case 'summary':
      return 'summary';
    default:
      return 'unknown';
  }
}

function toSample(family: Family, { value, labels, metricName }: RegistryValue): ForeignSample {
  const names = Object.keys(labels);
  const values = names.map((name) => {
    const label = labels[name];
    return name === 'le' || name === 'quantile' ? boundary(label) : String(label);
  });
  return {
    suffix: metricName === undefined ? '' : metricName.slice(family.name.length),
    labels: labelText(names, values),
    value,
  };
}

/**
 * A bucket boundary in OpenMetrics' canonical form (`1.0`, not `1`), in both formats: otherwise a
 * change of format would change the identity of the series.
 */
function boundary(value: string | number | undefined): string {
  if (value === '+Inf') return value;
  const number = Number(value);
  return Number.isInteger(number) ? `${number}.0` : formatValue(number);
}
