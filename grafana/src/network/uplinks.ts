import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { of, rate } from '../common/promql.ts';
import { YES_IS_GOOD, worseAbove } from '../common/risk.ts';
import { stat } from '../common/stat.ts';
import { table } from '../common/table.ts';

/** The uplinks chosen in the Network dashboard. */
const CHOSEN_UPLINKS = 'device=~"$device"';
const LEGEND = '{{device}}';

function ofUplink(metric: string, matchers = ''): string {
  const all = matchers === '' ? CHOSEN_UPLINKS : `${CHOSEN_UPLINKS}, ${matchers}`;
  return `max by (cluster, job, instance, device) (${of(metric, all)})`;
}

export const UPLINKS: Row = {
  title: 'Uplinks',
  tiles: [
    table({
      title: 'Uplinks and what they promise',
      description:
        'Guests on each uplink, what they may use and what they were guaranteed per bandwidth. ' +
        'Good: promise below 20, guarantees below 100 %, utilisation below 80 %.',
      keys: [{ label: 'device', title: 'Uplink' }],
      values: [
        {
          title: 'Up',
          expr: ofUplink('kvm_uplink_up'),
          unit: 'short',
          texts: { '0': 'no', '1': 'yes' },
          thresholds: YES_IS_GOOD,
        },
        {
          title: 'Bandwidth',
          expr: ofUplink('kvm_uplink_speed_bytes_per_second'),
          unit: 'Bps',
        },
        { title: 'Guests', expr: ofUplink('kvm_uplink_domains'), unit: 'short' },
        {
          title: 'Capped in',
          expr: ofUplink('kvm_uplink_capped_nics', 'direction="inbound"'),
          unit: 'short',
        },
        {
          title: 'Capped out',
          expr: ofUplink('kvm_uplink_capped_nics', 'direction="outbound"'),
          unit: 'short',
        },
        {
          title: 'Promised',
          expr: ofUplink('instance_device_direction:kvm_uplink_promised_per_speed:ratio'),
          unit: 'none',
          thresholds: worseAbove(20),
        },
        {
          title: 'Guaranteed',
          expr: ofUplink('instance_device:kvm_uplink_guaranteed_per_speed:ratio'),
          unit: 'percentunit',
          thresholds: worseAbove(1),
        },
        {
          title: 'Utilisation',
          expr: ofUplink('instance_device:kvm_uplink_utilisation:ratio'),
          unit: 'percentunit',
          cell: 'bar',
          thresholds: worseAbove(0.8, 0.95),
        },
        {
          title: 'Errors',
          expr: ofUplink('instance_device:kvm_uplink_errors:ratio'),
          unit: 'percentunit',
          thresholds: worseAbove(0.01),
        },
      ],
      sortBy: 'Utilisation',
      height: 5,
    }),
    graph({
      title: 'Promised and guaranteed per bandwidth',
      description:
        'What guests may use (without a cap: all of it) and what they were guaranteed. Good: ' +
        'guaranteed below 1, which can be kept, and promised below the limit.',
      unit: 'none',
      queries: [
        {
          expr: of('instance_device_direction:kvm_uplink_promised_per_speed:ratio', CHOSEN_UPLINKS),
          legend: `promised {{direction}} ${LEGEND}`,
        },
        {
          expr: of('instance_device:kvm_uplink_guaranteed_per_speed:ratio', CHOSEN_UPLINKS),
          legend: `guaranteed ${LEGEND}`,
        },
      ],
      limit: 'network.promised_ratio',
      width: 8,
    }),
    graph({
      title: 'Utilisation',
      description:
        'Traffic of the busier direction per bandwidth. Good: below 80 %; beyond, queues grow and ' +
        'the largest sender wins.',
      unit: 'percentunit',
      queries: [
        {
          expr: of('instance_device:kvm_uplink_utilisation:ratio', CHOSEN_UPLINKS),
          legend: LEGEND,
        },
      ],
      limit: 'network.utilisation_ratio',
      width: 8,
    }),
    graph({
      title: 'Packets lost at the uplink',
      description:
        'Packets dropped, broken or overrun. Good: 0; receive drops and overruns mean that the ' +
        'host does not keep up.',
      unit: 'pps',
      queries: [
        {
          expr: rate('kvm_uplink_receive_drops_total', CHOSEN_UPLINKS),
          legend: `dropped in ${LEGEND}`,
        },
        {
          expr: rate('kvm_uplink_transmit_drops_total', CHOSEN_UPLINKS),
          legend: `dropped out ${LEGEND}`,
        },
        {
          expr: `${rate('kvm_uplink_receive_errors_total', CHOSEN_UPLINKS)} + ${rate('kvm_uplink_transmit_errors_total', CHOSEN_UPLINKS)}`,
          legend: `errors ${LEGEND}`,
        },
        {
          expr: `${rate('kvm_uplink_receive_overruns_total', CHOSEN_UPLINKS)} + ${rate('kvm_uplink_transmit_overruns_total', CHOSEN_UPLINKS)}`,
          legend: `overruns ${LEGEND}`,
        },
      ],
      width: 8,
    }),
  ],
};

export const UPLINK_DETAILS: Row = {
  title: 'Uplinks in detail',
  folded: true,
  tiles: [
    stat({
      title: 'Interfaces without an uplink',
      description:
        'Interfaces of guests whose way out of the host was not found: isolated networks, or ' +
        'traffic that no uplink here accounts for. Good: as many as you know of.',
      unit: 'short',
      queries: [{ expr: of('kvm_network_nics_without_uplink'), legend: 'without' }],
      width: 8,
      height: 8,
    }),
    graph({
      title: 'Traffic',
      description:
        'Bytes in and out of each uplink beside its bandwidth, which holds each way. Good: ' +
        'each way below 80 % of it.',
      unit: 'Bps',
      queries: [
        {
          expr: rate('kvm_uplink_receive_bytes_total', CHOSEN_UPLINKS),
          legend: `in ${LEGEND}`,
        },
        {
          expr: rate('kvm_uplink_transmit_bytes_total', CHOSEN_UPLINKS),
          legend: `out ${LEGEND}`,
        },
        {
          expr: of('kvm_uplink_speed_bytes_per_second', CHOSEN_UPLINKS),
          legend: `bandwidth ${LEGEND}`,
        },
      ],
      width: 8,
    }),
    graph({
      title: 'Packets',
      description:
        'Packets in and out. Good: known peaks only; many small packets load CPUs rather than ' +
        'the link.',
      unit: 'pps',
      queries: [
        {
          expr: rate('kvm_uplink_receive_packets_total', CHOSEN_UPLINKS),
          legend: `in ${LEGEND}`,
        },
        {
          expr: rate('kvm_uplink_transmit_packets_total', CHOSEN_UPLINKS),
          legend: `out ${LEGEND}`,
        },
      ],
      width: 8,
    }),
    graph({
      title: 'Fairness among guests on an uplink',
      description:
        "Jain's index of the traffic of guests that have any: 1 is equal, 1/n means one of n " +
        'has all. Good: near 1 on a full link; unequal is fine on an empty one.',
      unit: 'none',
      queries: [
        {
          expr: of('instance_uplink:kvm_domain_nic_bytes:jain', 'uplink=~"$device"'),
          legend: '{{uplink}}',
        },
      ],
      width: 8,
    }),
  ],
};
