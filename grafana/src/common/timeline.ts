import { VisibilityMode, VizLegendOptionsBuilder } from '@grafana/grafana-foundation-sdk/common';
import {
  FieldColorBuilder,
  FieldColorModeId,
  type ThresholdsConfig,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { overTime, type Caption, type Query, type Tile } from './tile.ts';
import { DATASOURCE } from './variables.ts';

export interface TimelineSpec extends Omit<Caption, 'unit'> {
  readonly queries: readonly Query[];
  readonly mappings: ValueMapping[];
  readonly thresholds: ThresholdsConfig;
  /** Colours of rows whose names match, where values say nothing. */
  readonly rowColours?: readonly { readonly name: string; readonly colour: string }[];
  readonly width?: number;
  readonly height?: number;
}

/** A bar of states for each series. */
export function timeline(spec: TimelineSpec): Tile {
  const builder = new PanelBuilder()
    .title(spec.title)
    .description(spec.description)
    .datasource(DATASOURCE)
    .unit('short')
    .mappings(spec.mappings)
    .thresholds({ build: () => spec.thresholds })
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .mergeValues(true)
    .showValue(VisibilityMode.Auto)
    .legend(new VizLegendOptionsBuilder().showLegend(false))
    .targets(spec.queries.map(overTime));
  for (const { name, colour } of spec.rowColours ?? []) {
    builder.overrideByRegexp(name, [
      { id: 'color', value: { mode: FieldColorModeId.Fixed, fixedColor: colour } },
    ]);
  }
  return { panel: builder.build(), width: spec.width ?? 12, height: spec.height ?? 6 };
}
