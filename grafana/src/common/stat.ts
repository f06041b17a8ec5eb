import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  ReduceDataOptionsBuilder,
  VizOrientation,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardLinkBuilder,
  FieldColorBuilder,
  FieldColorModeId,
  type ThresholdsConfig,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/stat';
import type { DataLink } from './links.ts';
import { NEUTRAL, NO_VALUE, RISK_MAPPINGS, RISK_THRESHOLDS } from './risk.ts';
import { atTheEnd, type Caption, type Query, type Tile } from './tile.ts';
import { DATASOURCE } from './variables.ts';

export interface StatSpec extends Caption {
  readonly queries: readonly Query[];
  readonly thresholds?: ThresholdsConfig;
  readonly width?: number;
  readonly height?: number;
}

/**
 * Single values that matter at a glance: those of now. Over a time range Grafana would show the
 * last value of a host that has been silent for hours as if it were true.
 */
export function stat(spec: StatSpec): Tile {
  const panel = builderOf(spec)
    .unit(spec.unit)
    .colorMode(BigValueColorMode.Value)
    .mappings([NO_VALUE])
    .thresholds({ build: () => spec.thresholds ?? NEUTRAL })
    .targets(spec.queries.map(atTheEnd))
    .build();
  return { panel, width: spec.width ?? 4, height: spec.height ?? 4 };
}

export interface RiskSpec extends Omit<Caption, 'unit'> {
  readonly query: Query;
  readonly link?: DataLink;
  readonly width?: number;
  readonly height?: number;
}

/** Risk levels as coloured fields, one for each series. */
export function risk(spec: RiskSpec): Tile {
  const builder = builderOf(spec)
    .unit('short')
    .mappings(RISK_MAPPINGS)
    .colorMode(BigValueColorMode.Background)
    .textMode(BigValueTextMode.ValueAndName)
    // Sized to fit, the longest word leaves its field.
    .text({ build: () => ({ titleSize: 14, valueSize: 24 }) })
    .thresholds({ build: () => RISK_THRESHOLDS })
    .targets([atTheEnd(spec.query, 0)]);
  if (spec.link !== undefined) {
    builder.dataLinks([new DashboardLinkBuilder(spec.link.title).url(spec.link.url)]);
  }
  return { panel: builder.build(), width: spec.width ?? 12, height: spec.height ?? 4 };
}

function builderOf({ title, description }: Omit<Caption, 'unit'>): PanelBuilder {
  return new PanelBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .graphMode(BigValueGraphMode.None)
    .orientation(VizOrientation.Auto)
    .justifyMode(BigValueJustifyMode.Auto)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(false));
}
