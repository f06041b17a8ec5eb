import { describe, expect, it } from 'vitest';

import { committedDashboards } from '../../../grafana/dashboard-models.ts';
import { panelsOf, type DashboardModel } from '../../../grafana/lint/model.ts';
import { SEEN_RULES } from '../../../grafana/lint/seen-rules.ts';
import { asking, dashboardWith, soundPanel } from './sound-dashboard.ts';

const HOST = 'job=~"$job", instance=~"$instance"';

function brokenBy(dashboard: DashboardModel): readonly string[] {
  return SEEN_RULES.filter(({ faults }) => faults(dashboard).length > 0).map(({ name }) => name);
}

function panel(changes: Readonly<Record<string, unknown>>): DashboardModel {
  return dashboardWith({ panels: [{ ...soundPanel(), ...changes }] });
}

describe('what one sees only when a dashboard is drawn', () => {
  it('has nothing against a sound dashboard, nor against those of the project', () => {
    expect(brokenBy(dashboardWith())).toEqual([]);
    expect(committedDashboards().flatMap(brokenBy)).toEqual([]);
  });

  it.each([
    `instance:kvm_memory_exposure_per_supply:ratio{${HOST}}`,
    `max(instance:kvm_storage_claimable_per_avail:max{${HOST}})`,
    `instance:kvm_host_swap_per_overcommit:ratio{${HOST}}`,
    `kvm_filesystem_claimable_bytes{${HOST}} / kvm_filesystem_avail_bytes{${HOST}}`,
    `kvm_memory_exposure_bytes{${HOST}} / (kvm_memory_supply_bytes{${HOST}} > 0)`,
  ])('refuses %s, which has no end as the lower half runs out, until it is clamped', (expr) => {
    expect(brokenBy(asking(expr))).toEqual(['ratios-do-not-run-away']);
    expect(brokenBy(asking(`clamp_max(${expr}, 3)`))).toEqual([]);
  });

  it('takes a ratio per what stays the same', () => {
    const expr = `instance:kvm_memory_promised_per_capacity:ratio{${HOST}}`;
    expect(brokenBy(asking(expr))).toEqual([]);
  });

  const most = `kvm_domain_vcpus{${HOST}}`;
  it.each([
    `topk(5, ${most})`,
    `bottomk by (instance) (5, ${most})`,
    `topk(5, max_over_time(${most}[1h]))`,
    `instance_domain:kvm_domain_cpu_seconds:topk_rate5m{${HOST}}`,
  ])('refuses %s over time, whose members come and go', (expr) => {
    expect(brokenBy(asking(expr))).toEqual(['members-are-chosen-over-the-whole-range']);
  });

  it('takes members chosen once, and those of one moment', () => {
    const chosen = `${most} and topk(5, max_over_time(${most}[1h] @ end()))`;
    expect(brokenBy(asking(chosen))).toEqual([]);
    const source = { type: 'prometheus', uid: '${datasource}' };
    const now = { refId: 'A', expr: `topk(5, ${most})`, instant: true, datasource: source };
    expect(brokenBy(panel({ type: 'stat', targets: [now] }))).toEqual([]);
  });

  it('refuses a limit in the legend', () => {
    expect(brokenBy(asking(`min by (severity) (kvm_policy_cpu_load_ratio{${HOST}})`))).toEqual([
      'limits-are-lines-not-legend-rows',
    ]);
  });

  it('refuses a legend in rows and an axis with a fixed end', () => {
    expect(brokenBy(panel({ options: { legend: { displayMode: 'table' } } }))).toEqual([
      'legends-are-lists',
    ]);
    const defaults = { unit: 'percentunit', max: 1 };
    expect(brokenBy(panel({ fieldConfig: { defaults, overrides: [] } }))).toEqual([
      'axes-fit-what-is-drawn',
    ]);
  });

  it('refuses a time until full without a bound, or on an axis where minutes are nothing', () => {
    const time = `instance_mountpoint:kvm_filesystem_full_seconds:deriv6h{${HOST}}`;
    const bounded = `clamp(${time}, 60, 604800)`;
    const logarithmic = {
      fieldConfig: {
        defaults: { unit: 's', custom: { scaleDistribution: { type: 'log', log: 10 } } },
        overrides: [],
      },
    };
    expect(brokenBy(asking(time, logarithmic))).toEqual(['times-until-full-are-bounded']);
    expect(brokenBy(asking(bounded))).toEqual(['times-until-full-are-bounded']);
    expect(brokenBy(asking(bounded, logarithmic))).toEqual([]);
  });

  it('refuses a title that is cut on a narrow screen', () => {
    const title = 'Guests stopped by an I/O error';
    expect(brokenBy(panel({ title, gridPos: { x: 0, y: 0, w: 4, h: 4 } }))).toEqual(['titles-fit']);
    expect(brokenBy(panel({ title, gridPos: { x: 0, y: 0, w: 6, h: 4 } }))).toEqual([]);
  });

  it('refuses units that make an axis wide, unless the title says it', () => {
    const shown = (unit: string): DashboardModel =>
      panel({ fieldConfig: { defaults: { unit }, overrides: [] } });
    expect(brokenBy(shown('binBps'))).toEqual(['rates-have-short-units']);
    expect(brokenBy(shown('decbytes'))).toEqual([]);
  });

  it('refuses tables that are wider than their panel, and headers wider than their column', () => {
    const widths = (all: Readonly<Record<string, number>>): DashboardModel =>
      panel({
        type: 'table',
        transformations: [
          {
            id: 'organize',
            options: { renameByName: { a: 'Host', b: 'Load average', c: 'CPUs' } },
          },
        ],
        fieldConfig: {
          defaults: { unit: 'short' },
          overrides: Object.entries(all).map(([options, value]) => ({
            matcher: { id: 'byName', options },
            properties: [{ id: 'custom.width', value }],
          })),
        },
      });
    expect(brokenBy(widths({ 'Load average': 130, CPUs: 90 }))).toEqual([]);
    expect(brokenBy(widths({ 'Load average': 90, CPUs: 90 }))).toEqual(['table-columns-fit']);
    expect(brokenBy(widths({ 'Load average': 130 }))).toEqual(['table-columns-fit']);
    expect(brokenBy(widths({ 'Load average': 400, CPUs: 90 }))).toEqual(['table-columns-fit']);
  });
});

describe('a dashboard of one host after another', () => {
  it('repeats its rows, so that no series needs the host in its name beside another', () => {
    const repeated = committedDashboards().filter(({ panels = [] }) =>
      panels.some((one) => one['repeat'] === 'instance'),
    );
    expect(repeated.map(({ uid }) => uid).sort()).toEqual([
      'kvm-guest',
      'kvm-host',
      'kvm-memory',
      'kvm-network',
      'kvm-storage',
    ]);
    const legends = repeated
      .flatMap(panelsOf)
      .flatMap(({ targets = [] }) => targets.map(({ legendFormat = '' }) => legendFormat));
    expect(
      legends.filter((legend) => /\S.*\{\{instance\}\}|\{\{instance\}\}.*\S/.test(legend)),
    ).toEqual([]);
  });
});
