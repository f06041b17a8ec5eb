import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { of, rate, THIS_GUEST } from '../common/promql.ts';
import { table } from '../common/table.ts';

const LEGEND = '{{device}}';

export const NICS: Row = {
  title: 'Network',
  tiles: [
    graph({
      title: 'Share of its uplink',
      description:
        'Part of the guest in the traffic of guests on its uplink. Good: below the limit, or ' +
        'an uplink with room.',
      unit: 'percentunit',
      queries: [
        {
          expr: of('instance_domain_uplink:kvm_domain_nic_share:ratio', THIS_GUEST),
          legend: '{{uplink}}',
        },
      ],
      limit: 'network.unfair_share_ratio',
      width: 8,
    }),
    graph({
      title: 'Network traffic',
      description: 'Bytes in and out, beside the limits set on them. Good: room below the limits.',
      unit: 'Bps',
      queries: [
        { expr: rate('kvm_domain_nic_receive_bytes_total', THIS_GUEST), legend: `in ${LEGEND}` },
        { expr: rate('kvm_domain_nic_transmit_bytes_total', THIS_GUEST), legend: `out ${LEGEND}` },
        {
          expr: of('kvm_domain_nic_limit_bytes_per_second', THIS_GUEST),
          legend: `{{direction}} {{kind}} ${LEGEND}`,
        },
      ],
      width: 8,
    }),
    graph({
      title: 'Packets dropped',
      description:
        'Packets lost on the way in (the guest is too slow or paused) and out. Good: below 1 % ' +
        'of its packets.',
      unit: 'percentunit',
      queries: [
        {
          expr: of('instance_domain_device:kvm_domain_nic_drops:ratio', THIS_GUEST),
          legend: LEGEND,
        },
      ],
      limit: 'network.drop_ratio',
      width: 8,
    }),
  ],
};

export const NIC_DETAILS: Row = {
  title: 'Network in detail',
  folded: true,
  tiles: [
    graph({
      title: 'Bytes per packet',
      description:
        'Mean size of its packets. Whoever sends large packets gets more of a shared link for ' +
        'the same work. Good: steady.',
      unit: 'bytes',
      queries: [
        {
          expr: of('instance_domain:kvm_domain_nic_bytes_per_packet:rate5m', THIS_GUEST),
          legend: '{{instance}}',
        },
      ],
      width: 8,
    }),
    table({
      title: 'Its network interfaces',
      description:
        'What each is attached to and by which uplink its traffic leaves the host. Good: link ' +
        'up, and the uplink you expect.',
      keys: [
        { label: 'device', title: 'Interface' },
        { label: 'model', title: 'Model' },
        { label: 'type', title: 'Type' },
        { label: 'source', title: 'Attached to' },
        { label: 'mac', title: 'MAC' },
        { label: 'link', title: 'Link' },
        { label: 'bridge', title: 'Bridge' },
        { label: 'uplink', title: 'Uplink' },
      ],
      values: [],
      infos: [
        `max by (cluster, job, instance, device, model, type, source, mac, link) (${of('kvm_domain_nic_info', THIS_GUEST)})`,
        `max by (cluster, job, instance, device, bridge, uplink) (${of('kvm_domain_nic_uplink_info', THIS_GUEST)})`,
      ],
      sortBy: 'Interface',
      ascending: true,
      width: 24,
      height: 5,
    }),
  ],
};
