import { unitOfExpression } from '../../rules/tool/units.ts';
import { labelsOfExpression } from '../../rules/tool/series.ts';
import { parsePromql, selectorsOf, textOf, type Expression } from '../../tools/promql.ts';
import { expandVariables } from './expand-variables.ts';
import { variablesOf, type DashboardModel } from './model.ts';
import type { Rule } from './rule.ts';
import { parsed, type ParsedQuery } from './target-rules.ts';
import { UNITS, type Dimension } from './units.ts';

/** Queries speak of metrics and labels there are, and of nothing twice. */
export const MEANING_RULES: readonly Rule[] = [
  {
    name: 'metrics-and-labels-exist',
    faults: (dashboard) =>
      parsed(dashboard).flatMap(({ expression, where }) =>
        vocabularyFaults(expression).map((fault) => `${where}: ${fault}`),
      ),
  },
  {
    name: 'metrics-of-variables-exist',
    faults: (dashboard) =>
      variablesOf(dashboard).flatMap(({ name, type, query }) =>
        type === 'query' && typeof query === 'string' ? variableFaults(name, query) : [],
      ),
  },
  {
    name: 'metrics-of-annotations-exist',
    faults: ({ annotations }) =>
      (annotations.list ?? []).flatMap(({ name, expr }) =>
        expr === undefined
          ? []
          : vocabularyFaults(parsePromql(expr)).map((fault) => `annotation ${name}: ${fault}`),
      ),
  },
  { name: 'legends-name-labels-there-are', faults: (all) => parsed(all).flatMap(legendFaults) },
  { name: 'units-fit-queries', faults: (all) => parsed(all).flatMap(unitFaults) },
  { name: 'variables-are-used', faults: unusedVariables },
  { name: 'variables-exist', faults: unknownVariables },
];

/** Labels Prometheus and the alert rules give to alerts. */
const ALERT_LABELS: ReadonlySet<string> = new Set([
  ...['alertname', 'alertstate', 'severity', 'cluster', 'job', 'instance'],
  ...['domain', 'mountpoint', 'device', 'resource', 'node', 'cpuset', 'pool', 'vg', 'path'],
]);

/** The series Prometheus records about alerts are not in the catalogue; all others must be. */
function vocabularyFaults(expression: Expression): readonly string[] {
  const selectors = selectorsOf(expression);
  if (!selectors.some(({ metric }) => metric === 'ALERTS')) {
    return labelsOfExpression(expression).faults;
  }
  return selectors.flatMap(({ metric, matchers, node }) =>
    metric === 'ALERTS'
      ? matchers
          .filter(({ label }) => !ALERT_LABELS.has(label))
          .map(({ label }) => `alerts have no label ${label}`)
      : labelsOfExpression(parsePromql(textOf(expression, node))).faults,
  );
}

/** The labels the results of a query can have. */
export function labelsOfQuery({ expression }: ParsedQuery): ReadonlySet<string> {
  const isAboutAlerts = selectorsOf(expression).some(({ metric }) => metric === 'ALERTS');
  return isAboutAlerts ? ALERT_LABELS : labelsOfExpression(expression).labels;
}

function variableFaults(name: string, query: string): readonly string[] {
  const argument = /^label_values\((.+),\s*(\w+)\)$/.exec(query);
  if (argument === null) return [`variable ${name} is not label_values(series, label)`];
  const [, series = '', label = ''] = argument;
  const { labels, faults } = labelsOfExpression(parsePromql(expandVariables(series)));
  return [
    ...faults.map((fault) => `variable ${name}: ${fault}`),
    ...(labels.has(label) ? [] : [`variable ${name}: ${series} has no label ${label}`]),
  ];
}

