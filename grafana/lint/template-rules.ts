import { variablesOf, type DashboardModel, type VariableModel } from './model.ts';
import type { Rule } from './rule.ts';

/** dashboard-linter's rules about variables. Its warnings are errors here. */
export const TEMPLATE_RULES: readonly Rule[] = [
  { name: 'template-datasource-rule', faults: datasource },
  { name: 'template-job-rule', faults: (dashboard) => chooser(dashboard, 'job', 'Job') },
  {
    name: 'template-instance-rule',
    faults: (dashboard) => chooser(dashboard, 'instance', 'Instance'),
  },
  {
    name: 'template-label-promql-rule',
    faults: (dashboard) =>
      queryVariables(dashboard)
        .filter(({ query }) => typeof query !== 'string' || !isVariableQuery(query))
        .map(({ name }) => `variable ${name} does not ask for labels, metrics or a query result`),
  },
  {
    name: 'template-on-time-change-reload-rule',
    faults: (dashboard) =>
      queryVariables(dashboard)
        .filter(({ refresh }) => refresh !== ON_TIME_RANGE_CHANGE)
        .map(({ name }) => `variable ${name} is not refreshed when the time range changes`),
  },
];

const ON_TIME_RANGE_CHANGE = 2;
const DATASOURCE_NAMES: readonly unknown[] = ['datasource', 'prometheus_datasource'];
const DATASOURCE_LABELS: readonly unknown[] = ['Data source', 'Prometheus data source'];
export const TEMPLATED_DATASOURCES: readonly unknown[] = [
  '$datasource',
  '${datasource}',
  '$prometheus_datasource',
  '${prometheus_datasource}',
];

function datasource(dashboard: DashboardModel): readonly string[] {
  const sources = variablesOf(dashboard).filter(({ type }) => type === 'datasource');
  const [only] = sources;
  if (only === undefined) return ['there is no data source variable'];
  if (sources.length > 1) {
    return sources
      .filter(({ name, query }) => name !== `${String(query)}_datasource`)
      .map(({ name }) => `of several data source variables, ${name} is not <type>_datasource`);
  }
  return [
    ...(DATASOURCE_NAMES.includes(only.name) ? [] : [`data source variable named ${only.name}`]),
    ...(DATASOURCE_LABELS.includes(only.label) ? [] : [`data source labelled ${only.label ?? ''}`]),
  ];
}

function chooser(dashboard: DashboardModel, name: string, label: string): readonly string[] {
  const variable = variablesOf(dashboard).find((one) => one.name === name);
  if (variable === undefined) return [`there is no variable ${name}`];
  const faults: string[] = [];
  if (!TEMPLATED_DATASOURCES.includes(variable.datasource?.uid)) {
    faults.push(`variable ${name} does not use the data source variable`);
  }
  if (variable.type !== 'query') faults.push(`variable ${name} is of type ${variable.type}`);
  if (variable.label !== label) faults.push(`variable ${name} is not labelled ${label}`);
  if (variable.multi !== true) faults.push(`variable ${name} takes one value only`);
  if (variable.allValue !== '.+') faults.push(`variable ${name} has no allValue .+`);
  return faults;
}

function queryVariables(dashboard: DashboardModel): readonly VariableModel[] {
  return variablesOf(dashboard).filter(({ type }) => type === 'query');
}

function isVariableQuery(query: string): boolean {
  const name = /^([a-z_]+)\((.+)\)$/.exec(query)?.[1];
  return (
    name !== undefined && ['label_names', 'label_values', 'metrics', 'query_result'].includes(name)
  );
}
