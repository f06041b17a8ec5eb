import { describe, expect, it } from 'vitest';

import type { PanelFacts } from '../../../grafana/render/browser/protocol.ts';
import { layOut } from '../../../grafana/render/browser/layout.ts';
import { findingsOf } from '../../../grafana/render/findings.ts';
import { firing, layersOf } from '../../../grafana/render/rule-layers.ts';

const FINE: PanelFacts = {
  ...{ id: 1, title: 'Load', type: 'timeseries', error: undefined, empty: false },
  ...{ duplicates: [], axisLabels: ['0', '512 MiB', '07:30'], cut: [] },
};

describe('a drawn dashboard', () => {
  it('is fine when everything can be read', () => {
    expect(findingsOf([FINE], new Set())).toEqual([]);
  });

  it.each([
    ['cannot be drawn: no', { error: 'no' }],
    ['is empty, and nothing says that it may be', { empty: true }],
    ['has two series called web-01', { duplicates: ['web-01'] }],
    ['has the axis label "57787916900%"', { axisLabels: ['57787916900%'] }],
    ['cuts its tile "medium"', { cut: [{ part: 'tile', text: 'medium' }] }],
  ] as const)('is not when a panel %s', (finding, facts) => {
    expect(findingsOf([{ ...FINE, ...facts }], new Set())).toEqual([`"Load" ${finding}`]);
  });

  it('may have an empty panel whose host has proven to have no such thing', () => {
    expect(findingsOf([{ ...FINE, empty: true }], new Set(['Load']))).toEqual([]);
    expect(findingsOf([{ ...FINE, empty: true }], new Set(['Other']))).toHaveLength(1);
  });
});

describe('rules to be backfilled', () => {
  const rule = (record: string, expr: string) => ({ record, expr, labels: {} });

  it('come after all they read, those of one name together', () => {
    const layers = layersOf([
      rule('a:risk:max', 'max(a:level:x)'),
      rule('a:level:x', 'a:load:ratio > 1'),
      rule('a:level:x', 'kvm_host_load1 > 1'),
      rule('a:load:ratio', 'kvm_host_load1 / 4'),
    ]);
    expect(layers.map((layer) => layer.map(({ record }) => record))).toEqual([
      ['a:load:ratio'],
      ['a:level:x', 'a:level:x'],
      ['a:risk:max'],
    ]);
  });

  it('may read their own last value, but not each other in a circle', () => {
    expect(layersOf([rule('a:seen:bool', 'a:seen:bool or kvm_host_load1')])).toHaveLength(1);
    expect(() => layersOf([rule('a:x:y', 'b:x:y'), rule('b:x:y', 'a:x:y')])).toThrow(
      'rules that read each other in a circle: a:x:y, b:x:y',
    );
  });

  it('stand for alerts as Prometheus records them', () => {
    const alert = { alert: 'KvmTest', expr: 'up == 0', labels: { severity: 'critical' } };
    expect(firing(alert)).toEqual({
      record: 'ALERTS',
      expr: '0 * (up == 0) + 1',
      labels: { alertname: 'KvmTest', alertstate: 'firing', severity: 'critical' },
    });
  });
});

describe('the layout', () => {
  const panel = (id: number, type: string, y: number, h: number) => ({
    ...{ id, type, title: '' },
    gridPos: { x: 0, y, w: 24, h },
  });
  const dashboard = {
    uid: 'kvm-host',
    title: 'Test',
    panels: [
      { ...panel(1, 'row', 0, 1), panels: [panel(2, 'stat', 1, 4)] },
      panel(3, 'row', 1, 1),
      panel(4, 'stat', 2, 4),
    ],
  };

  it('shows what is folded only when asked, and moves the rest down', () => {
    const tops = (unfolded: boolean): readonly (readonly [number, number])[] =>
      layOut(dashboard, 1280, unfolded).placed.map((one) => [one.panel.id, one.top / 38]);
    expect(tops(false)).toEqual([
      [1, 0],
      [3, 1],
      [4, 2],
    ]);
    expect(tops(true)).toEqual([
      [1, 0],
      [2, 1],
      [3, 5],
      [4, 6],
    ]);
  });
});
