import { nameOf, panelsOf, type DashboardModel, type PanelModel } from './model.ts';
import type { Rule } from './rule.ts';
import { TEMPLATED_DATASOURCES } from './template-rules.ts';
import { UNITS } from './units.ts';

/**
 * dashboard-linter's rules about panels, and that descriptions judge. They hold for every panel here, where the original looks
 * at some types only, and there is no way round the unit.
 */
export const PANEL_RULES: readonly Rule[] = [
  each('panel-datasource-rule', (panel) =>
    TEMPLATED_DATASOURCES.includes(panel.datasource?.uid)
      ? []
      : ['does not use the data source variable'],
  ),
  each('panel-title-description-rule', ({ title = '', description = '' }) => [
    ...(title.trim() === '' ? ['has no title'] : []),
    ...(description.trim() === '' ? ['has no description'] : []),
  ]),
  each('descriptions-say-what-good-looks-like', ({ description = '' }) =>
    /\bGood: \S/.test(description) ? [] : ['does not say what good looks like'],
  ),
  each('panel-units-rule', (panel) =>
    unitsOf(panel)
      .filter((unit) => !UNITS.has(unit))
      .map((unit) => `has no known unit: "${unit}"`),
  ),
  each('panel-no-targets-rule', ({ targets = [] }) =>
    targets.length === 0 ? ['has no queries'] : [],
  ),
  {
    name: 'uneditable-dashboard',
    faults: ({ editable }: DashboardModel) =>
      editable === false ? [] : ['the dashboard can be edited: changes would be lost'],
  },
];

function each(name: string, faultsOf: (panel: PanelModel) => readonly string[]): Rule {
  return {
    name,
    faults: (dashboard) =>
      panelsOf(dashboard).flatMap((panel) =>
        faultsOf(panel).map((fault) => `${nameOf(panel)} ${fault}`),
      ),
  };
}

/** The default unit, then those of overrides. */
function unitsOf({ fieldConfig }: PanelModel): readonly string[] {
  const overrides = (fieldConfig?.overrides ?? []).flatMap(({ properties }) =>
    properties.filter(({ id }) => id === 'unit').map(({ value }) => String(value)),
  );
  return [fieldConfig?.defaults.unit ?? '', ...overrides];
}
