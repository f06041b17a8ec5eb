/** The conventions of the pack, each with its reason in rules/README.md. */
import { LIMITS, LIMITS_BY_KEY } from '../src/config/policy-defaults.ts';
import { RISK_SIGNALS } from '../src/risk/risk-model.ts';
import { RUNBOOK_BASE_URL } from './src/annotations.ts';
import { ALERT_GROUPS, RECORDING_GROUPS } from './src/pack.ts';
import type { AlertRule, RecordingRule } from './src/rule.ts';
import {
  binaryAt,
  callAt,
  descendants,
  durationsOf,
  increaseAt,
  parsePromql,
  selectorsOf,
  textOf,
  type Expression,
} from './tool/promql.ts';
import { secondsOf } from './tool/duration.ts';
import { skewOf } from './tool/lag.ts';
import { labelsOfExpression } from './tool/series.ts';
import { isDimensionless, unitOfExpression } from './tool/units.ts';

const MOST_RULES_PER_GROUP = 20;
const LONGEST_NAME = 40;
const LONGEST_SUMMARY = 100;

const COMPARISONS = new Set(['Gtr', 'Lss', 'Gte', 'Lte', 'EqlC', 'EqlSingle', 'Neq']);

/** Label lists that name a host and leave its cluster out. */
const HOST_WITHOUT_CLUSTER = /\b(?:on|by) \((?![^)]*\bcluster\b)[^)]*\b(?:job|instance)\b/;

/** Ratios whose unit a literal hides. */
const HIDDEN_UNITS: ReadonlyMap<string, string> = new Map([
  ['instance_domain:kvm_domain_ksm_items_per_merged_page:ratio', '4096 is bytes per page'],
]);

/** Numbers in comparisons that no policy could move, and why. */
const DEFINED: ReadonlyMap<string, string> = new Map([
  ['65536', 'bytes: the smallest piece an image grows by'],
  ['2', 'more than twice a fair share is nobody who was lucky'],
]);

/** Everything that is not as the conventions want it, as `rule: fault`. */
export function lintFaults(): readonly string[] {
  return [
    ...groupFaults(),
    ...RECORDING_GROUPS.flatMap(({ rules }) => rules.flatMap(recordFaults)),
    ...ALERT_GROUPS.flatMap(({ rules }) => rules.flatMap(alertFaults)),
    ...repeatedRules(),
    ...limitFaults(),
    ...riskFaults(),
    ...skewFaults(ALERT_GROUPS.flatMap(({ rules }) => rules)),
  ];
}

function groupFaults(): readonly string[] {
  const groups = [...RECORDING_GROUPS, ...ALERT_GROUPS];
  return groups.flatMap(({ name, rules }) => [
    ...when(rules.length > MOST_RULES_PER_GROUP, `${name}: ${rules.length} rules`),
    ...when(name.length > LONGEST_NAME, `${name}: a group name of ${name.length} characters`),
    ...when(groups.filter((one) => one.name === name).length > 1, `${name}: a group twice`),
  ]);
}

/** What is wrong with one recording rule by itself. */
export function recordFaults({ record, expr, labels }: RecordingRule): readonly string[] {
  const faults: string[] = [];
  const { expression, faults: inExpression } = examined(expr);
  const parts = /^([a-z]+(?:_[a-z]+)*):(kvm_[a-z0-9_]+):([a-z0-9_]+)$/.exec(record);
  const [, level = '', metric = '', operation = ''] = parts ?? [];
  if (parts === null) faults.push('the name is not level:metric:operation');
  if (metric.endsWith('_total')) faults.push('_total goes away under rate');
  if (expression !== undefined) {
    const found = labelsOfExpression(expression).labels;
    const present = new Set([...found, ...Object.keys(labels ?? {})]);
    for (const label of labelsOfLevel(level)) {
      if (!present.has(label)) faults.push(`its level says ${label}, its series have none`);
    }
    const { unit } = unitOfExpression(expression);
    const hidden = HIDDEN_UNITS.has(record);
    if (operation === 'ratio' && !hidden && !isDimensionless(unit)) {
      faults.push('a ratio of unlike units');
    }
    if (/rate5m$/.test(operation) && !/\[5m\]|rate5m/.test(expr)) {
      faults.push('it says 5m and means something else');
    }
  }
  return [...faults, ...inExpression].map((fault) => `${record}: ${fault}`);
}