function legendFaults(query: ParsedQuery): readonly string[] {
  const named = [...(query.target.legendFormat ?? '').matchAll(/\{\{(\w+)\}\}/g)];
  const labels = labelsOfQuery(query);
  return named
    .map(([, label = '']) => label)
    .filter((label) => !labels.has(label))
    .map((label) => `${query.where}: the legend names ${label}, which the query has not`);
}

/** What people type has no unit, so how many such sizes fit looks like bytes. */
const DIVIDED_BY_TYPED_SIZE = /\/ \(\$(?:memory|disk) \* 1073741824\)/;

function unitFaults({ panel, target, expr, expression, where }: ParsedQuery): readonly string[] {
  if (DIVIDED_BY_TYPED_SIZE.test(expr)) return [];
  const { unit, faults } = measuredIn(expression);
  const shown = UNITS.get(unitOfTarget(panel, target) ?? '');
  // The title says it, since an axis has no room for it.
  const perSecond = panel.type === 'timeseries' && / per second$/.test(panel.title ?? '') ? 1 : 0;
  const differs =
    shown !== undefined &&
    typeof unit !== 'string' &&
    (shown.bytes !== unit.bytes || shown.seconds - perSecond !== unit.seconds);
  return [
    ...faults.map((fault) => `${where}: ${fault}`),
    ...(differs
      ? [`${where}: measures bytes^${unit.bytes} seconds^${unit.seconds}, shown as another unit`]
      : []),
  ];
}

/** Series whose names do not say what they are measured in. */
const MEASURES: ReadonlyMap<string, Dimension> = new Map([
  ['kvm_domain_disk_limit_requests_per_second', { bytes: 0, seconds: -1 }],
  ['instance_domain:kvm_domain_nic_bytes_per_packet:rate5m', { bytes: 1, seconds: 0 }],
]);

function measuredIn(expression: Expression): ReturnType<typeof unitOfExpression> {
  const [unit] = selectorsOf(expression).flatMap(({ metric }) => MEASURES.get(metric) ?? []);
  return unit === undefined ? unitOfExpression(expression) : { unit, faults: [] };
}

/** The unit of a column of a table is an override by its title, else the unit of the panel. */
function unitOfTarget(
  { fieldConfig, transformations, targets }: ParsedQuery['panel'],
  { refId }: ParsedQuery['target'],
): string | undefined {
  const field = (targets ?? []).length === 1 ? 'Value' : `Value #${refId ?? ''}`;
  const title = renames(transformations).get(field);
  const override = fieldConfig?.overrides
    .find(({ matcher }) => matcher.id === 'byName' && matcher.options === title)
    ?.properties.find(({ id }) => id === 'unit');
  return override === undefined ? fieldConfig?.defaults.unit : String(override.value);
}

/** Titles by field, from the organize transformation. */
export function renames(
  transformations: ParsedQuery['panel']['transformations'],
): ReadonlyMap<string, string> {
  const options = transformations?.find(({ id }) => id === 'organize')?.options;
  if (typeof options !== 'object' || options === null || !('renameByName' in options)) {
    return new Map();
  }
  return new Map(Object.entries(options.renameByName ?? {}).map(([key, to]) => [key, String(to)]));
}

function unusedVariables(dashboard: DashboardModel): readonly string[] {
  const text = JSON.stringify([dashboard.panels, dashboard.templating, dashboard.annotations]);
  return variablesOf(dashboard)
    .filter(({ name }) => !new RegExp(`\\$\\{?${name}\\b`).test(text))
    .map(({ name }) => `variable ${name} is used nowhere`);
}

function unknownVariables(dashboard: DashboardModel): readonly string[] {
  const known = new Set(variablesOf(dashboard).map(({ name }) => name));
  return parsed(dashboard).flatMap(({ expr, where }) =>
    [...expr.matchAll(/\$\{?([A-Za-z_]\w*)/g)]
      .map(([, name = '']) => name)
      .filter((name) => !name.startsWith('__') && !known.has(name))
      .map((name) => `${where}: there is no variable ${name}`),
  );
}
