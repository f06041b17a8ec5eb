/* eslint-disable @typescript-eslint/no-deprecated -- Grafana 10 to 13 all load the classic schema; the new one needs 12. */
import {
  DashboardBuilder,
  DashboardCursorSync,
  RowBuilder,
  type Dashboard,
  type Panel,
  type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { ALERT_ANNOTATIONS } from './annotations.ts';
import { DASHBOARDS_DROPDOWN, TAG, type Uid } from './links.ts';
import type { Tile } from './tile.ts';
import { hostVariables } from './variables.ts';

export interface Row {
  readonly title: string;
  readonly tiles: readonly Tile[];
  /** Without the host behind it, on dashboards that show hosts one after another. */
  readonly ofAllHosts?: boolean;
  /** Folded rows cost no queries until somebody opens them. */
  readonly folded?: boolean;
}

export interface DashboardSpec {
  readonly uid: Uid;
  /** Without the prefix all of them have. */
  readonly title: string;
  readonly description: string;
  /** Beside data source, job and instance. */
  readonly variables?: readonly VariableModel[];
  readonly rows: readonly Row[];
  /** Shows each row once for every chosen host, so that series need no host in their names. */
  readonly hostByHost?: boolean;
}

/** A dashboard in the classic schema, complete: nothing is left to the Grafana that loads it. */
export function dashboard(spec: DashboardSpec): Dashboard {
  const builder = new DashboardBuilder(`KVM / ${spec.title}`)
    .uid(spec.uid)
    .description(spec.description)
    .tags([TAG])
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .refresh('1m')
    .time({ from: 'now-3h', to: 'now' })
    .annotations(ALERT_ANNOTATIONS.map((annotation) => ({ build: () => annotation })))
    .link({ build: () => DASHBOARDS_DROPDOWN });
  for (const variable of [...hostVariables(), ...(spec.variables ?? [])]) {
    builder.withVariable({ build: () => variable });
  }
  let id = 0;
  let y = 0;
  for (const { title, tiles, folded, ofAllHosts } of spec.rows) {
    id += 1;
    const isRepeated = spec.hostByHost === true && ofAllHosts !== true;
    const row = new RowBuilder(isRepeated ? `${title} · $instance` : title)
      .id(id)
      .collapsed(folded === true)
      .gridPos({ x: 0, y, w: WIDTH, h: 1 });
    if (isRepeated) row.repeat('instance');
    const placed = place(tiles, y + 1, id);
    if (folded === true) for (const panel of placed.panels) row.withPanel({ build: () => panel });
    builder.withRow(row);
    if (folded !== true) {
      for (const panel of placed.panels) builder.withPanel({ build: () => panel });
    }
    id += placed.panels.length;
    y = folded === true ? y + 1 : placed.bottom;
  }
  return builder.build();
}

const WIDTH = 24;

/** Options the SDK writes by itself and that only some of Grafana 10 to 13 know. */
export const NOT_IN_ALL: ReadonlySet<string> = new Set([
  'percentChangeColorMode',
  'perPage',
  'footer',
]);

function shared(options: unknown): unknown {
  if (typeof options !== 'object' || options === null) return options;
  return Object.fromEntries(Object.entries(options).filter(([name]) => !NOT_IN_ALL.has(name)));
}

/** Left to right, a new line when there is no room; numbered in that order after `lastId`. */
function place(
  tiles: readonly Tile[],
  top: number,
  lastId: number,
): { readonly panels: readonly Panel[]; readonly bottom: number } {
  let x = 0;
  let y = top;
  let lineHeight = 0;
  const panels = tiles.map(({ panel, width, height }, index) => {
    if (x + width > WIDTH) {
      x = 0;
      y += lineHeight;
      lineHeight = 0;
    }
    const gridPos = { x, y, w: width, h: height };
    x += width;
    lineHeight = Math.max(lineHeight, height);
    return { ...panel, options: shared(panel.options), id: lastId + 1 + index, gridPos };
  });
  return { panels, bottom: y + lineHeight };
}
