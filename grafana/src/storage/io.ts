import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { fromSeries } from '../common/links.ts';
import { ioPressure } from '../common/pressure.ts';
import { highest, rate } from '../common/promql.ts';

const LINK = fromSeries('kvm-guest', ['instance', 'domain']);

export const IO: Row = {
  title: 'Who waits for storage',
  tiles: [
    ioPressure(8),
    graph({
      title: 'Slowest disks',
      description:
        'Mean time of a write, the five slowest disks. Good: what the storage does on a quiet ' +
        'day. If all are slow at once it is the storage, if one is, it is its limits.',
      unit: 's',
      queries: [
        {
          expr: highest(
            `${rate('kvm_domain_disk_write_seconds_total')} / (${rate('kvm_domain_disk_write_requests_total')} > 0)`,
          ),
          legend: '{{domain}} {{device}}',
        },
      ],
      link: LINK,
      width: 8,
    }),
    graph({
      title: 'Guests with most requests',
      description:
        'Requests of the five busiest guests. Good: known peaks only; one that stays on top ' +
        'while pressure is high is a noisy neighbour.',
      unit: 'cps',
      queries: [
        {
          expr: highest(
            `sum by (cluster, job, instance, domain) (${rate('kvm_domain_disk_read_requests_total')} + ${rate('kvm_domain_disk_write_requests_total')})`,
          ),
          legend: '{{domain}}',
        },
      ],
      link: LINK,
      width: 8,
    }),
  ],
};

export const IO_DETAILS: Row = {
  title: 'I/O in detail',
  folded: true,
  tiles: [
    graph({
      title: 'Requests of guests',
      description: 'Requests the disks of all guests completed. Good: known peaks only.',
      unit: 'cps',
      queries: [
        {
          expr: `sum by (cluster, job, instance) (${rate('kvm_domain_disk_read_requests_total')})`,
          legend: 'read',
        },
        {
          expr: `sum by (cluster, job, instance) (${rate('kvm_domain_disk_write_requests_total')})`,
          legend: 'write',
        },
        {
          expr: `sum by (cluster, job, instance) (${rate('kvm_domain_disk_flush_requests_total')})`,
          legend: 'flush',
        },
      ],
      width: 8,
    }),
    graph({
      title: 'Guests that wait for I/O',
      description:
        'Share of time in which some task of the guest waited for I/O, the five worst (PSI of ' +
        'their cgroups). Good: near 0.',
      unit: 'percentunit',
      queries: [
        {
          expr: highest(rate('kvm_domain_pressure_waiting_seconds_total', 'resource="io"')),
          legend: '{{domain}}',
        },
      ],
      link: LINK,
    }),
  ],
};
