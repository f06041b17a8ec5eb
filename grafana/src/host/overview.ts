import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { of } from '../common/promql.ts';
import { NEUTRAL, RISK_MAPPINGS, RISK_THRESHOLDS, worseAbove } from '../common/risk.ts';
import { resourceRisk } from '../common/risk-query.ts';
import { risk, stat } from '../common/stat.ts';
import { timeline } from '../common/timeline.ts';

const WORST_STORAGE = `max by (job, instance) (${of('instance:kvm_storage_claimable_per_avail:max')})`;

export const OVERVIEW: Row = {
  title: 'Risk',
  tiles: [
    risk({
      title: 'Risk of each resource now',
      description:
        'How close the host is to not keeping its promise, by resource. Good: low. Unknown: ' +
        'libvirt or the exporter does not answer, or the host has nothing of that kind. What the ' +
        'levels mean is in the risk model of the rule pack.',
      query: { expr: resourceRisk(), legend: '{{resource}} {{instance}}' },
      width: 12,
      height: 4,
    }),
    stat({
      title: 'Running guests',
      description: 'Guests that run on this host now. Good: steady.',
      unit: 'short',
      queries: [{ expr: `sum(${of('kvm_domains', 'state="running"')})`, legend: 'running' }],
      thresholds: NEUTRAL,
    }),
    stat({
      title: 'Memory exposure',
      description:
        'What guests may still claim per available memory and free swap. Good: below 100 %.',
      unit: 'percentunit',
      queries: [
        { expr: of('instance:kvm_memory_exposure_per_supply:ratio'), legend: '{{instance}}' },
      ],
      thresholds: worseAbove(1, 1.5),
    }),
    stat({
      title: 'Storage exposure',
      description:
        'What images may still grow per free space, worst filesystem. Good: below 100 %.',
      unit: 'percentunit',
      queries: [{ expr: WORST_STORAGE, legend: '{{instance}}' }],
      thresholds: worseAbove(1),
    }),
    timeline({
      title: 'Risk over time',
      description: 'Risk level of each resource. Good: green throughout.',
      queries: [{ expr: resourceRisk(), legend: '{{resource}} {{instance}}' }],
      mappings: RISK_MAPPINGS,
      thresholds: RISK_THRESHOLDS,
    }),
    graph({
      title: 'Guests by state',
      description:
        'Guests known to libvirt. Good: steady; guests that turn to paused or crashed are ' +
        'guests that lost what they were promised.',
      unit: 'short',
      queries: [{ expr: `sum by (state) (${of('kvm_domains')}) > 0`, legend: '{{state}}' }],
      stacked: true,
      height: 6,
    }),
  ],
};
