import { nameOf, panelsOf, type DashboardModel, type PanelModel } from './model.ts';
import type { Rule } from './rule.ts';

const GRID_WIDTH = 24;

/** Ids are unique, and panels lie side by side. */
export const LAYOUT_RULES: readonly Rule[] = [
  {
    name: 'panel-ids-unique',
    faults: (dashboard) => {
      const rows = (dashboard.panels ?? []).filter(({ type }) => type === 'row');
      const all = [...rows, ...panelsOf(dashboard)];
      return [
        ...all.filter(({ id }) => id === undefined || id < 1).map((one) => `${nameOf(one)} no id`),
        ...duplicates(all.map(({ id }) => id)).map((id) => `panel id ${String(id)} is used twice`),
      ];
    },
  },
  {
    name: 'titles-unique-within-a-row',
    faults: (dashboard) =>
      rowsOf(dashboard).flatMap((panels) =>
        duplicates(panels.map(({ title }) => title)).map(
          (title) => `two panels of a row are titled "${String(title)}"`,
        ),
      ),
  },
  {
    name: 'ref-ids-unique',
    faults: (dashboard) =>
      panelsOf(dashboard).flatMap((panel) => {
        const ids = (panel.targets ?? []).map(({ refId }) => refId);
        return [
          ...(ids.includes(undefined) ? [`${nameOf(panel)} has a query without refId`] : []),
          ...duplicates(ids).map((id) => `${nameOf(panel)} has two queries ${String(id)}`),
        ];
      }),
  },
  {
    name: 'panels-do-not-overlap',
    faults: (dashboard) => {
      const shown = dashboard.panels ?? [];
      return [shown, ...shown.map(({ panels }): readonly PanelModel[] => panels ?? [])].flatMap(
        overlaps,
      );
    },
  },
];

/** Panels between one row heading and the next, folded or not. */
function rowsOf({ panels = [] }: DashboardModel): readonly (readonly PanelModel[])[] {
  const rows: PanelModel[][] = [[]];
  for (const panel of panels) {
    if (panel.type === 'row') rows.push([...(panel.panels ?? [])]);
    else rows.at(-1)?.push(panel);
  }
  return rows;
}

function overlaps(panels: readonly PanelModel[]): readonly string[] {
  const taken = new Map<string, PanelModel>();
  const faults = new Set<string>();
  for (const panel of panels) {
    const { gridPos } = panel;
    if (gridPos === undefined) {
      faults.add(`${nameOf(panel)} has no place`);
      continue;
    }
    if (gridPos.x < 0 || gridPos.w < 1 || gridPos.h < 1 || gridPos.x + gridPos.w > GRID_WIDTH) {
      faults.add(`${nameOf(panel)} leaves the grid`);
    }
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        const other = taken.get(`${x},${y}`);
        if (other !== undefined) faults.add(`${nameOf(panel)} lies on ${nameOf(other)}`);
        taken.set(`${x},${y}`, panel);
      }
    }
  }
  return [...faults];
}

function duplicates<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}
