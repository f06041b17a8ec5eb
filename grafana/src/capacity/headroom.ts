import { HOST_KEY } from '../common/columns.ts';
import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { fromSeries } from '../common/links.ts';
import { BY_HOST, of } from '../common/promql.ts';
import { worseBelow } from '../common/risk.ts';
import { table, type ValueColumn } from '../common/table.ts';
import { RESOURCES, type Resource } from './resources.ts';

const DAY = 24 * 3600;
/** Whoever runs out in more than a year does not run out. */
const YEAR = 365 * DAY;

function left({ name, unit, headroom }: Resource): ValueColumn {
  return { title: name, expr: headroom('warning'), unit, thresholds: worseBelow(1, 0) };
}

/** Seconds until the first of a host's filesystems or uplinks is at its warning, at the pace of a week. */
function secondsLeft({ recorded }: Resource): string {
  const headroom = of(recorded, 'severity="warning"');
  return `min ${BY_HOST} (clamp_min(${headroom}, 0) / -(deriv(${headroom}[7d]) < 0) < ${YEAR})`;
}

function date(resource: Resource): ValueColumn {
  return {
    title: resource.name,
    // Grafana takes milliseconds.
    expr: `(time() + (${secondsLeft(resource)})) * 1000`,
    unit: 'dateTimeAsIso',
    width: 190,
  };
}

export const HEADROOM: Row = {
  title: 'Headroom: what may still be promised',
  tiles: [
    table({
      title: 'What is left until a warning',
      description:
        'What each host may still promise until the first warning of its policy: storage on its ' +
        'emptiest filesystem, network on its fullest uplink. Good: above 0 everywhere.',
      keys: [HOST_KEY],
      values: RESOURCES.map(left),
      sortBy: 'Memory',
      ascending: true,
      width: 12,
      height: 7,
    }),
    table({
      title: 'What is left until it is critical',
      description:
        'The same until the critical limit; empty where the policy sets none. Good: far above 0.',
      keys: [HOST_KEY],
      values: RESOURCES.map((resource) => ({
        ...left(resource),
        expr: resource.headroom('critical'),
      })),
      sortBy: 'Memory',
      ascending: true,
      width: 12,
      height: 7,
    }),
    table({
      title: 'When it will be used up',
      description:
        'The day on which a host is at its first warning if it goes on as in the last week. Good: ' +
        'empty: nothing grows, or it lasts for more than a year.',
      keys: [HOST_KEY],
      values: RESOURCES.map(date),
      sortBy: 'Host',
      ascending: true,
      height: 6,
    }),
  ],
};

const LINK = fromSeries('kvm-host', ['instance']);

export const TREND: Row = {
  title: 'How headroom changes',
  tiles: RESOURCES.map((resource) =>
    graph({
      title: `${resource.name}: left until a warning`,
      description: 'Below 0 the limit is behind. Good: above 0, and not falling.',
      unit: resource.unit,
      queries: [{ expr: resource.headroom('warning'), legend: '{{instance}}' }],
      signed: true,
      link: LINK,
      width: 12,
    }),
  ),
};
