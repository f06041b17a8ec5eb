import { MappingType } from '@grafana/grafana-foundation-sdk/dashboard';
import { describe, expect, it } from 'vitest';

import { dashboard } from '../../../grafana/src/common/dashboard.ts';
import { fromRow, fromSeries } from '../../../grafana/src/common/links.ts';
import { limit, of, rate } from '../../../grafana/src/common/promql.ts';
import { NO_VALUE, RISK_MAPPINGS, RISK_THRESHOLDS } from '../../../grafana/src/common/risk.ts';
import { UNKNOWN_LEVEL } from '../../../grafana/src/common/risk-query.ts';
import { risk, stat } from '../../../grafana/src/common/stat.ts';
import { table } from '../../../grafana/src/common/table.ts';
import type { Tile } from '../../../grafana/src/common/tile.ts';

function tile(width: number, height: number): Tile {
  return {
    ...risk({ title: 'r', description: 'd', query: QUERY }),
    width,
    height,
  };
}

function built(...rows: Parameters<typeof dashboard>[0]['rows']): ReturnType<typeof dashboard> {
  return dashboard({ uid: 'kvm-host', title: 'Test', description: 'd', rows });
}

describe('a dashboard', () => {
  it('numbers rows and panels in order, so that the same source gives the same JSON', () => {
    const source = [
      { title: 'one', tiles: [tile(12, 8), tile(12, 8)] },
      { title: 'two', tiles: [tile(24, 4)] },
    ];
    expect(built(...source).panels?.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
    expect(JSON.stringify(built(...source))).toBe(JSON.stringify(built(...source)));
  });

  it('fills lines of 24 from the left and goes below the highest when one is full', () => {
    const [, ...panels] =
      built({ title: 'row', tiles: [tile(12, 8), tile(8, 10), tile(6, 4)] }).panels ?? [];
    expect(panels.map(({ gridPos }) => gridPos)).toEqual([
      { x: 0, y: 1, w: 12, h: 8 },
      { x: 12, y: 1, w: 8, h: 10 },
      { x: 0, y: 11, w: 6, h: 4 },
    ]);
  });

  it('puts the panels of a folded row into it, and the next row right below', () => {
    const all = built(
      { title: 'folded', folded: true, tiles: [tile(24, 8)] },
      { title: 'open', tiles: [tile(24, 8)] },
    ).panels;
    expect(all?.map(({ type, gridPos }) => [type, gridPos?.y])).toEqual([
      ['row', 0],
      ['row', 1],
      ['stat', 2],
    ]);
    expect(all?.[0]).toMatchObject({ collapsed: true, panels: [{ id: 2 }] });
  });
});

describe('a table', () => {
  const keys = [{ label: 'instance', title: 'Host' }];
  const load = { title: 'Load', expr: 'a', unit: 'none' } as const;
  const memory = { title: 'Memory', expr: 'b', unit: 'bytes' } as const;

  it('names value columns as Grafana does: after their query when there are several', () => {
    const { panel } = table({
      ...{ title: 't', description: 'd', sortBy: 'Load', keys },
      values: [load, memory],
    });
    expect(panel.transformations?.[1]?.options).toMatchObject({
      renameByName: { instance: 'Host', 'Value #A': 'Load', 'Value #B': 'Memory' },
      indexByName: { instance: 0, 'Value #A': 1, 'Value #B': 2 },
      excludeByName: { Time: true, job: true },
    });
  });

  it('takes labels from queries whose values it does not show', () => {
    const { panel } = table({
      ...{ title: 't', description: 'd', sortBy: 'Load', keys, values: [load] },
      infos: ['b'],
    });
    expect(panel.targets).toMatchObject([{ refId: 'A' }, { refId: 'B' }]);
    expect(panel.transformations?.[1]?.options).toMatchObject({
      renameByName: { 'Value #A': 'Load' },
      excludeByName: { 'Value #B': true },
    });
  });

  it('names the only value column Value', () => {
    const { panel } = table({ title: 't', description: 'd', sortBy: 'Load', keys, values: [load] });
    expect(panel.transformations?.[1]?.options).toMatchObject({ renameByName: { Value: 'Load' } });
  });
});

describe('risk', () => {
  const mapped = (value: unknown): unknown =>
    RISK_MAPPINGS.flatMap((mapping) => {
      if (mapping.type === MappingType.ValueToText) return mapping.options[String(value)] ?? [];
      return mapping.type === MappingType.SpecialValue && value === null
        ? mapping.options.result
        : [];
    })[0];

  it('has the colours of its levels, from green to red', () => {
    expect([0, 1, 2, 3].map(mapped)).toMatchObject([
      { text: 'low', color: 'green' },
      { text: 'medium', color: 'yellow' },
      { text: 'high', color: 'orange' },
      { text: 'critical', color: 'red' },
    ]);
  });

  it('is unknown, in a colour that is neither good nor bad, where it has no value', () => {
    const unknown = { text: 'unknown', color: '#8e8e8e' };
    expect(mapped(UNKNOWN_LEVEL)).toMatchObject(unknown);
    expect(mapped(null)).toMatchObject(unknown);
    expect(RISK_THRESHOLDS.steps[0]).toEqual({ value: null, color: unknown.color });
    expect(RISK_THRESHOLDS.steps[1]).toEqual({ value: 0, color: 'green' });
  });

  it('is shown as it is now: a range would keep the last level of a host that went silent', () => {
    const { panel } = stat({ title: 't', description: 'd', unit: 'short', queries: [QUERY] });
    expect(panel.targets?.[0]).toMatchObject({ instant: true, range: false });
    expect(panel.fieldConfig?.defaults.mappings).toEqual([NO_VALUE]);
  });
});

const QUERY = { expr: 'x', legend: '' };

describe('queries', () => {
  it('are bound to the chosen jobs and hosts', () => {
    expect(of('a')).toBe('a{cluster=~"$cluster", job=~"$job", instance=~"$instance"}');
    expect(rate('a_total', 'mode="x"')).toBe(
      'rate(a_total{cluster=~"$cluster", job=~"$job", instance=~"$instance", mode="x"}[$__rate_interval])',
    );
  });

  it('draw the strictest limit: the lowest where more is bad, the highest where less is', () => {
    expect(limit('cpu.delay_ratio')).toMatch(/^min by \(severity\) \(kvm_policy_cpu_delay_ratio\{/);
    expect(limit('memory.available_ratio')).toMatch(/^max by \(severity\)/);
    // @ts-expect-error -- a limit that nobody declared does not compile
    expect(() => limit('cpu.dealy_ratio')).toThrow();
  });
});

describe('links', () => {
  it('carry data source, job, time and the values of a row or series, safe in a URL', () => {
    expect(fromRow('kvm-guest', { instance: 'Host', domain: 'Guest' }).url).toBe(
      '/d/kvm-guest?${datasource:queryparam}&${job:queryparam}' +
        '&var-instance=${__data.fields.Host:percentencode}' +
        '&var-domain=${__data.fields.Guest:percentencode}&${__url_time_range}',
    );
    expect(fromSeries('kvm-host', ['instance']).url).toContain(
      'var-instance=${__field.labels.instance:percentencode}',
    );
  });
});
