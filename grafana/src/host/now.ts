import { LOCAL_GUEST_KEY } from '../common/columns.ts';
import type { Row } from '../common/dashboard.ts';
import { firingAlerts } from '../common/now.ts';
import { BY_GUEST, limit, of } from '../common/promql.ts';
import {
  NEUTRAL,
  NONE_IS_GOOD,
  RISK_MAPPINGS,
  RISK_THRESHOLDS,
  worseAbove,
} from '../common/risk.ts';
import { resourceRisk } from '../common/risk-query.ts';
import { risk, stat } from '../common/stat.ts';
import { table } from '../common/table.ts';
import { timeline } from '../common/timeline.ts';

const DELAY = 'instance_domain:kvm_domain_vcpu_delay:ratio';

/** At three in the morning: is anything lost, who is affected, what to do. */
export const NOW: Row = {
  title: 'Now: is anything lost, who is affected, what to do',
  tiles: [
    risk({
      title: 'Risk of each resource',
      description:
        'How close the host is to not keeping its promise, by resource. Good: low. Unknown: ' +
        'libvirt or the exporter does not answer, or the host has nothing of that kind. What the ' +
        'levels mean is in the risk model of the rule pack.',
      query: { expr: resourceRisk(), legend: '{{resource}}' },
      width: 12,
      height: 4,
    }),
    stat({
      title: 'Stopped',
      description:
        'Guests QEMU has paused because a disk is full or broken: they stand still until somebody ' +
        'makes room and resumes them. Good: 0.',
      unit: 'short',
      queries: [{ expr: of('instance:kvm_domains_paused_on_io_error:count'), legend: 'stopped' }],
      thresholds: NONE_IS_GOOD,
      width: 3,
    }),
    stat({
      title: 'OOM kills',
      description:
        'Processes the kernel killed for want of memory in ten minutes; the largest is a guest. ' +
        'Good: 0.',
      unit: 'short',
      queries: [{ expr: of('instance:kvm_host_oom_kills:increase10m'), legend: 'killed' }],
      thresholds: NONE_IS_GOOD,
      width: 3,
    }),
    stat({
      title: 'Waiting',
      description:
        'Guests whose worst vCPU waits for a CPU longer than the policy allows. Good: 0.',
      unit: 'short',
      queries: [
        {
          expr: `sum(${of(DELAY)} > bool on () group_left () (${limit('cpu.delay_ratio', 'warning')}))`,
          legend: 'waiting',
        },
      ],
      thresholds: worseAbove(1),
      width: 3,
    }),
    stat({
      title: 'Running',
      description: 'Guests that run on this host now. Good: steady.',
      unit: 'short',
      queries: [{ expr: `sum(${of('kvm_domains', 'state="running"')})`, legend: 'running' }],
      thresholds: NEUTRAL,
      width: 3,
    }),
    firingAlerts({ width: 12, height: 8 }),
    table({
      title: 'Who is affected: guests that wait',
      description:
        'Share of time each guest waited for a CPU (its worst vCPU), what of it is swapped out, and ' +
        'what its interfaces lose. Good: nobody above 5 %, nothing swapped out, nothing lost.',
      keys: [LOCAL_GUEST_KEY],
      values: [
        {
          title: 'Waits',
          expr: `max ${BY_GUEST} (${of(DELAY)})`,
          unit: 'percentunit',
          thresholds: worseAbove(0.05, 0.1),
        },
        {
          title: 'Swapped out',
          expr: `max ${BY_GUEST} (${of('instance_domain:kvm_domain_swapped:ratio')})`,
          unit: 'percentunit',
          thresholds: worseAbove(0.1),
        },
        {
          title: 'Drops',
          expr: `max ${BY_GUEST} (${of('instance_domain_device:kvm_domain_nic_drops:ratio')})`,
          unit: 'percentunit',
          thresholds: worseAbove(0.01),
        },
      ],
      sortBy: 'Waits',
      width: 12,
      height: 8,
    }),
    timeline({
      title: 'Risk over time',
      description: 'Risk level of each resource. Good: green throughout.',
      queries: [{ expr: resourceRisk(), legend: '{{resource}}' }],
      mappings: RISK_MAPPINGS,
      thresholds: RISK_THRESHOLDS,
      width: 24,
      height: 5,
    }),
  ],
};
