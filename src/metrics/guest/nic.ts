import type { NicCounters } from '../../model/domain.ts';
import type { Bandwidth } from '../../model/domain-config.ts';
import { domainCounter, domainGauge, domainInfo, type Metric } from '../metric.ts';

const NIC_INFO_LABELS = [
  'device',
  'type',
  'source',
  'model',
  'mac',
  'mtu',
  'queues',
  'link',
] as const;
const UPLINK_INFO_LABELS = ['device', 'bridge', 'uplink'] as const;
const LIMIT_LABELS = ['device', 'direction', 'kind'] as const;
const BURST_LABELS = ['device', 'direction'] as const;

/** NICs of guests: what they are, what went through them, what limits them, the way outside. */
export const domainNicMetrics: readonly Metric[] = [
  domainInfo(
    'kvm_domain_nic_info',
    'A NIC of a guest and what it is attached to (libvirt XML).',
    {
      note:
        'device is its host device, else its alias, else nic<n>; source is the bridge, network, ' +
        'device or socket.',
      labels: NIC_INFO_LABELS,
    },
    ({ nics, labels }, sample) => {
      for (const { device, config } of nics) {
        if (config === undefined) continue;
        const { bridge, network, device: parent, path } = config.source;
        sample(
          labels.ofPart(config, device, NIC_INFO_LABELS, () => [
            config.type,
            bridge ?? network ?? parent ?? path ?? '',
            config.model ?? '',
            config.mac ?? '',
            config.mtuBytes === undefined ? '' : String(config.mtuBytes),
            config.queues === undefined ? '' : String(config.queues),
            config.linkUp ? 'up' : 'down',
          ]),
          1,
        );
      }
    },
  ),
  traffic('receive_bytes', 'Bytes received by', 'rx.bytes', 'receiveBytes'),
  traffic('receive_packets', 'Packets received by', 'rx.pkts', 'receivePackets'),
  traffic('receive_errors', 'Packets with errors received by', 'rx.errs', 'receiveErrors'),
  traffic('receive_drops', 'Packets dropped on their way to', 'rx.drop', 'receiveDrops'),
  traffic('transmit_bytes', 'Bytes sent by', 'tx.bytes', 'transmitBytes'),
  traffic('transmit_packets', 'Packets sent by', 'tx.pkts', 'transmitPackets'),
  traffic('transmit_errors', 'Packets that could not be sent by', 'tx.errs', 'transmitErrors'),
  traffic('transmit_drops', 'Packets dropped after being sent by', 'tx.drop', 'transmitDrops'),
  domainGauge(
    'kvm_domain_nic_limit_bytes_per_second',
    'Bandwidth limit of a NIC, seen from the guest; floor is a guarantee (<bandwidth> of ' +
      'its XML).',
    {
      note: 'Absent when unlimited. An outbound peak is left out because libvirt ignores it.',
      labels: LIMIT_LABELS,
    },
    ({ nics, labels }, sample) => {
      for (const { device, config } of nics) {
        const write = (direction: string, kind: string, value: number | undefined): void => {
          if (value !== undefined) {
            sample(labels.with(LIMIT_LABELS, [device, direction, kind]), value);
          }
        };
        write('inbound', 'average', config?.inbound?.averageBytesPerSecond);
        write('inbound', 'peak', config?.inbound?.peakBytesPerSecond);
        write('inbound', 'floor', config?.inbound?.floorBytesPerSecond);
        write('outbound', 'average', config?.outbound?.averageBytesPerSecond);
      }
    },
  ),
  domainGauge(
    'kvm_domain_nic_limit_burst_bytes',
    'Bytes a NIC may pass beyond its limit in one burst (<bandwidth> of its XML).',
    { labels: BURST_LABELS },
    ({ nics, labels }, sample) => {
      for (const { device, config } of nics) {
        const write = (direction: string, bandwidth: Bandwidth | undefined): void => {
          if (bandwidth?.burstBytes === undefined) return;
          sample(labels.with(BURST_LABELS, [device, direction]), bandwidth.burstBytes);
        };
        write('inbound', config?.inbound);
        write('outbound', config?.outbound);
      }
    },
  ),
  domainInfo(
    'kvm_domain_nic_uplink_info',
    'An uplink of the host that traffic of a NIC can leave by (/sys/class/net).',
    {
      note:
        'Found by following its host device over bridges and VLANs. Join uplink with device of ' +
        'kvm_uplink_*.',
      labels: UPLINK_INFO_LABELS,
    },
    ({ nics, labels }, sample) => {
      for (const { device, bridge, uplinks } of nics) {
        for (const uplink of uplinks) {
          sample(labels.with(UPLINK_INFO_LABELS, [device, bridge ?? '', uplink]), 1);
        }
      }
    },
  ),
];

function traffic(
  name: string,
  what: string,
  libvirtField: string,
  field: Exclude<keyof NicCounters, 'device'>,
): Metric {
  return domainCounter(
    `kvm_domain_nic_${name}_total`,
    `${what} a NIC of a guest (/proc/net/dev, or libvirt net.<n>.${libvirtField}).`,
    {
      note:
        'Directions are those of the guest. From libvirt where the host device of the NIC is out ' +
        'of sight.',
      labels: ['device'],
    },
    ({ nics, labels }, sample) => {
      for (const { device, counters } of nics) {
        if (counters !== undefined) sample(labels.device(device), counters[field]);
      }
    },
  );
}
