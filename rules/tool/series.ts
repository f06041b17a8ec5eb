import type { SyntaxNode } from '@lezer/common';

import { CATALOGUE } from '../../src/metrics/catalogue.ts';
import { RECORDING_GROUPS } from '../src/pack.ts';
import {
  aggregationAt,
  binaryAt,
  callAt,
  children,
  parsePromql,
  selectorAt,
  selectorsOf,
  type Aggregation,
  type Binary,
  type Expression,
} from '../../tools/promql.ts';

/** Labels Prometheus or the operator's relabelling puts on every series of a target. */
export const TARGET_LABELS: readonly string[] = ['job', 'instance', 'cluster'];

/** Series Prometheus makes for every target, and its own record of alerts. */
export const OF_PROMETHEUS: ReadonlyMap<string, readonly string[]> = new Map([
  ['up', TARGET_LABELS],
  ['scrape_duration_seconds', TARGET_LABELS],
]);

/** Names of series with the labels they can have. */
type Series = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * The labels that results of an expression can have, worked out from the catalogue through all
 * operators, with every use of a label that is not there on the way.
 */
export function labelsOfExpression(expression: Expression): {
  readonly labels: ReadonlySet<string>;
  readonly faults: readonly string[];
} {
  const faults: string[] = [];
  const labels = new Inference(expression, SERIES, faults).of(expression.root);
  return { labels, faults };
}

class Inference {
  readonly #expression: Expression;
  readonly #series: Series;
  readonly #faults: string[];

  constructor(expression: Expression, series: Series, faults: string[]) {
    this.#expression = expression;
    this.#series = series;
    this.#faults = faults;
  }

  of(node: SyntaxNode): ReadonlySet<string> {
    const binary = binaryAt(this.#expression, node);
    if (binary !== undefined) return this.#ofBinary(binary);
    const aggregation = aggregationAt(this.#expression, node);
    if (aggregation !== undefined) return this.#ofAggregation(aggregation);
    if (node.name === 'VectorSelector') return this.#ofSelector(node);
    const call = callAt(this.#expression, node);
    if (call?.name === 'label_replace') {
      const [series, target, , source] = call.arguments;
      if (series === undefined) return new Set();
      const labels = this.of(series);
      if (source !== undefined) this.#require(labels, [this.#string(source)], 'label_replace');
      return new Set([...labels, ...(target === undefined ? [] : [this.#string(target)])]);
    }
    if (call?.name === 'absent') {
      for (const argument of call.arguments) this.of(argument);
      return new Set();
    }
    const inner = (call?.arguments ?? children(node)).map((child) => this.of(child));
    return new Set(inner.flatMap((labels) => [...labels]));
  }

  #ofSelector(node: SyntaxNode): ReadonlySet<string> {
    const { metric, matchers } = selectorAt(this.#expression, node);
    const labels = this.#series.get(metric);
    if (labels === undefined) {
      this.#faults.push(`${metric} is neither in the catalogue nor a recording rule`);
      return new Set(TARGET_LABELS);
    }
    this.#require(
      labels,
      matchers.map(({ label }) => label),
      metric,
    );
    return labels;
  }

  #ofAggregation({ operation, modifier, arguments: all }: Aggregation): ReadonlySet<string> {
    const series = all.at(-1);
    const parameter = all.length > 1 ? all[0] : undefined;
    const labels = series === undefined ? new Set<string>() : this.of(series);
    if (modifier !== undefined) this.#require(labels, modifier.labels, operation);
    const kept =
      operation === 'topk' || operation === 'bottomk' ? labels : grouped(labels, modifier);
    if (operation !== 'count_values' || parameter === undefined) return kept;
    return new Set([...kept, this.#string(parameter)]);
  }

  #ofBinary({ left, right, operator, matching, group }: Binary): ReadonlySet<string> {
    const ofLeft = this.of(left);
    const ofRight = this.of(right);
    const name = operator.name;
    if (matching?.kind === 'on') {
      this.#require(ofLeft, matching.labels, 'the left side of on');
      this.#require(ofRight, matching.labels, 'the right side of on');
    }
    if (name === 'And' || name === 'Unless') return ofLeft;
    if (name === 'Or') return new Set([...ofLeft, ...ofRight]);
    if (ofLeft.size === 0) return ofRight;
    if (ofRight.size === 0) return ofLeft;
    if (matching === undefined) {
      if ([...ofLeft].some((one) => !ofRight.has(one)) || ofLeft.size !== ofRight.size) {
        const sides = `{${[...ofLeft].join()}} and {${[...ofRight].join()}}`;
        this.#faults.push(`${name} can never match series with ${sides}`);
      }
      return ofLeft;
    }
    if (group !== undefined) {
      const [many, one] = group.many === 'left' ? [ofLeft, ofRight] : [ofRight, ofLeft];
      this.#require(one, group.include, 'the one side of group');
      return new Set([...many, ...group.include]);
    }
    const on = new Set(matching.labels);
    return new Set([...ofLeft].filter((one) => (matching.kind === 'on') === on.has(one)));
  }

  #require(present: ReadonlySet<string>, wanted: readonly string[], where: string): void {
    for (const label of wanted) {
      if (!present.has(label)) this.#faults.push(`${where} has no label ${label}`);
    }
  }

  #string(node: SyntaxNode): string {
    return this.#expression.text.slice(node.from + 1, node.to - 1);
  }
}

function grouped(
  labels: ReadonlySet<string>,
  modifier: Aggregation['modifier'],
): ReadonlySet<string> {
  if (modifier === undefined) return new Set();
  const named = new Set(modifier.labels);
  return new Set([...labels].filter((one) => (modifier.kind === 'by') === named.has(one)));
}

const SERIES = allSeries();

function allSeries(): Series {
  const known = new Map<string, ReadonlySet<string>>();
  for (const [name, labels] of OF_PROMETHEUS) known.set(name, new Set(labels));
  for (const { name, labels } of CATALOGUE) known.set(name, new Set([...TARGET_LABELS, ...labels]));
  const rules = RECORDING_GROUPS.flatMap((group) => group.rules);
  // A rule may read one that stands below it, so again until nothing new is learnt.
  for (let learnt = true; learnt;) {
    learnt = false;
    for (const { record, expr, labels } of rules) {
      if (known.has(record)) continue;
      const expression = parsePromql(expr);
      // One that carries its own last value on has no labels but those it began with.
      const own = new Map([...known, [record, new Set<string>()] as const]);
      if (selectorsOf(expression).some(({ metric }) => !own.has(metric))) continue;
      const inferred = new Inference(expression, own, []).of(expression.root);
      known.set(record, new Set([...inferred, ...Object.keys(labels ?? {})]));
      learnt = true;
    }
  }
  return known;
}