/** Labels that the level of a record promises. */
function labelsOfLevel(level: string): readonly string[] {
  const several = level.replace('page_size', 'pagesize').split('_');
  return several
    .map((one) => (one === 'pagesize' ? 'page_size' : one))
    .filter((label) => label !== 'pool' || !several.includes('vg'));
}

/** What is wrong with one alert by itself. */
export function alertFaults(rule: AlertRule): readonly string[] {
  const { alert, expr, labels, annotations } = rule;
  const faults: string[] = [];
  const { expression, faults: inExpression } = examined(expr);
  if (!/^([A-Z]+[a-z0-9]+)+$/.test(alert)) faults.push('the name is not CamelCase');
  if (!alert.startsWith('Kvm')) faults.push('the name does not begin with Kvm');
  if (alert.length > LONGEST_NAME) faults.push(`a name of ${alert.length} characters`);
  if (!['critical', 'warning', 'info'].includes(labels.severity)) faults.push('unknown severity');
  if (Object.values(labels).some((value) => value.includes('{{'))) {
    faults.push('a template in a label makes a new alert of every change');
  }
  faults.push(...annotationFaults(rule));
  if (/absent\(/.test(expr) && rule.for === undefined) faults.push('absent without for');
  if (rule.for === '0s' || rule.for === '0m') faults.push('for: 0s says nothing');
  if (expression !== undefined) {
    faults.push(...constantThresholds(expression));
    const present = labelsOfExpression(expression).labels;
    const { description, dashboard_url } = annotations;
    const used = [description, dashboard_url].flatMap((text) => [
      ...text.matchAll(/\$labels\.([a-z_]+)/g),
    ]);
    for (const [, label = ''] of used) {
      if (!present.has(label)) faults.push(`an annotation uses ${label}, its series have none`);
    }
    if (present.has('domain') && !description.includes('$labels.domain')) {
      faults.push('the description does not name the guest');
    }
  }
  return [...faults, ...inExpression].map((fault) => `${alert} (${labels.severity}): ${fault}`);
}

function annotationFaults({ alert, annotations }: AlertRule): readonly string[] {
  const { summary, description } = annotations;
  return [
    ...when(!/^[A-Z].+\.$/.test(summary), 'the summary is no sentence'),
    ...when(summary.includes('{{'), 'the summary has a template'),
    ...when(summary.length > LONGEST_SUMMARY, 'the summary is too long for a subject line'),
    ...when(!/\{\{.*\}\}/.test(description), 'the description has no template'),
    ...when(!description.endsWith('.'), 'the description does not end'),
    ...when(
      queriesIn(description).length === 0,
      'the description asks for no candidates for mitigation',
    ),
    ...when(
      /\{\{ [^|}]*(?:\$value|\.Value) \}\}/.test(description),
      'the description shows a number nobody can read',
    ),
    ...when(
      annotations.runbook_url !== `${RUNBOOK_BASE_URL}/${alert}.md`,
      'the runbook is not that of the alert',
    ),
    ...when(!annotations.dashboard_url.startsWith('/d/kvm-'), 'the dashboard is none of the pack'),
    ...queriesIn(description).flatMap((query) => examined(query).faults),
  ];
}

