import {
  applyFieldOverrides,
  cacheFieldDisplayNames,
  FieldType,
  getFieldDisplayName,
  transformDataFrame,
  type DataFrame,
  type FieldConfigSource,
  type GrafanaTheme2,
} from '@grafana/data';
import { lastValueFrom } from 'rxjs';
import type { DrawingOrder, DrawnPanel } from './protocol.ts';
import { framesOf } from './queries.ts';
import { FIELD_OPTIONS } from './registry.ts';

/** What a panel draws. */
export interface PanelData {
  readonly frames: DataFrame[];
  readonly fieldConfig: FieldConfigSource;
}

/** What Grafana's panels begin with; the JSON says the rest. */
const DEFAULTS: Readonly<Record<string, Record<string, unknown>>> = {
  timeseries: {
    drawStyle: 'line',
    lineInterpolation: 'linear',
    pointSize: 5,
    axisPlacement: 'auto',
  },
};

/** Asks, transforms and prepares the fields, as Grafana does on the way from query to panel. */
export async function dataOf(
  panel: DrawnPanel,
  order: DrawingOrder,
  width: number,
  theme: GrafanaTheme2,
): Promise<PanelData> {
  const asked = await framesOf(panel, order, width);
  const transformations = (panel.transformations ?? []).map(({ id, options }) => ({ id, options }));
  const transformed =
    transformations.length === 0
      ? asked
      : await lastValueFrom(
          transformDataFrame(transformations, asked, { interpolate: (text) => text }),
        );
  const fieldConfig = configOf(panel);
  const frames = applyFieldOverrides({
    data: transformed,
    fieldConfig,
    replaceVariables: (text) => text,
    theme,
    timeZone: 'utc',
    fieldConfigRegistry: FIELD_OPTIONS,
  });
  if (panel.type === 'timeseries') for (const frame of frames) breakAtGaps(frame, order);
  cacheFieldDisplayNames(frames);
  return { frames, fieldConfig };
}

function configOf(panel: DrawnPanel): FieldConfigSource {
  // The schema of the dashboards is checked by `npm run check:dashboards`.
  const own: FieldConfigSource = JSON.parse(
    JSON.stringify(panel.fieldConfig ?? { defaults: {}, overrides: [] }),
  );
  const thresholds = [
    own.defaults.thresholds,
    ...own.overrides.flatMap(({ properties }) =>
      properties.filter(({ id }) => id === 'thresholds').map(({ value }) => value),
    ),
  ];
  for (const one of thresholds) {
    const [first] = one?.steps ?? [];
    // JSON has no number for it.
    if (first !== undefined) first.value = -Infinity;
  }
  return {
    ...own,
    defaults: {
      color: { mode: panel.type === 'timeseries' ? 'palette-classic' : 'thresholds' },
      ...own.defaults,
      custom: { ...DEFAULTS[panel.type], ...own.defaults.custom },
    },
  };
}

/** Infinite values are none, and a line ends where its series has no sample (prepareGraphableFields). */
function breakAtGaps(frame: DataFrame, order: DrawingOrder): void {
  const [time, value] = frame.fields;
  const interval = time?.config.interval;
  if (time === undefined || value?.type !== FieldType.number || interval == null) return;
  const times: number[] = [];
  const values: (number | null)[] = [];
  for (let index = 0; index < frame.length; index += 1) {
    const at: number = time.values[index];
    const last = times.at(-1);
    if (last !== undefined && at - last > interval) {
      times.push(last + interval);
      values.push(null);
    }
    const found: number = value.values[index];
    times.push(at);
    values.push(Number.isFinite(found) ? found : null);
  }
  const last = times.at(-1);
  if (last !== undefined && last + interval < order.to * 1000) {
    times.push(last + interval);
    values.push(null);
  }
  time.values = times;
  value.values = values;
  frame.length = times.length;
}

/** Names two series of a graph share, so that nobody can tell them apart. */
export function duplicatesIn(frames: readonly DataFrame[]): readonly string[] {
  const names = frames.flatMap((frame) =>
    frame.fields
      .filter(({ type }) => type === FieldType.number)
      .map((field) => getFieldDisplayName(field, frame, [...frames])),
  );
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}
