import type { DrawnDashboard, DrawnPanel, DrawnRow } from './protocol.ts';

/** Height of a unit of Grafana's grid and the gap between panels, in pixels. */
const CELL = 30;
const GAP = 8;
const COLUMNS = 24;
/** Left and right of everything. */
export const MARGIN = 16;

export interface Placed {
  readonly panel: DrawnPanel;
  readonly isFolded: boolean;
  /** In pixels from the top left. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Where everything goes; whatever lies below a row that is unfolded moves down. */
export function layOut(
  dashboard: DrawnDashboard,
  width: number,
  unfolded: boolean,
): { readonly placed: readonly Placed[]; readonly height: number } {
  const column = (width - 2 * MARGIN + GAP) / COLUMNS;
  const placed: Placed[] = [];
  let pushed = 0;
  let bottom = 0;
  const place = (panel: DrawnPanel, isFolded: boolean): void => {
    const { x, y, w, h } = panel.gridPos;
    bottom = Math.max(bottom, y + h + pushed);
    placed.push({
      ...{ panel, isFolded },
      left: x * column,
      top: (y + pushed) * (CELL + GAP),
      width: w * column - GAP,
      height: h * (CELL + GAP) - GAP,
    });
  };
  for (const row of dashboard.panels) {
    const inside = row.panels ?? [];
    place(row, inside.length > 0 && !unfolded);
    if (!unfolded || inside.length === 0) continue;
    for (const panel of inside) place(panel, false);
    pushed += heightOf(row, inside);
  }
  return { placed, height: bottom * (CELL + GAP) };
}

function heightOf(row: DrawnRow, inside: readonly DrawnPanel[]): number {
  const top = row.gridPos.y + 1;
  return Math.max(...inside.map(({ gridPos }) => gridPos.y + gridPos.h)) - top;
}
