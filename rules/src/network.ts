import { names, top, value } from './annotations.ts';
import { beyond } from './limit.ts';
import { promql, prose, type Subject } from './rule.ts';

const NETWORK = { uid: 'kvm-network', variables: ['cluster', 'job', 'instance'] } as const;
const GUEST = { uid: 'kvm-guest', variables: ['cluster', 'job', 'instance', 'domain'] } as const;

const BUSIEST = top('instance_domain:kvm_domain_nic_bytes:rate5m{@}', 'bytes per second');

/** Guests' bandwidth against the uplink their traffic leaves by. */
export const network: Subject = {
  name: 'network',
  recording: [
    {
      record: 'instance_device_direction:kvm_uplink_promised_per_speed:ratio',
      expr: promql`
        kvm_uplink_promised_bytes_per_second
        / on (cluster, job, instance, device) group_left ()
        (kvm_uplink_speed_bytes_per_second > 0)
      `,
    },
    {
      record: 'instance_device:kvm_uplink_guaranteed_per_speed:ratio',
      expr: promql`
        kvm_uplink_guaranteed_bytes_per_second
        /
        (kvm_uplink_speed_bytes_per_second > 0)
      `,
    },
    {
      record: 'instance_device:kvm_uplink_bytes:max_rate5m',
      expr: promql`
        # Links are full duplex: the busier direction is what fills them, not the sum.
        rate(kvm_uplink_receive_bytes_total[5m]) >= rate(kvm_uplink_transmit_bytes_total[5m])
        or
        rate(kvm_uplink_transmit_bytes_total[5m])
      `,
    },
    {
      record: 'instance_device:kvm_uplink_utilisation:ratio',
      expr: promql`
        instance_device:kvm_uplink_bytes:max_rate5m
        /
        (kvm_uplink_speed_bytes_per_second > 0)
      `,
    },
    {
      record: 'instance_device:kvm_uplink_drops:ratio',
      expr: promql`
        (
            rate(kvm_uplink_receive_drops_total[5m])
          + rate(kvm_uplink_transmit_drops_total[5m])
        )
        /
        (
            rate(kvm_uplink_receive_packets_total[5m])
          + rate(kvm_uplink_transmit_packets_total[5m])
          + rate(kvm_uplink_transmit_drops_total[5m])
          > 0
        )
      `,
    },
    {
      record: 'instance_device:kvm_uplink_transmit_drops:ratio',
      expr: promql`
        # What comes in and is dropped may have been for nobody; what cannot go out is lost.
        rate(kvm_uplink_transmit_drops_total[5m])
        /
        (
            rate(kvm_uplink_transmit_packets_total[5m])
          + rate(kvm_uplink_transmit_drops_total[5m])
          > 0
        )
      `,
    },
    {
      record: 'instance_device:kvm_uplink_errors:ratio',
      expr: promql`
        (
            rate(kvm_uplink_receive_errors_total[5m])
          + rate(kvm_uplink_transmit_errors_total[5m])
        )
        /
        (
            rate(kvm_uplink_receive_packets_total[5m])
          + rate(kvm_uplink_transmit_packets_total[5m])
          > 0
        )
      `,
    },
    {
      record: 'instance_domain_device:kvm_domain_nic_bytes:rate5m',
      expr: promql`
          rate(kvm_domain_nic_receive_bytes_total[5m])
        + rate(kvm_domain_nic_transmit_bytes_total[5m])
      `,
    },
    {
      record: 'instance_domain_device:kvm_domain_nic_packets:rate5m',
      expr: promql`
          rate(kvm_domain_nic_receive_packets_total[5m])
        + rate(kvm_domain_nic_transmit_packets_total[5m])
      `,
    },
    {
      record: 'instance_domain_device:kvm_domain_nic_drops:rate5m',
      expr: promql`
          rate(kvm_domain_nic_receive_drops_total[5m])
        + rate(kvm_domain_nic_transmit_drops_total[5m])
      `,
    },
    {
      record: 'instance_domain:kvm_domain_nic_bytes:rate5m',
      expr: 'sum without (device) (instance_domain_device:kvm_domain_nic_bytes:rate5m)',
    },
    {
      record: 'instance_domain_uplink:kvm_domain_nic_bytes:rate5m',
      expr: promql`
        # The info is the many side: a NIC on a bridge with two uplinks counts on both.
        sum without (device, bridge) (
          kvm_domain_nic_uplink_info
          * on (cluster, job, instance, domain, device) group_left ()
          instance_domain_device:kvm_domain_nic_bytes:rate5m
        )
      `,
    },
    {
      record: 'instance_domain_uplink:kvm_domain_nic_share:ratio',
      expr: promql`
        instance_domain_uplink:kvm_domain_nic_bytes:rate5m
        / on (cluster, job, instance, uplink) group_left ()
        (sum without (domain) (instance_domain_uplink:kvm_domain_nic_bytes:rate5m) > 0)
      `,
    },
    {
      record: 'instance_uplink:kvm_domain_nic_bytes:jain',
      expr: promql`
        # Jain's fairness index of the traffic of guests that have any: 1 is equal, 1/n is one for all.
        sum without (domain) (instance_domain_uplink:kvm_domain_nic_bytes:rate5m) ^ 2
        /
        (
            count without (domain) (instance_domain_uplink:kvm_domain_nic_bytes:rate5m > 0)
          * sum without (domain) (instance_domain_uplink:kvm_domain_nic_bytes:rate5m ^ 2)
        )
      `,
    },
    {
      record: 'instance_domain_device:kvm_domain_nic_drops:ratio',
      expr: promql`
        # A guest that is paused does not empty its queue, and drops everything without being at fault.
        instance_domain_device:kvm_domain_nic_drops:rate5m
        /
        (
            instance_domain_device:kvm_domain_nic_packets:rate5m
          + instance_domain_device:kvm_domain_nic_drops:rate5m
        )
        and on (cluster, job, instance, domain) kvm_domain_state{state="running"} == 1
        # A NIC the guest sends nothing by is not set up; what is broadcast to it is dropped for good.
        and on (cluster, job, instance, domain, device)
        rate(kvm_domain_nic_transmit_packets_total[5m]) > 0
      `,
    },
    {
      record: 'instance_domain:kvm_domain_nic_bytes_per_packet:rate5m',
      expr: promql`
        # Who sends large packets gets more of a shared link for the same CPU time.
        instance_domain:kvm_domain_nic_bytes:rate5m
        /
        (sum without (device) (instance_domain_device:kvm_domain_nic_packets:rate5m) > 0)
      `,
    },
    {
      record: 'instance_domain:kvm_domain_nic_bytes:topk_rate5m',
      expr: 'topk by (cluster, job, instance) (5, instance_domain:kvm_domain_nic_bytes:rate5m)',
    },
  ],
  alerts: [
    {
      name: 'KvmUplinkOverPromised',
      summary: 'More bandwidth is promised to guests than the policy allows for their uplink.',
      description: prose`
        Guests on {{ $labels.instance }} are promised ${value('number')} times the bandwidth of uplink
        {{ $labels.device }} in the direction promised more of. Busiest: ${BUSIEST}. Cap NICs or move
        guests.
      `,
      dashboard: NETWORK,
      at: { warning: { for: '30m' } },
      expr: () => promql`
        max without (direction) (instance_device_direction:kvm_uplink_promised_per_speed:ratio)
        ${beyond('network.promised_ratio', 'warning')}
      `,
    },
    {
      name: 'KvmUplinkGuaranteeBroken',
      summary: 'Guests are guaranteed more bandwidth than their uplink has.',
      description: prose`
        Guests on {{ $labels.instance }} are guaranteed ${value('percent')} of the bandwidth of uplink
        {{ $labels.device }}. Busiest: ${BUSIEST}.
      `,
      dashboard: NETWORK,
      at: { warning: { for: '30m' } },
      expr: () => promql`
        instance_device:kvm_uplink_guaranteed_per_speed:ratio
        ${beyond('network.guaranteed_ratio', 'warning')}
      `,
    },
    {
      name: 'KvmUplinkSaturated',
      summary: 'An uplink is nearly full.',
      description: prose`
        Uplink {{ $labels.device }} of {{ $labels.instance }} carries ${value('percent')} of its
        bandwidth in its busier direction. Busiest guests: ${BUSIEST}. Cap or move one of them.
      `,
      dashboard: NETWORK,
      at: {
        warning: { for: '10m', keepFiringFor: '5m' },
        critical: { for: '10m', keepFiringFor: '5m' },
      },
      expr: (severity) =>
        severity === 'critical'
          ? promql`
              (
                instance_device:kvm_uplink_utilisation:ratio
                ${beyond('network.utilisation_ratio', 'critical')}
              )
              # A backup or a migration may fill a link for an hour; who loses packets needs help.
              and on (cluster, job, instance, device) (
                instance_device:kvm_uplink_drops:ratio
                ${beyond('network.drop_ratio', 'warning')}
              )
            `
          : promql`
              instance_device:kvm_uplink_utilisation:ratio
              ${beyond('network.utilisation_ratio', 'warning')}
            `,
    },
    {
      name: 'KvmUplinkDrops',
      summary: 'An uplink drops packets of guests.',
      description: prose`
        ${value('percent')} of the packets on uplink {{ $labels.device }} of {{ $labels.instance }} are
        dropped (where this pages, of those sent): connections of guests stall. A member of a bond may be
        full while the others are idle. Busiest guests: ${BUSIEST}. Cap or move one of them, or spread
        the bond by ports.
      `,
      dashboard: NETWORK,
      at: {
        warning: { for: '10m', keepFiringFor: '5m' },
        critical: { for: '10m', keepFiringFor: '5m' },
      },
      expr: (severity) => promql`
        (
          ${severity === 'critical' ? 'instance_device:kvm_uplink_transmit_drops:ratio' : 'instance_device:kvm_uplink_drops:ratio'}
          ${beyond('network.drop_ratio', 'warning')}
        )
        and on (cluster, job, instance, device)
        kvm_uplink_nics > 0
      `,
    },
    {
      name: 'KvmUplinkErrors',
      summary: 'An uplink loses packets to errors.',
      description: prose`
        ${value('percent')} of the packets on uplink {{ $labels.device }} of {{ $labels.instance }} have
        errors: cable, optics or duplex. Busiest guests: ${BUSIEST}.
      `,
      dashboard: NETWORK,
      at: { warning: { for: '15m' } },
      expr: () => promql`
        instance_device:kvm_uplink_errors:ratio
        ${beyond('network.error_ratio', 'warning')}
      `,
    },
    {
      name: 'KvmUplinkDown',
      summary: 'An uplink that guests need is down.',
      description: prose`
        Uplink {{ $labels.device }} of {{ $labels.instance }} is down, and guests have no other that is
        up: ${names('kvm_domain_nic_uplink_info{@,uplink=$device}')}. Look at cable, switch and bond.
      `,
      dashboard: NETWORK,
      at: { critical: { for: '1m', keepFiringFor: '2m' } },
      expr: () => promql`
        (kvm_uplink_up == 0)
        and on (cluster, job, instance, device)
        kvm_uplink_nics > 0
        # A bridge may have a second port that nobody ever plugged in.
        and on (cluster, job, instance, device)
        label_replace(
          kvm_domain_nic_uplink_info
          unless on (cluster, job, instance, domain, device) (
            kvm_domain_nic_uplink_info
            and on (cluster, job, instance, uplink)
            label_replace(kvm_uplink_up == 1, "uplink", "$1", "device", "(.*)")
          ),
          "device", "$1", "uplink", "(.*)"
        )
      `,
    },
    {
      name: 'KvmGuestNicDrops',
      summary: 'Packets to or from a guest are dropped.',
      description: prose`
        ${value('percent')} of the packets at {{ $labels.device }} of {{ $labels.domain }} on
        {{ $labels.instance }} are dropped: the guest is too slow to take them, or its cap is too low.
        Guests that wait for CPUs there:
        ${top('instance_domain:kvm_domain_vcpu_delay:ratio{@}', 'percent')}.
      `,
      dashboard: GUEST,
      at: { warning: { for: '10m', keepFiringFor: '5m' } },
      expr: () => promql`
        instance_domain_device:kvm_domain_nic_drops:ratio
        ${beyond('network.drop_ratio', 'warning')}
      `,
    },
    {
      name: 'KvmUnfairNetworkShare',
      summary: 'One guest has most of a full uplink.',
      description: prose`
        {{ $labels.domain }} has ${value('percent')} of the traffic of guests on uplink
        {{ $labels.uplink }} of {{ $labels.instance }}, which is nearly full. Busiest: ${BUSIEST}. Cap
        {{ $labels.domain }}.
      `,
      dashboard: GUEST,
      at: { warning: { for: '10m', keepFiringFor: '5m' } },
      expr: () => promql`
        (
          instance_domain_uplink:kvm_domain_nic_share:ratio
          ${beyond('network.unfair_share_ratio', 'warning')}
        )
        and on (cluster, job, instance, uplink)
        label_replace(
          instance_device:kvm_uplink_utilisation:ratio
          ${beyond('network.utilisation_ratio', 'warning')},
          "uplink", "$1", "device", "(.*)"
        )
      `,
    },
  ],
};
