import {
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
  type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { of } from './promql.ts';

export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

const ALL = { selected: true, text: ['All'], value: ['$__all'] };

/** Which Prometheus, which cluster, which scrape job, which hosts: on every dashboard, in this order. */
export function hostVariables(): VariableModel[] {
  return [
    new DatasourceVariableBuilder('datasource')
      .label('Data source')
      .description('The Prometheus that scrapes the exporters and evaluates the rules')
      .type('prometheus')
      .build(),
    chosenFrom(
      'cluster',
      'Cluster',
      'label_values(kvm_exporter_build_info, cluster)',
      'Clusters',
      // Where Prometheus adds no such label, all hosts are one cluster.
      '.*',
    ),
    chosenFrom(
      'job',
      'Job',
      'label_values(kvm_exporter_build_info{cluster=~"$cluster"}, job)',
      'Scrape jobs',
    ),
    chosenFrom(
      'instance',
      'Instance',
      'label_values(kvm_exporter_build_info{cluster=~"$cluster", job=~"$job"}, instance)',
      'Hosts',
    ),
  ];
}

/** The one guest the Guest dashboard is about. */
export function guestVariable(): VariableModel {
  return query('domain', 'Guest', `label_values(${of('kvm_domain_state')}, domain)`, 'One guest')
    .multi(false)
    .includeAll(false)
    .build();
}

/** Some values of a label, all by default. */
export function labelVariable(label: string, title: string, metric: string): VariableModel {
  return chosenFrom(label, title, `label_values(${of(metric)}, ${label})`, `${title}s to show`);
}

function chosenFrom(
  name: string,
  label: string,
  expr: string,
  description: string,
  allValue = '.+',
): VariableModel {
  return query(name, label, expr, description)
    .multi(true)
    .includeAll(true)
    .allValue(allValue)
    .current(ALL)
    .build();
}

function query(
  name: string,
  label: string,
  expr: string,
  description: string,
): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .description(description)
    .datasource(DATASOURCE)
    .query(expr)
    .definition(expr)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.NaturalAsc);
}
