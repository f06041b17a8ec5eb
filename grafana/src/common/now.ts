import { RUNBOOK_BASE_URL } from '../../../rules/src/annotations.ts';
import type { Row } from './dashboard.ts';
import { fromSeries } from './links.ts';
import { of } from './promql.ts';
import { hostRisk, type RiskResource } from './risk-query.ts';
import { risk } from './stat.ts';
import { table, type KeyColumn } from './table.ts';
import type { Tile } from './tile.ts';

/** The alert of a row, with a link to what to do about it. */
const ALERT_KEY: KeyColumn = {
  label: 'alertname',
  title: 'Alert',
  links: [
    { title: 'What to do', url: `${RUNBOOK_BASE_URL}/\${__data.fields.Alert:percentencode}.md` },
  ],
};

/** What alerts are about, in one column whatever it is; guests are counted, since they may be many. */
const ABOUT = ['mountpoint', 'pool', 'device'];

/**
 * What fires: the list of what to do.
 *
 * @param host column of the host, on dashboards that show several in one table.
 */
export function firingAlerts(
  size: { readonly width: number; readonly height: number },
  host?: KeyColumn,
): Tile {
  const firing = of('ALERTS', 'alertname=~"Kvm.*", alertname!="KvmWatchdog", alertstate="firing"');
  const labels = ['cluster', 'job', 'instance', 'alertname', 'severity', ...ABOUT].join(', ');
  const about = ABOUT.map((label) => `"${label}"`).join(', ');
  return table({
    title: 'What to do: alerts that fire',
    description:
      'What fires now: about how many guests, or about which filesystem, pool or device. Click an ' +
      'alert for its runbook. Good: no rows.',
    keys: [
      ALERT_KEY,
      ...(host === undefined ? [] : [{ ...host, width: 120 }]),
      { label: 'about', title: 'About', width: 170 },
      { label: 'severity', title: 'Severity', width: 100 },
    ],
    hidden: [...ABOUT],
    values: [
      {
        title: 'Firing',
        expr: `label_join(count by (${labels}) (${firing}), "about", "", ${about})`,
        unit: 'short',
      },
    ],
    sortBy: 'Severity',
    ascending: true,
    ...size,
  });
}

/** The first screen of a dashboard about one resource: how bad it is, and what to do. */
export function now(resource: RiskResource, tiles: readonly Tile[]): Row {
  return {
    title: 'Now',
    tiles: [
      risk({
        title: 'Risk',
        description: 'How close the host is to not keeping its promise. Good: low.',
        query: { expr: hostRisk(resource), legend: '{{instance}}' },
        link: fromSeries('kvm-host', ['instance']),
        width: 6,
        height: 4,
      }),
      ...tiles,
      firingAlerts({ width: 24, height: 6 }),
    ],
  };
}
