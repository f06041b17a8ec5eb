import { describe, expect, it } from 'vitest';

import { alertLinkFaults } from '../../../grafana/lint/alert-link-rule.ts';
import type { DashboardModel } from '../../../grafana/lint/model.ts';
import { RULES } from '../../../grafana/lint/rules.ts';
import { asking, dashboardWith, SELECTOR, soundPanel, soundVariables } from './sound-dashboard.ts';

/** Names of the rules a dashboard breaks; those about alerts need the whole set. */
function brokenBy(...dashboards: readonly DashboardModel[]): readonly string[] {
  return RULES.filter(({ name }) => name !== 'alerts-lead-to-dashboards')
    .filter(({ faults }) => faults(dashboards).length > 0)
    .map(({ name }) => name);
}

function variable(name: string, changes: Readonly<Record<string, unknown>>): DashboardModel {
  const variables = soundVariables().map((one) =>
    one['name'] === name ? { ...one, ...changes } : one,
  );
  return dashboardWith({ variables });
}

function panel(changes: Readonly<Record<string, unknown>>): DashboardModel {
  return dashboardWith({ panels: [{ ...soundPanel(), ...changes }] });
}

const HOST = 'job=~"$job", instance=~"$instance"';

describe('the linter', () => {
  it('finds nothing in a sound dashboard', () => {
    expect(brokenBy(dashboardWith())).toEqual([]);
  });

  describe('as dashboard-linter does', () => {
    it.each([
      ['another name', variable('datasource', { name: 'ds' }), 'template-datasource-rule'],
      ['another label', variable('datasource', { label: 'Source' }), 'template-datasource-rule'],
      ['no such variable', variable('datasource', { type: 'custom' }), 'template-datasource-rule'],
      ['one value only', variable('job', { multi: false }), 'template-job-rule'],
      ['allValue .*', variable('job', { allValue: '.*' }), 'template-job-rule'],
      ['another label', variable('instance', { label: 'Host' }), 'template-instance-rule'],
      [
        'a fixed source',
        variable('instance', { datasource: { uid: 'x' } }),
        'template-instance-rule',
      ],
      [
        'another function',
        variable('job', { query: 'values(x, y)' }),
        'template-label-promql-rule',
      ],
      ['refresh on load', variable('job', { refresh: 1 }), 'template-on-time-change-reload-rule'],
    ])('refuses a variable with %s', (_, dashboard, rule) => {
      expect(brokenBy(dashboard)).toContain(rule);
    });

    it.each([
      ['a fixed data source', { datasource: { uid: 'abc' } }, 'panel-datasource-rule'],
      ['no title', { title: '' }, 'panel-title-description-rule'],
      ['no description', { description: ' ' }, 'panel-title-description-rule'],
      [
        'a description that does not judge',
        { description: 'Load of the host.' },
        'descriptions-say-what-good-looks-like',
      ],
      [
        'an unknown unit',
        { fieldConfig: { defaults: { unit: 'rds' }, overrides: [] } },
        'panel-units-rule',
      ],
      ['no unit', { fieldConfig: { defaults: {}, overrides: [] } }, 'panel-units-rule'],
      [
        'an unknown unit in an override',
        {
          fieldConfig: {
            defaults: { unit: 'short' },
            overrides: [
              { matcher: { id: 'byName' }, properties: [{ id: 'unit', value: 'furlong' }] },
            ],
          },
        },
        'panel-units-rule',
      ],
      ['no queries', { targets: [] }, 'panel-no-targets-rule'],
    ])('refuses a panel with %s', (_, changes, rule) => {
      expect(brokenBy(panel(changes))).toContain(rule);
    });

    it('refuses a dashboard people can edit', () => {
      expect(brokenBy(dashboardWith({ editable: true }))).toEqual(['uneditable-dashboard']);
    });

    it.each([
      ['is not PromQL', `sum(${SELECTOR}`, 'target-promql-rule'],
      [
        'takes a rate over a fixed range',
        `rate(kvm_host_context_switches_total{${HOST}}[5m])`,
        'target-rate-interval-rule',
      ],
      ['leaves out the job', 'kvm_host_load1{instance=~"$instance"}', 'target-job-rule'],
      [
        'compares the job for equality',
        'kvm_host_load1{job="$job", instance=~"$instance"}',
        'target-job-rule',
      ],
      ['leaves out the instance', 'kvm_host_load1{job=~"$job"}', 'target-instance-rule'],
      [
        'shows a counter as it is',
        `kvm_host_context_switches_total{${HOST}}`,
        'target-counter-agg-rule',
      ],
    ])('refuses a query that %s', (_, expr, rule) => {
      expect(brokenBy(asking(expr))).toContain(rule);
    });

    it('takes a rate over the interval Grafana chooses, and any other function over any range', () => {
      const rate = `rate(kvm_host_context_switches_total{${HOST}}[$__rate_interval])`;
      const unit = { fieldConfig: { defaults: { unit: 'ops' }, overrides: [] } };
      expect(brokenBy(asking(rate, unit))).toEqual([]);
      expect(brokenBy(asking(`max_over_time(${SELECTOR}[1h])`))).toEqual([]);
    });

    it('refuses a query to anything but Prometheus', () => {
      const targets = [{ refId: 'A', expr: SELECTOR, datasource: { type: 'loki', uid: 'x' } }];
      expect(brokenBy(panel({ targets }))).toEqual(['target-logql-rule']);
    });
  });

  describe('beyond dashboard-linter', () => {
    it.each([
      ['a metric there is not', `kvm_host_lode1{${HOST}}`],
      ['a label the metric has not', `kvm_host_load1{${HOST}, mode="user"}`],
      ['a grouping by a label that is gone', `sum by (domain) (${SELECTOR})`],
    ])('refuses %s', (_, expr) => {
      expect(brokenBy(asking(expr))).toContain('metrics-and-labels-exist');
    });

    it('takes alerts together with metrics there are, and with no others', () => {
      const firing = `count(ALERTS{${HOST}, alertstate="firing"})`;
      expect(brokenBy(asking(`${firing} or 0 * count(${SELECTOR})`))).toEqual([]);
      expect(brokenBy(asking(`${firing} or 0 * count(kvm_host_lode1{${HOST}})`))).toEqual([
        'metrics-and-labels-exist',
      ]);
    });

    describe('of links in notifications', () => {
      const link =
        '/d/kvm-host?var-job={{ $labels.job | urlquery }}&var-instance={{ $labels.instance | urlquery }}';
      const faultsOf = (expr: string, url: string): readonly string[] => {
        const rule = { alert: 'KvmTest', expr, annotations: { dashboard_url: url } };
        const file = JSON.stringify({ groups: [{ rules: [rule] }] });
        return alertLinkFaults(file, [dashboardWith()]);
      };

      it('refuses one that leads nowhere, or leaves the host behind', () => {
        const expr = 'kvm_host_load1 > 9';
        expect(faultsOf(expr, link)).toEqual([]);
        expect(faultsOf(expr, link.replace('kvm-host', 'kvm-hots'))).toEqual([
          expect.stringContaining('leads nowhere'),
        ]);
        expect(faultsOf(expr, '/d/kvm-host')).toEqual([
          'KvmTest: its link does not carry the instance',
        ]);
      });

      it('refuses one of an alert about a guest that leaves the guest behind', () => {
        expect(faultsOf('kvm_domain_vcpus > 9', link)).toEqual([
          'KvmTest: its link does not carry the domain',
        ]);
      });
    });

    it('refuses a variable filled from a metric or label there is not', () => {
      const query = 'label_values(kvm_host_load1, domain)';
      expect(brokenBy(variable('job', { query }))).toEqual(['metrics-of-variables-exist']);
    });

    it('refuses annotations by a label alerts have not', () => {
      expect(brokenBy(dashboardWith({ annotation: 'ALERTS{colour="red"}' }))).toEqual([
        'metrics-of-annotations-exist',
      ]);
    });

    it('refuses a legend with a label the query has not', () => {
      const source = { type: 'prometheus', uid: '${datasource}' };
      const targets = [
        { refId: 'A', expr: SELECTOR, legendFormat: '{{domain}}', datasource: source },
      ];
      expect(brokenBy(panel({ targets }))).toEqual(['legends-name-labels-there-are']);
    });

    it('refuses bytes shown as a share, and bytes added to seconds', () => {
      const bytes = `kvm_host_memory_free_bytes{${HOST}}`;
      const unit = { fieldConfig: { defaults: { unit: 'percentunit' }, overrides: [] } };
      expect(brokenBy(asking(bytes, unit))).toEqual(['units-fit-queries']);
      const sum = `${bytes} + kvm_host_boot_time_seconds{${HOST}}`;
      expect(brokenBy(asking(sum))).toEqual(['units-fit-queries']);
    });

    it('refuses variables nobody uses, and uses of variables there are not', () => {
      const more = { ...soundVariables()[1], name: 'extra' };
      const variables = [...soundVariables(), more];
      expect(brokenBy(dashboardWith({ variables }))).toEqual(['variables-are-used']);
      const expr = `kvm_domain_vcpus{${HOST}, domain="$domain"}`;
      expect(brokenBy(asking(expr))).toEqual(['variables-exist']);
    });

    it('refuses panels with the same id, title or place, and queries with the same refId', () => {
      const beside = {
        ...soundPanel(),
        id: 3,
        title: 'Other',
        gridPos: { x: 12, y: 1, w: 12, h: 8 },
      };
      const both = (changes: object): DashboardModel =>
        dashboardWith({ panels: [soundPanel(), { ...beside, ...changes }] });
      expect(brokenBy(both({}))).toEqual([]);
      expect(brokenBy(both({ id: 2 }))).toEqual(['panel-ids-unique']);
      expect(brokenBy(both({ title: 'Load' }))).toEqual(['titles-unique-within-a-row']);
      const overlap = { gridPos: { x: 11, y: 8, w: 12, h: 8 } };
      expect(brokenBy(both(overlap))).toEqual(['panels-do-not-overlap']);
      const outside = { gridPos: { x: 13, y: 1, w: 12, h: 8 } };
      expect(brokenBy(both(outside))).toEqual(['panels-do-not-overlap']);
      const [target] = dashboardWith().panels?.[0]?.targets ?? [];
      expect(brokenBy(both({ targets: [target, target] }))).toEqual(['ref-ids-unique']);
    });

    it('looks into folded rows', () => {
      const row = { id: 1, type: 'row', collapsed: true, gridPos: { x: 0, y: 0, w: 24, h: 1 } };
      const folded = { ...row, panels: [{ ...soundPanel(), title: '' }] };
      expect(brokenBy(dashboardWith({ panels: [folded] }))).toEqual([
        'panel-title-description-rule',
      ]);
    });

    it('refuses two dashboards with one uid, and a dropdown that misses one', () => {
      expect(brokenBy(dashboardWith(), dashboardWith())).toEqual(['uids-unique']);
      const untagged = { ...dashboardWith({ uid: 'kvm-fleet' }), tags: [] };
      expect(brokenBy(dashboardWith(), untagged)).toEqual(['dropdown-finds-dashboards']);
    });

    it.each([
      ['to no dashboard', '/d/kvm-nowhere?var-job=x', 'link-targets-exist'],
      ['with a variable the target has not', '/d/kvm-host?var-domain=x', 'link-targets-exist'],
      [
        'with a label the series have not',
        '/d/kvm-host?var-job=${__field.labels.domain}',
        'links-carry-values-there-are',
      ],
      [
        'with a column the table has not',
        '/d/kvm-host?var-job=${__data.fields.Guest}',
        'links-carry-values-there-are',
      ],
    ])('refuses a link %s', (_, url, rule) => {
      const defaults = { unit: 'short', links: [{ title: 'there', url }] };
      expect(brokenBy(panel({ fieldConfig: { defaults, overrides: [] } }))).toEqual([rule]);
    });
  });
});
