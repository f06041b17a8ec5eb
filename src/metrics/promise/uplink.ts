import { labelText } from '../../exposition/labels.ts';
import type { NetworkOfUplink, PromisedBandwidth } from '../../overcommit/network/network.ts';

import { counter, gauge, info, type Metric, type Sample } from '../metric.ts';
import type { View } from '../../view/view.ts';
import { isUp, toBytesPerSecond } from '../../model/facts/link-state.ts';
import { isUplink } from '../../model/facts/uplinks.ts';
import type { LinkCounters, NetworkLink } from '../../model/network.ts';
import { zeroOne } from '../yes-no.ts';

const UPLINK_INFO_LABELS = ['device', 'kind', 'lower'] as const;

/**
 * Interfaces by which traffic of guests leaves the host. Directions of counters are those of the
 * interface; inbound and outbound are those of guests, so inbound is what the uplink receives.
 */
export const uplinkMetrics: readonly Metric[] = [
  info(
    'kvm_uplink_info',
    'An interface that leads out of the host (/sys/class/net).',
    {
      note:
        'kind is physical, bond, team or vlan; lower names the members of a bond or the parent ' +
        'of a VLAN.',
      labels: UPLINK_INFO_LABELS,
    },
    ({ snapshot }, sample) => {
      for (const { name, kind, lower } of uplinks(snapshot.network?.links)) {
        sample(labelText(UPLINK_INFO_LABELS, [name, kind, lower.join(',')]), 1);
      }
    },
  ),
  gauge(
    'kvm_uplink_up',
    'Whether an uplink can carry traffic (operstate and carrier in /sys/class/net/<device>).',
    {
      note: '1 where operstate is up, or where the driver leaves it unknown and there is a carrier.',
      labels: ['device'],
    },
    (view, sample) => {
      perLink(view, sample, ({ state }) => zeroOne(isUp(state)));
    },
  ),
  gauge(
    'kvm_uplink_speed_bytes_per_second',
    'Nominal speed of an uplink in each direction (/sys/class/net/<device>/speed).',
    {
      note: 'Absent where the driver does not know it.',
      labels: ['device'],
    },
    (view, sample) => {
      perLink(view, sample, ({ state }) => toBytesPerSecond(state));
    },
  ),
  gauge(
    'kvm_uplink_transmit_queue_packets',
    'Length of the queue in front of an uplink (/sys/class/net/<device>/tx_queue_len).',
    {
      note: '0: packets do not wait here, as with most VLANs and bonds.',
      labels: ['device'],
    },
    (view, sample) => {
      perLink(view, sample, ({ transmitQueuePackets }) => transmitQueuePackets);
    },
  ),
  traffic('receive_bytes', 'Bytes received by', 'receivedBytes'),
  traffic('receive_packets', 'Packets received by', 'receivedPackets'),
  traffic('receive_errors', 'Packets with errors received by', 'receiveErrors'),
  traffic('receive_drops', 'Received packets dropped by', 'receiveDrops'),
  traffic('receive_overruns', 'Packets that overran the receive queue of', 'receiveFifoErrors'),
  traffic('transmit_bytes', 'Bytes sent by', 'transmittedBytes'),
  traffic('transmit_packets', 'Packets sent by', 'transmittedPackets'),
  traffic('transmit_errors', 'Packets that could not be sent by', 'transmitErrors'),
  traffic('transmit_drops', 'Packets dropped before being sent by', 'transmitDrops'),
  traffic('transmit_overruns', 'Packets that overran the send queue of', 'transmitFifoErrors'),
  ofUplink(
    'nics',
    'NICs of running guests whose traffic can leave by an uplink; one with two uplinks ' +
      'counts on both',
    ({ nics }) => nics,
  ),
  ofUplink(
    'domains',
    'Running guests with a NIC whose traffic can leave by an uplink',
    ({ guests }) => guests,
  ),
  perDirection(
    'capped_nics',
    'NICs with a bandwidth limit whose traffic can leave by an uplink, by direction seen ' +
      'from the guest',
    ({ cappedNics }) => cappedNics,
  ),
  perDirection(
    'promised_bytes_per_second',
    'Bandwidth promised to NICs whose traffic can leave by an uplink: their limits, or its speed ' +
      'for those without; absent while that speed is unknown',
    ({ promisedBytesPerSecond }) => promisedBytesPerSecond,
  ),
  ofUplink(
    'guaranteed_bytes_per_second',
    'Bandwidth guaranteed to NICs whose traffic can leave by an uplink (<inbound floor> of ' +
      'their XML)',
    ({ floorBytesPerSecond }) => floorBytesPerSecond,
  ),
  gauge(
    'kvm_network_nics_without_uplink',
    'NICs of running guests for which no uplink was found (/sys/class/net).',
    {
      note:
        'They are host-only or routed, or use something /sys does not show (Open vSwitch, ' +
        'tunnels).',
    },
    ({ assessment }, sample) => {
      sample('', assessment.network?.nicsWithoutUplink);
    },
  ),
];

function uplinks(links: ReadonlyMap<string, NetworkLink> | undefined): readonly NetworkLink[] {
  return [...(links?.values() ?? [])].filter(({ kind }) => isUplink(kind));
}

function perLink(
  { snapshot }: View,
  sample: Sample,
  valueOf: (link: NetworkLink) => number | bigint | undefined,
): void {
  for (const link of uplinks(snapshot.network?.links)) {
    sample(labelText(['device'], [link.name]), valueOf(link));
  }
}

function traffic(name: string, what: string, field: keyof LinkCounters): Metric {
  return counter(
    `kvm_uplink_${name}_total`,
    `${what} an uplink (/proc/net/dev).`,
    { labels: ['device'] },
    (view, sample) => {
      perLink(view, sample, ({ counters }) => counters?.[field]);
    },
  );
}

function ofUplink(
  name: string,
  meaning: string,
  valueOf: (uplink: NetworkOfUplink) => number,
): Metric {
  return gauge(
    `kvm_uplink_${name}`,
    `${meaning}.`,
    { labels: ['device'] },
    ({ assessment }, sample) => {
      for (const uplink of assessment.network?.uplinks ?? []) {
        sample(labelText(['device'], [uplink.id]), valueOf(uplink));
      }
    },
  );
}

function perDirection(
  name: string,
  meaning: string,
  valueOf: (bandwidth: PromisedBandwidth) => number | undefined,
): Metric {
  const labels = ['device', 'direction'] as const;
  return gauge(`kvm_uplink_${name}`, `${meaning}.`, { labels }, ({ assessment }, sample) => {
    for (const { id, inbound, outbound } of assessment.network?.uplinks ?? []) {
      sample(labelText(labels, [id, 'inbound']), valueOf(inbound));
      sample(labelText(labels, [id, 'outbound']), valueOf(outbound));
    }
  });
}
