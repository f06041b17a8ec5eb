import { parsePromql, selectorsOf } from '../../tools/promql.ts';

/** A recording rule, as `promtool tsdb create-blocks-from rules` takes it. */
export interface Recording {
  readonly record: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * The rules in the order they have to be backfilled: each layer reads what the ones before have
 * written. promtool reads blocks only, so what a layer writes is not there for itself, and a rule
 * that ran before all it reads is there would leave wrong values behind, not just too few.
 *
 * @throws Error when rules read each other in a circle. A rule may read its own last value.
 */
export function layersOf(rules: readonly Recording[]): readonly (readonly Recording[])[] {
  const recorded = new Set(rules.map(({ record }) => record));
  const inputsOf = new Map<string, Set<string>>();
  for (const { record, expr } of rules) {
    const inputs = inputsOf.get(record) ?? new Set();
    for (const { metric } of selectorsOf(parsePromql(expr))) {
      if (recorded.has(metric) && metric !== record) inputs.add(metric);
    }
    inputsOf.set(record, inputs);
  }
  const layers: (readonly Recording[])[] = [];
  const done = new Set<string>();
  while (done.size < inputsOf.size) {
    const ready = [...inputsOf]
      .filter(([record, inputs]) => !done.has(record) && inputs.isSubsetOf(done))
      .map(([record]) => record);
    if (ready.length === 0) {
      const left = [...inputsOf.keys()].filter((record) => !done.has(record));
      throw new Error(`rules that read each other in a circle: ${left.join(', ')}`);
    }
    layers.push(rules.filter(({ record }) => ready.includes(record)));
    for (const record of ready) done.add(record);
  }
  return layers;
}

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * What Prometheus records of firing alerts, as rules, since promtool backfills no alerts. They do
 * not wait as alerts with `for` do.
 */
export function firing({ alert, expr, labels }: Alert): Recording {
  return {
    record: 'ALERTS',
    expr: `0 * (${expr}) + 1`,
    labels: { ...labels, alertname: alert, alertstate: 'firing' },
  };
}