/** The queries of a template, with something in place of the labels. */
function queriesIn(description: string): readonly string[] {
  const quoted = [
    ...description.matchAll(/query \(printf `([^`]*)`/g),
    ...description.matchAll(/query "([^"]*)"/g),
  ];
  return quoted.map(([, query = '']) => query.replaceAll('%q', '"x"'));
}

/** Limits belong into the policy; 0 and 1 are none, they say "any" and "yes". */
function constantThresholds(expression: Expression): readonly string[] {
  return descendants(expression.root).flatMap((node) => {
    const binary = binaryAt(expression, node);
    if (binary === undefined || !COMPARISONS.has(binary.operator.name)) return [];
    return [binary.left, binary.right]
      .filter((side) => side.name === 'NumberDurationLiteral')
      .map((side) => textOf(expression, side))
      .filter((literal) => literal !== '0' && literal !== '1' && !DEFINED.has(literal))
      .map((literal) => `compares with ${literal} instead of a limit of the policy`);
  });
}

/** Parses an expression and looks at what holds for every one. */
function examined(expr: string): {
  readonly expression: Expression | undefined;
  readonly faults: readonly string[];
} {
  let expression: Expression;
  try {
    expression = parsePromql(expr);
  } catch (error) {
    return {
      expression: undefined,
      faults: [error instanceof Error ? error.message : String(error)],
    };
  }
  const faults = [
    ...labelsOfExpression(expression).faults,
    ...unitOfExpression(expression).faults,
    ...counterFaults(expression),
    ...durationFaults(expression),
    ...increaseFaults(expression),
    ...scalarFaults(expression),
    ...when(/\birate\(|\bavg\b/.test(expr), 'irate and avg over ratios mislead'),
    ...when(
      /time\(\)\s*-|-\s*time\(\)/.test(expr),
      'an age by the clock of Prometheus: the host has one of its own, and a scrape is old',
    ),
    ...when(HOST_WITHOUT_CLUSTER.test(expr), 'two clusters may have the same job and instance'),
  ];
  return { expression, faults };
}

/** As increase() does, which sees nothing across a gap in the scrapes. */
function isComparedWithItself({ text }: Expression, metric: string): boolean {
  return text.includes(`${metric} - last_over_time(${metric}[`);
}

/** Where MetricsQL counts from 0 what was counted before the first scrape. */
function increaseFaults(expression: Expression): readonly string[] {
  return descendants(expression.root).flatMap((node) => {
    const increase = increaseAt(expression, node);
    const seconds = increase === undefined ? '' : textOf(expression, increase.factor);
    return [
      ...when(
        callAt(expression, node)?.name === 'increase',
        'increase() counts a first value from 0 in MetricsQL: use increaseOf()',
      ),
      ...when(
        increase !== undefined && Number(seconds) !== secondsOf(increase.range),
        `a rate over ${increase?.range ?? ''} times ${seconds} is no increase`,
      ),
    ];
  });
}

const JOINED_AS_SETS = new Set(['And', 'Or', 'Unless']);

/** Where MetricsQL takes the one series that has no label for a number, and joins it with all. */
function scalarFaults(expression: Expression): readonly string[] {
  return descendants(expression.root).flatMap((node) => {
    const binary = binaryAt(expression, node);
    if (binary === undefined || binary.matching !== undefined) return [];
    if (JOINED_AS_SETS.has(binary.operator.name)) return [];
    const sides = [binary.left, binary.right].map((root) => ({ ...expression, root }));
    if (sides.some((side) => selectorsOf(side).length === 0)) return [];
    const bare = sides.some((side) =>
      [...labelsOfExpression(side).labels].every((label) => label === 'cluster'),
    );
    const sign = textOf(expression, binary.operator);
    return when(bare, `${sign} between series that may have no label needs on (cluster)`);
  });
}

const OVER_TIME = /^(?:rate|increase|deriv|delta|max_over_time|min_over_time|last_over_time)$/;

/** Counters are read through rate or increase, gauges are not. */
function counterFaults(expression: Expression): readonly string[] {
  return selectorsOf(expression).flatMap(({ node, metric }) => {
    let parent = node.parent;
    const isRange = parent?.name === 'MatrixSelector';
    if (isRange) {
      parent = parent?.parent ?? null;
      if (parent?.name === 'OffsetExpr') parent = parent.parent;
      parent = parent?.parent ?? null;
    }
    const call = parent?.getChild('FunctionIdentifier') ?? null;
    const over = call === null ? '' : textOf(expression, call);
    const isCounter = metric.endsWith('_total');
    const counts = over === 'rate' || over === 'increase';
    return [
      ...when(
        isCounter && !counts && !isComparedWithItself(expression, metric),
        `${metric} is a counter and is read without rate`,
      ),
      ...when(!isCounter && counts, `${over} of ${metric}, which is a gauge`),
      ...when(isRange && !OVER_TIME.test(over), `${over} over time`),
    ];
  });
}

/** Times that rules/scale.ts can shorten. */
function durationFaults(expression: Expression): readonly string[] {
  return durationsOf(expression)
    .map((node) => textOf(expression, node))
    .filter((text) => !/^[1-9][0-9]*[mhd]$/.test(text))
    .map((text) => `${text} is not one number of minutes, hours or days`);
}

function repeatedRules(): readonly string[] {
  const keys = [
    ...RECORDING_GROUPS.flatMap(({ rules }) =>
      rules.map(({ record, labels }) => `${record} ${JSON.stringify(labels ?? {})}`),
    ),
    ...ALERT_GROUPS.flatMap(({ rules }) =>
      rules.map(({ alert, labels }) => `${alert} ${labels.severity}`),
    ),
  ];
  return keys.filter((key, index) => keys.indexOf(key) !== index).map((key) => `${key}: twice`);
}

/** A limit nothing reads would be a knob without a wire. */
function limitFaults(): readonly string[] {
  const rules = [...RECORDING_GROUPS, ...ALERT_GROUPS].flatMap(({ rules: all }) =>
    all.map(({ expr }) => expr),
  );
  return LIMITS.map(({ resource, name }) => `kvm_policy_${resource}_${name}`)
    .filter((series) => !rules.some((expr) => expr.includes(`${series}{`)))
    .map((series) => `${series}: no rule reads this limit`);
}

/** Alerts that compare data of different age without waiting until they agree, and why they may. */
const BEARS_SKEW: ReadonlyMap<string, string> = new Map([
  [
    'KvmHostOomKill',
    'both sides look back ten minutes: they overlap for nine, whichever is seen first',
  ],
  [
    'KvmKsmCollapse',
    'the guests that end are newer than what they freed, so a collapse is seen late, not by mistake',
  ],
]);

/** An alert waits at least as long as its data can disagree, at the longest interval we promise. */
export function skewFaults(alerts: readonly AlertRule[]): readonly string[] {
  const recordings = RECORDING_GROUPS.flatMap(({ rules }) => rules);
  return alerts.flatMap((rule) => {
    const minutes = skewOf(rule, recordings);
    const waits = rule.for === undefined ? 0 : secondsOf(rule.for) / 60;
    return when(
      minutes > waits && !BEARS_SKEW.has(rule.alert),
      `${rule.alert} (${rule.labels.severity}): its data are up to ${minutes} evaluations apart, ` +
        `and it waits for ${waits}`,
    );
  });
}

function riskFaults(): readonly string[] {
  const records = new Set(
    RECORDING_GROUPS.flatMap(({ rules }) => rules.map(({ record }) => record)),
  );
  return RISK_SIGNALS.flatMap(({ id, record, threshold }) => {
    if (!records.has(record)) return [`risk signal ${id}: no rule records ${record}`];
    if (threshold.kind === 'definition') return [];
    const { bad, name } = LIMITS_BY_KEY[threshold.key];
    return when(bad !== threshold.bad, `risk signal ${id}: the wrong side of ${name}`);
  });
}

function when(condition: boolean, fault: string): readonly string[] {
  return condition ? [fault] : [];
}
