import { stringify } from 'yaml';

import type { AlertGroup, AlertRule, RecordingGroup, RecordingRule } from '../src/rule.ts';
import { parsePromql, selectorsOf } from '../../tools/promql.ts';
import { ruleFile } from './render.ts';
import type { RuleTest, TestFile } from './test-file.ts';

export type Rule = RecordingRule | AlertRule;
export type Groups = readonly (RecordingGroup | AlertGroup)[];

/** One test with the few rules its assertions depend on: a hundred times faster than with all. */
export interface Slice {
  readonly rules: string;
  readonly test: string;
}

export function nameOf(rule: Rule): string {
  return 'record' in rule ? rule.record : rule.alert;
}

/** Names of alerts and series an assertion looks at. */
export type Assertion =
  | { readonly kind: 'alert'; readonly check: NonNullable<RuleTest['alert_rule_test']>[number] }
  | { readonly kind: 'query'; readonly check: NonNullable<RuleTest['promql_expr_test']>[number] };

export function assertionsOf(test: RuleTest): readonly Assertion[] {
  return [
    ...(test.alert_rule_test ?? []).map((check) => ({ kind: 'alert', check }) as const),
    ...(test.promql_expr_test ?? []).map((check) => ({ kind: 'query', check }) as const),
  ];
}

export function namesIn(assertion: Assertion): readonly string[] {
  if (assertion.kind === 'alert') return [assertion.check.alertname];
  return selectorsOf(parsePromql(assertion.check.expr)).map(({ metric, matchers }) => {
    const alert = matchers.find(({ label }) => label === 'alertname');
    return metric === 'ALERTS' && alert !== undefined ? alert.value : metric;
  });
}

/** Who needs whom among rules, by name; annotations count, because tests compare them. */
export class Dependencies {
  readonly #needs: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(groups: Groups) {
    const rules = groups.flatMap((group): readonly Rule[] => group.rules);
    const recorded = new Set(rules.map(nameOf));
    const needs = new Map<string, Set<string>>();
    for (const rule of rules) {
      const wanted = needs.get(nameOf(rule)) ?? new Set<string>();
      for (const { metric } of selectorsOf(parsePromql(rule.expr))) wanted.add(metric);
      if ('alert' in rule) {
        for (const [name] of rule.annotations.description.matchAll(/[a-z_]+:[a-z0-9_:]+/g)) {
          if (recorded.has(name)) wanted.add(name);
        }
      }
      needs.set(nameOf(rule), wanted);
    }
    this.#needs = needs;
  }

  /** The names themselves and all rules below them. */
  closureOf(names: Iterable<string>): ReadonlySet<string> {
    const found = new Set<string>();
    const open = [...names];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (found.has(name)) continue;
      found.add(name);
      open.push(...(this.#needs.get(name) ?? []));
    }
    return found;
  }
}

/** A test with just some of its assertions, and just the rules these need. */
export function sliceOf(
  file: TestFile,
  test: RuleTest,
  assertions: readonly Assertion[],
  groups: Groups,
  dependencies: Dependencies,
  rulesPath: string,
): Slice {
  const needed = dependencies.closureOf(assertions.flatMap(namesIn));
  const kept = groups.map((group) => only(group, needed)).filter(({ rules }) => rules.length > 0);
  const alerts = assertions.flatMap((one) => (one.kind === 'alert' ? [one.check] : []));
  const queries = assertions.flatMap((one) => (one.kind === 'query' ? [one.check] : []));
  return {
    rules: ruleFile(kept),
    test: stringify({
      rule_files: [rulesPath],
      evaluation_interval: file.evaluation_interval,
      group_eval_order: kept.map(({ name }) => name),
      tests: [
        {
          name: test.name,
          interval: test.interval,
          input_series: test.input_series,
          alert_rule_test: alerts,
          promql_expr_test: queries,
        },
      ],
    }),
  };
}

/** One test with every rule there is: for what must not fire. */
export function wholePack(
  test: RuleTest,
  groups: Groups,
  evaluationInterval: string,
  rulesPath: string,
): Slice {
  return {
    rules: ruleFile(groups),
    test: stringify({
      rule_files: [rulesPath],
      evaluation_interval: evaluationInterval,
      group_eval_order: groups.map(({ name }) => name),
      tests: [test],
    }),
  };
}

function only(
  group: RecordingGroup | AlertGroup,
  needed: ReadonlySet<string>,
): RecordingGroup | AlertGroup {
  const { name } = group;
  if (isAlertGroup(group))
    return { name, rules: group.rules.filter((one) => needed.has(one.alert)) };
  return { name, rules: group.rules.filter((one) => needed.has(one.record)) };
}

function isAlertGroup(group: RecordingGroup | AlertGroup): group is AlertGroup {
  return group.rules.some((rule) => 'alert' in rule);
}
