/** The conventions of the pack, each with its reason in rules/README.md. */
import { LIMITS, LIMITS_BY_KEY } from '../src/config/policy-defaults.ts';
import { RISK_SIGNALS } from '../src/risk/risk-model.ts';
import { RUNBOOK_BASE_URL } from './src/annotations.ts';
import { ALERT_GROUPS, RECORDING_GROUPS } from './src/pack.ts';
import { levelOfLoss } from './src/risk.ts';
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
} from '../tools/promql.ts';
import { secondsOf } from './tool/duration.ts';
import { skewOf } from './tool/lag.ts';
import { labelsOfExpression, TARGET_LABELS } from './tool/series.ts';
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
  ['16777216', 'bytes: eight of the largest clusters a qcow2 can have'],
  ['2', 'more than twice a fair share, or all there was to move, is nobody who was lucky'],
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
    ...lossFaults(
      ALERT_GROUPS.flatMap(({ rules }) => rules),
      RECORDING_GROUPS.flatMap(({ rules }) => rules),
    ),
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
    if (threshold.kind !== 'policy') return [];
    const { bad, name } = LIMITS_BY_KEY[threshold.key];
    return when(bad !== threshold.bad, `risk signal ${id}: the wrong side of ${name}`);
  });
}

/** Critical alerts that are no loss of a resource, and why. */
const OF_NO_RESOURCE: ReadonlyMap<string, string> = new Map([
  ['KvmGuestCrashed', 'a guest may crash for reasons of its own'],
  ['KvmGuestMonitorUnresponsive', 'QEMU may hang for reasons of its own'],
  ['KvmMigrationStuck', 'the way to the other host broke, not a resource of this one'],
  ['KvmLibvirtDown', 'nothing is known of the resources'],
  ['KvmExporterDown', 'nothing is known of the resources'],
  ['KvmExporterAbsent', 'nothing is known of any host'],
]);

/**
 * Level 3 and critical alerts are the same, how long they wait aside: each critical alert of a resource
 * is counted by one rule with its very expression, that count alone gives level 3, and nothing else does.
 */
export function lossFaults(
  alerts: readonly AlertRule[],
  recordings: readonly RecordingRule[],
): readonly string[] {
  const critical = alerts.filter(({ labels }) => labels.severity === 'critical');
  const levels = recordings.filter(({ record }) => record === 'instance_signal:kvm_risk:level');
  const losses = RISK_SIGNALS.flatMap(({ id, record, resource, threshold }) =>
    threshold.kind === 'loss' ? [{ id, record, resource, alert: threshold.alert }] : [],
  );
  return [
    ...critical.flatMap(({ alert }) => {
      const own = losses.filter((loss) => loss.alert === alert).length;
      const wanted = OF_NO_RESOURCE.has(alert) ? 0 : 1;
      return when(own !== wanted, `${alert} (critical): ${own} risk signals instead of ${wanted}`);
    }),
    ...losses.flatMap(({ id, record, resource, alert }) => {
      const paging = critical.filter((one) => one.alert === alert).map(({ expr }) => expr);
      const counted = recordings.filter((one) => one.record === record).map(countedIn);
      const level = levels.find(({ labels }) => labels?.['signal'] === id);
      return [
        ...when(
          paging.length !== 1 || counted.length !== 1 || paging[0] !== counted[0]?.text,
          `${record}: is not a count of what ${alert} (critical) finds`,
        ),
        ...(counted[0]?.left ?? [])
          .filter((label) => !TARGET_LABELS.includes(label))
          .map((label) => `${record}: is not one number of a host, but one for each ${label}`),
        ...when(
          level?.expr !== levelOfLoss(record) || level.labels?.['resource'] !== resource,
          `${record}: does not give level 3 of ${resource}`,
        ),
      ];
    }),
    ...levels
      .filter(({ labels }) => losses.every(({ id }) => labels?.['signal'] !== id))
      .filter(({ expr }) => /(^\s*3 \*|\* 3$)/m.test(expr))
      .map(
        ({ labels }) => `risk signal ${labels?.['signal'] ?? ''}: level 3 without a critical alert`,
      ),
  ];
}

/** What a rule counts, as it was written, and the labels its result has. */
function countedIn({ expr }: RecordingRule): {
  readonly text: string;
  readonly left: readonly string[];
} {
  const counted = /^count without \([a-z_, ]*\) \(\n(.*)\n\)$/s.exec(expr)?.[1] ?? '';
  const { labels } = labelsOfExpression(parsePromql(expr));
  return { text: counted.replaceAll(/^ {2}/gm, ''), left: [...labels] };
}

function when(condition: boolean, fault: string): readonly string[] {
  return condition ? [fault] : [];
}
