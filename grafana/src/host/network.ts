import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { fromSeries } from '../common/links.ts';
import { of, rate } from '../common/promql.ts';

const SPEED = of('kvm_uplink_speed_bytes_per_second');
const LINK = fromSeries('kvm-network', ['instance', 'device']);

export const NETWORK: Row = {
  title: 'Network',
  tiles: [
    graph({
      title: 'Bandwidth promised per uplink',
      description:
        'Bandwidth guests may use per bandwidth of the uplink, by direction; a guest without a ' +
        'cap counts as the whole uplink. Good: below the limit of the policy.',
      unit: 'none',
      queries: [
        {
          expr: of('instance_device_direction:kvm_uplink_promised_per_speed:ratio'),
          legend: '{{device}} {{direction}}',
        },
      ],
      limit: 'network.promised_ratio',
      link: LINK,
      width: 8,
    }),
    graph({
      title: 'Uplink utilisation',
      description:
        'Traffic per bandwidth by direction; links are full duplex, so the directions do not add ' +
        'up. Good: below the limits.',
      unit: 'percentunit',
      queries: [
        {
          expr: `${rate('kvm_uplink_receive_bytes_total')} / ${SPEED}`,
          legend: 'in {{device}}',
        },
        {
          expr: `${rate('kvm_uplink_transmit_bytes_total')} / ${SPEED}`,
          legend: 'out {{device}}',
        },
      ],
      limit: 'network.utilisation_ratio',
      link: LINK,
      width: 8,
    }),
    graph({
      title: 'Packets lost',
      description:
        'Packets dropped per packets: at the uplinks, and at the interface of a guest that loses ' +
        'most. Good: below 1 %.',
      unit: 'percentunit',
      queries: [
        { expr: of('instance_device:kvm_uplink_drops:ratio'), legend: '{{device}}' },
        { expr: of('instance:kvm_domain_nic_drops:max'), legend: 'worst guest' },
      ],
      limit: 'network.drop_ratio',
      width: 8,
    }),
  ],
};
