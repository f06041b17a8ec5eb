import { LOCAL_GUEST_KEY } from '../common/columns.ts';
import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { fromSeries } from '../common/links.ts';
import { BY_GUEST, endOf, highest, of, rate, THIS_GUEST } from '../common/promql.ts';
import { worseAbove } from '../common/risk.ts';
import { table } from '../common/table.ts';

/** Only guests of the host this guest is on, even when several hosts are selected. */
const HERE = `and on (cluster, job, instance) ${of('kvm_domain_state', THIS_GUEST)}`;
const LINK = fromSeries('kvm-guest', ['instance', 'domain']);

export const NEIGHBOURS: Row = {
  title: 'Neighbours on the same host',
  tiles: [
    table({
      title: 'Guests of the same host',
      description:
        'Who takes and who waits beside this guest. Good: nobody waits; if this guest does, a ' +
        'neighbour with a large share can be capped or moved.',
      keys: [LOCAL_GUEST_KEY],
      values: [
        {
          title: 'Host share',
          expr: `max ${BY_GUEST} (${of('instance_domain:kvm_domain_cpu_share:ratio')} ${HERE})`,
          unit: 'percentunit',
          cell: 'bar',
        },
        {
          title: 'Waits for a CPU',
          expr: `max ${BY_GUEST} (${of('instance_domain:kvm_domain_vcpu_delay:ratio')} ${HERE})`,
          unit: 'percentunit',
          thresholds: worseAbove(0.05, 0.1),
        },
        {
          title: 'Resident',
          expr: `sum ${BY_GUEST} (${of('kvm_domain_resident_bytes')} ${HERE})`,
          unit: 'bytes',
        },
        {
          title: 'Claimable',
          expr: `sum ${BY_GUEST} (${of('kvm_domain_memory_claimable_bytes')} ${HERE})`,
          unit: 'bytes',
        },
        {
          title: 'Disk writes',
          expr: `sum ${BY_GUEST} (${rate('kvm_domain_disk_written_bytes_total')} ${HERE})`,
          unit: 'Bps',
        },
        {
          title: 'Network traffic',
          expr: `sum ${BY_GUEST} (${of('instance_domain:kvm_domain_nic_bytes:rate5m')} ${HERE})`,
          unit: 'Bps',
        },
      ],
      sortBy: 'Host share',
      width: 24,
      height: 10,
    }),
    graph({
      title: 'CPU: the five largest neighbours',
      description:
        'CPUs used by the largest guests of the host, this one among them if it is. Good: ' +
        'this guest gets what it is entitled to, whoever is on top.',
      unit: 'short',
      queries: [
        {
          expr: highest(`${of('instance_domain:kvm_domain_cpu_seconds:rate5m')} ${HERE}`),
          legend: '{{domain}}',
        },
      ],
      link: LINK,
      width: 8,
    }),
    graph({
      title: 'Network: the five largest neighbours',
      description:
        'Traffic of the largest guests of the host. Good: together well below the bandwidth ' +
        'of the uplink.',
      unit: 'Bps',
      queries: [
        {
          expr: highest(`${of('instance_domain:kvm_domain_nic_bytes:rate5m')} ${HERE}`),
          legend: '{{domain}}',
        },
      ],
      link: LINK,
      width: 8,
    }),
    graph({
      title: 'Its filesystems: the five who may grow most',
      description:
        'Space images of guests may still take on the filesystems this guest has images on. ' +
        'They compete with it for what is left. Good: together less than what is free there.',
      unit: 'bytes',
      queries: [
        {
          expr: endOf(
            highest(
              `${of('kvm_domain_storage_claimable_bytes')} and on (cluster, job, instance, mountpoint) ${of('kvm_domain_storage_promised_bytes', THIS_GUEST)}`,
              'cluster, job, instance, mountpoint',
            ),
            'mountpoint',
            'place',
          ),
          legend: '{{domain}} {{place}}',
        },
      ],
      link: LINK,
      width: 8,
    }),
  ],
};
