import type { LimitKey } from '../../../src/config/policy-defaults.ts';
import {
  GraphGradientMode,
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
  StackingConfigBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardLinkBuilder,
  type DynamicConfigValue,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { DataLink } from './links.ts';
import { limit } from './promql.ts';
import { CRITICAL, WARNING } from './risk.ts';
import { overTime, type Caption, type Query, type Tile } from './tile.ts';
import { DATASOURCE } from './variables.ts';

export interface GraphSpec extends Caption {
  readonly queries: readonly Query[];
  /** Limits of the policy drawn as dashed lines: `resource.name`. */
  readonly limit?: LimitKey;
  readonly stacked?: boolean;
  /** Shares end at 1. */
  readonly max?: number;
  /** Values may be negative. */
  readonly signed?: boolean;
  readonly link?: DataLink;
  readonly width?: number;
  readonly height?: number;
}

/** Series over time. */
export function graph(spec: GraphSpec): Tile {
  const queries: readonly Query[] =
    spec.limit === undefined
      ? spec.queries
      : [...spec.queries, { expr: limit(spec.limit), legend: '{{severity}} limit' }];
  const builder = new PanelBuilder()
    .title(spec.title)
    .description(spec.description)
    .datasource(DATASOURCE)
    .unit(spec.unit)
    .lineWidth(1)
    .fillOpacity(spec.stacked === true ? 40 : 8)
    .gradientMode(GraphGradientMode.None)
    .showPoints(VisibilityMode.Auto)
    .spanNulls(false)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .calcs(['lastNotNull', 'max'])
        .sortBy('Last *')
        .sortDesc(true),
    )
    .tooltip(
      new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending),
    )
    .targets(queries.map(overTime))
    .overrideByRegexp('/^warning limit$/', limitLine(WARNING))
    .overrideByRegexp('/^critical limit$/', limitLine(CRITICAL));
  if (spec.signed !== true) builder.min(0);
  if (spec.max !== undefined) builder.max(spec.max);
  if (spec.stacked === true) {
    builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
  }
  if (spec.link !== undefined) {
    builder.dataLinks([new DashboardLinkBuilder(spec.link.title).url(spec.link.url)]);
  }
  return { panel: builder.build(), width: spec.width ?? 12, height: spec.height ?? 8 };
}

/** Dashed, neither filled nor stacked. */
function limitLine(color: string): DynamicConfigValue[] {
  return [
    { id: 'color', value: { mode: 'fixed', fixedColor: color } },
    { id: 'custom.lineStyle', value: { fill: 'dash', dash: [10, 10] } },
    { id: 'custom.fillOpacity', value: 0 },
    { id: 'custom.stacking', value: { mode: 'none', group: 'limits' } },
    { id: 'links', value: [] },
  ];
}
