import { readDashboard, type DashboardModel } from '../../../grafana/lint/model.ts';

export const SELECTOR = 'kvm_host_load1{job=~"$job", instance=~"$instance"}';

const SOURCE = { type: 'prometheus', uid: '${datasource}' };

/** The smallest dashboard that breaks no rule; tests bend one thing each. */
export function soundPanel(): Record<string, unknown> {
  return {
    id: 2,
    type: 'timeseries',
    title: 'Load',
    description: 'Load of the host. Good: low.',
    datasource: SOURCE,
    gridPos: { x: 0, y: 1, w: 12, h: 8 },
    targets: [{ refId: 'A', expr: SELECTOR, legendFormat: '{{instance}}', datasource: SOURCE }],
    fieldConfig: { defaults: { unit: 'short' }, overrides: [] },
    options: {},
  };
}

export function soundVariables(): Record<string, unknown>[] {
  return [
    { name: 'datasource', type: 'datasource', label: 'Data source', query: 'prometheus' },
    chooser('job', 'Job', 'label_values(kvm_host_load1, job)'),
    chooser('instance', 'Instance', 'label_values(kvm_host_load1{job=~"$job"}, instance)'),
  ];
}

export interface Bent {
  readonly uid?: string;
  readonly editable?: boolean;
  readonly panels?: readonly Record<string, unknown>[];
  readonly variables?: readonly Record<string, unknown>[];
  readonly annotation?: string;
}

export function dashboardWith(bent: Bent = {}): DashboardModel {
  return readDashboard(
    JSON.stringify({
      uid: bent.uid ?? 'kvm-host',
      title: 'KVM / Test',
      tags: ['kvm-overcommit'],
      editable: bent.editable ?? false,
      panels: bent.panels ?? [soundPanel()],
      templating: { list: bent.variables ?? soundVariables() },
      annotations: { list: [{ name: 'alerts', expr: bent.annotation ?? ALERTS }] },
      links: [{ type: 'dashboards', tags: ['kvm-overcommit'] }],
    }),
  );
}

/** A dashboard whose one panel asks this. */
export function asking(
  expr: string,
  panel: Readonly<Record<string, unknown>> = {},
): DashboardModel {
  const target = { refId: 'A', expr, legendFormat: '', datasource: SOURCE };
  return dashboardWith({ panels: [{ ...soundPanel(), targets: [target], ...panel }] });
}

const ALERTS = 'ALERTS{alertname=~"Kvm.*", alertstate="firing"}';

function chooser(name: string, label: string, query: string): Record<string, unknown> {
  return {
    ...{ name, label, query, type: 'query', datasource: SOURCE },
    ...{ multi: true, allValue: '.+', refresh: 2 },
  };
}
