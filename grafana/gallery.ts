/* eslint-disable @typescript-eslint/no-deprecated -- Grafana 10 to 13 all load the classic schema; the new one needs 12. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';

/** The oldest Grafana whose schema has everything that is used. */
const OLDEST_GRAFANA = '10.4.0';
const INPUT = 'DS_PROMETHEUS';
const CHOSEN_INPUT = { text: '${DS_PROMETHEUS}', value: '${DS_PROMETHEUS}' };

const PANEL_NAMES: Readonly<Record<string, string>> = {
  timeseries: 'Time series',
  stat: 'Stat',
  table: 'Table',
  'state-timeline': 'State timeline',
};

/**
 * The same dashboard in the form Grafana's gallery takes and gives to whoever imports it: it asks for
 * the data source, and says what it needs.
 */
export function forGallery(dashboard: Dashboard): Readonly<Record<string, unknown>> {
  const types = new Set(
    (dashboard.panels ?? [])
      .flatMap((panel) => ('panels' in panel ? [...panel.panels] : [panel]))
      .map(({ type }) => type),
  );
  return {
    __inputs: [
      {
        name: INPUT,
        label: 'Prometheus',
        description: 'The Prometheus that scrapes the exporters and evaluates the rules',
        type: 'datasource',
        pluginId: 'prometheus',
        pluginName: 'Prometheus',
      },
    ],
    __requires: [
      { type: 'grafana', id: 'grafana', name: 'Grafana', version: OLDEST_GRAFANA },
      { type: 'datasource', id: 'prometheus', name: 'Prometheus', version: '1.0.0' },
      ...[...types]
        .filter((type) => type !== 'row')
        .sort()
        .map((type) => ({ type: 'panel', id: type, name: PANEL_NAMES[type] ?? type, version: '' })),
    ],
    ...dashboard,
    id: null,
    templating: {
      ...dashboard.templating,
      list: (dashboard.templating.list ?? []).map((variable) =>
        variable.name === 'datasource' ? { ...variable, current: CHOSEN_INPUT } : variable,
      ),
    },
  };
}
