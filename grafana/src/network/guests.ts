import { LOCAL_GUEST_KEY } from '../common/columns.ts';
import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { fromSeries } from '../common/links.ts';
import { BY_GUEST, highest, of, rate } from '../common/promql.ts';
import { worseAbove } from '../common/risk.ts';
import { table } from '../common/table.ts';

const LINK = fromSeries('kvm-guest', ['instance', 'domain']);
const ON_UPLINKS = 'uplink=~"$device"';
export const GUESTS: Row = {
  title: 'Who takes it, who loses packets',
  tiles: [
    graph({
      title: 'Guests with most traffic by uplink',
      description:
        'The five busiest guests of each uplink. Good: together well below the bandwidth.',
      unit: 'Bps',
      queries: [
        {
          expr: highest(
            of('instance_domain_uplink:kvm_domain_nic_bytes:rate5m', ON_UPLINKS),
            'cluster, job, instance, uplink',
          ),
          legend: '{{domain}} {{uplink}}',
        },
      ],
      link: LINK,
      width: 8,
    }),
    graph({
      title: 'Largest shares of an uplink',
      description:
        'Part of single guests in the traffic of their uplink, the five largest. Good: below ' +
        'one half on a full uplink; above, somebody to cap.',
      unit: 'percentunit',
      queries: [
        {
          expr: highest(
            of('instance_domain_uplink:kvm_domain_nic_share:ratio', ON_UPLINKS),
            'cluster, job, instance, uplink',
          ),
          legend: '{{domain}} {{uplink}}',
        },
      ],
      limit: 'network.unfair_share_ratio',
      link: LINK,
      width: 8,
    }),
    graph({
      title: 'Guests that lose most packets',
      description:
        'Packets dropped per packets of running guests, the five worst interfaces. Good: below 1 %.',
      unit: 'percentunit',
      queries: [
        {
          expr: highest(of('instance_domain_device:kvm_domain_nic_drops:ratio')),
          legend: '{{domain}} {{device}}',
        },
      ],
      limit: 'network.drop_ratio',
      link: LINK,
      width: 8,
    }),
  ],
};

export const GUEST_DETAILS: Row = {
  title: 'Guests in detail',
  folded: true,
  tiles: [
    table({
      title: 'Guests by traffic',
      description:
        'Traffic of each guest, the size of its packets and what it loses. Large packets win ' +
        'on a shared link; small ones cost more CPU for the same bytes. Good: nothing lost.',
      keys: [LOCAL_GUEST_KEY],
      values: [
        {
          title: 'In',
          expr: `sum ${BY_GUEST} (${rate('kvm_domain_nic_receive_bytes_total')})`,
          unit: 'Bps',
        },
        {
          title: 'Out',
          expr: `sum ${BY_GUEST} (${rate('kvm_domain_nic_transmit_bytes_total')})`,
          unit: 'Bps',
        },
        {
          title: 'Packets',
          expr: `sum ${BY_GUEST} (${rate('kvm_domain_nic_receive_packets_total')} + ${rate('kvm_domain_nic_transmit_packets_total')})`,
          unit: 'pps',
        },
        {
          title: 'Packet size',
          expr: `max ${BY_GUEST} (${of('instance_domain:kvm_domain_nic_bytes_per_packet:rate5m')})`,
          unit: 'bytes',
        },
        {
          title: 'Dropped',
          expr: `max ${BY_GUEST} (${of('instance_domain_device:kvm_domain_nic_drops:ratio')})`,
          unit: 'percentunit',
          thresholds: worseAbove(0.01),
        },
      ],
      sortBy: 'Out',
      width: 24,
      height: 8,
    }),
    table({
      title: 'Limits of interfaces',
      description:
        'Bandwidth limits and guarantees (floor) set on interfaces of guests. Good: a limit ' +
        'for every guest that cannot be trusted with the whole uplink. No rows: nobody is ' +
        'limited.',
      keys: [
        LOCAL_GUEST_KEY,
        { label: 'device', title: 'Interface' },
        { label: 'direction', title: 'Direction' },
        { label: 'kind', title: 'Kind', width: 80 },
      ],
      values: [
        {
          title: 'Limit',
          expr: `max by (cluster, job, instance, domain, device, direction, kind) (${of('kvm_domain_nic_limit_bytes_per_second')})`,
          unit: 'Bps',
        },
      ],
      sortBy: 'Limit',
      width: 24,
      height: 5,
    }),
  ],
};
