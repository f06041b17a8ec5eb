import {
  callAt,
  children,
  descendants,
  parsePromql,
  selectorsOf,
  textOf,
  type Expression,
  type Selector,
} from '../../tools/promql.ts';
import { expandVariables, RATE_INTERVAL } from './expand-variables.ts';
import { queriesOf, type DashboardModel, type Located } from './model.ts';
import type { Rule } from './rule.ts';
import { TEMPLATED_DATASOURCES } from './template-rules.ts';

/** dashboard-linter's rules about queries, for panels of every type. */
export const TARGET_RULES: readonly Rule[] = [
  {
    name: 'target-promql-rule',
    faults: (dashboard) =>
      queriesOf(dashboard).flatMap((located) => {
        const { expression, fault } = parse(located);
        return expression === undefined ? [`${located.where}: ${fault}`] : [];
      }),
  },
  each('target-rate-interval-rule', (expression) =>
    descendants(expression.root).flatMap((node) => {
      const call = callAt(expression, node);
      if (call?.name !== 'rate' && call?.name !== 'irate') return [];
      const duration = call.arguments.flatMap(children).find(({ name }) => name === 'DurationExpr');
      const range = duration === undefined ? '' : textOf(expression, duration);
      return range === RATE_INTERVAL ? [] : [`${call.name} over [${range}]`];
    }),
  ),
  eachSelector('target-job-rule', (selector) => matches(selector, 'job')),
  eachSelector('target-instance-rule', (selector) => matches(selector, 'instance')),
  {
    // The original looks at selectors without matchers only; a bare counter is never meant.
    name: 'target-counter-agg-rule',
    faults: (dashboard) => parsed(dashboard).flatMap(bareCounters),
  },
  {
    // target-logql-rule and target-logql-auto-rule speak of Loki, which has no place here.
    name: 'target-logql-rule',
    faults: (dashboard) =>
      queriesOf(dashboard)
        .filter(
          ({ target }) =>
            target.datasource?.type !== 'prometheus' ||
            !TEMPLATED_DATASOURCES.includes(target.datasource.uid),
        )
        .map(({ where }) => `${where} does not ask Prometheus`),
  },
];

export interface ParsedQuery extends Located {
  readonly expression: Expression;
}

/** The queries that can be parsed; the others are reported by target-promql-rule. */
export function parsed(dashboard: DashboardModel): readonly ParsedQuery[] {
  return queriesOf(dashboard).flatMap((located) => {
    const { expression } = parse(located);
    return expression === undefined ? [] : { ...located, expression };
  });
}

function parse({ expr }: Located): { expression: Expression | undefined; fault: string } {
  try {
    return { expression: parsePromql(expandVariables(expr)), fault: '' };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { expression: undefined, fault: error.message };
  }
}

function each(name: string, faultsOf: (expression: Expression) => readonly string[]): Rule {
  return {
    name,
    faults: (dashboard) =>
      parsed(dashboard).flatMap(({ expression, where }) =>
        faultsOf(expression).map((fault) => `${where}: ${fault}`),
      ),
  };
}

function eachSelector(name: string, faultsOf: (selector: Selector) => readonly string[]): Rule {
  return each(name, (expression) => selectorsOf(expression).flatMap(faultsOf));
}

function matches({ metric, matchers }: Selector, label: string): readonly string[] {
  const found = matchers.some(
    (one) => one.label === label && one.operator === '=~' && one.value === `$${label}`,
  );
  return found ? [] : [`${metric} without ${label}=~"$${label}"`];
}

/** Range functions that make sense of a counter. */
const COUNTER_FUNCTIONS: readonly string[] = ['rate', 'irate', 'increase', 'resets'];

function bareCounters({ expression, where }: ParsedQuery): readonly string[] {
  const counted = new Set(
    descendants(expression.root).flatMap((node) => {
      const call = callAt(expression, node);
      return call !== undefined && COUNTER_FUNCTIONS.includes(call.name)
        ? descendants(node).map(({ from }) => from)
        : [];
    }),
  );
  return selectorsOf(expression)
    .filter(({ metric, node }) => metric.endsWith('_total') && !counted.has(node.from))
    .map(({ metric }) => `${where}: ${metric} without rate or increase`);
}
