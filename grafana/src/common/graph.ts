import type { LimitKey } from '../../../src/config/policy-defaults.ts';
import {
  GraphGradientMode,
  LegendDisplayMode,
  LegendPlacement,
  ScaleDistribution,
  ScaleDistributionConfigBuilder,
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
  /** Decades take the same room: for what spans from minutes to weeks. */
  readonly logarithmic?: boolean;
  /** Seconds are many: minutes or hours without a fraction. */
  readonly whole?: boolean;
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
  const axis = PER_SECOND.get(spec.unit);
  const builder = new PanelBuilder()
    .title(axis === undefined ? spec.title : `${spec.title} per second`)
    .description(describe(spec))
    .datasource(DATASOURCE)
    .unit(axis ?? spec.unit)
    .lineWidth(1)
    .fillOpacity(spec.stacked === true ? 40 : 8)
    .gradientMode(GraphGradientMode.None)
    .showPoints(VisibilityMode.Auto)
    .spanNulls(false)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .calcs([]),
    )
    .tooltip(
      new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending),
    )
    .targets(queries.map(overTime))
    .overrideByRegexp('/^warning limit$/', limitLine(WARNING))
    .overrideByRegexp('/^critical limit$/', limitLine(CRITICAL));
  if (spec.logarithmic === true) {
    builder.scaleDistribution(
      new ScaleDistributionConfigBuilder().type(ScaleDistribution.Log).log(10),
    );
  } else if (spec.signed !== true) {
    builder.min(0);
  }
  // Nobody needs to see that less than nothing is not the same as nothing.
  if (spec.unit === 'percentunit') builder.axisSoftMax(0.01);
  // "3 hours" has room at an axis, "2.78 hours" has not.
  if (spec.unit === 's' && (spec.logarithmic === true || spec.whole === true)) builder.decimals(0);
  if (spec.stacked === true) {
    builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
  }
  if (spec.link !== undefined) {
    builder.dataLinks([new DashboardLinkBuilder(spec.link.title).url(spec.link.url)]);
  }
  return { panel: builder.build(), width: spec.width ?? 12, height: spec.height ?? 8 };
}

/** "1.50 GB/s" is wider than an axis should be: what is per second is said once, in the title. */
const PER_SECOND: ReadonlyMap<string, string> = new Map([
  ['Bps', 'decbytes'],
  ['pps', 'short'],
  ['cps', 'short'],
]);

/** Says what the dashed lines are, which no legend does. */
function describe({ description, limit: drawn }: GraphSpec): string {
  return drawn === undefined
    ? description
    : `${description} Dashed: limits of the policy, orange for a warning, red for critical.`;
}

/** Dashed, neither filled nor stacked; its name is in the tooltip, since all graphs draw limits alike. */
function limitLine(color: string): DynamicConfigValue[] {
  return [
    { id: 'color', value: { mode: 'fixed', fixedColor: color } },
    { id: 'custom.lineStyle', value: { fill: 'dash', dash: [10, 10] } },
    { id: 'custom.fillOpacity', value: 0 },
    { id: 'custom.hideFrom', value: { legend: true, tooltip: false, viz: false } },
    { id: 'custom.stacking', value: { mode: 'none', group: 'limits' } },
    { id: 'links', value: [] },
  ];
}
