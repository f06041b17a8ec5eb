import type { DomainConfig } from '../../model/domain-config.ts';

import type { NicCounters } from '../../model/domain.ts';
import type { LinkCounters, NetworkLinks } from '../../model/network.ts';

/**
 * The counters of a running guest's NICs from the host's own list of interfaces, which has been
 * read anyway; libvirtd would read that whole list once more for each NIC. Directions are the
 * guest's: what a tap sends the guest receives, while a macvtap counts as its guest does (libvirt
 * virDomainNetTypeSharesHostView).
 *
 * Undefined where a NIC has a device that is not a tap in sight (vhost-user, another network
 * namespace): libvirt has to be asked. NICs without a device (user networking) have no counters.
 */
export function nicsInSight(
  { interfaces }: Pick<DomainConfig, 'interfaces'>,
  network: NetworkLinks,
): readonly NicCounters[] | undefined {
  const nics: NicCounters[] = [];
  for (const { target } of interfaces) {
    if (target === undefined) continue;
    const nic = nicInSight(target, network);
    if (nic === undefined) return undefined;
    nics.push(nic);
  }
  return nics;
}

/** One NIC, by the name of its device; undefined where that is not a tap in sight. */
export function nicInSight(target: string, { links }: NetworkLinks): NicCounters | undefined {
  const link = links.get(target);
  if (link?.counters === undefined) return undefined;
  if (link.kind === 'tap') return acrossTap(target, link.counters);
  if (link.kind === 'macvtap') return asCounted(target, link.counters);
  return undefined;
}

/** As the guest's end counts: it receives what the host's end of the tap transmits. */
function acrossTap(device: string, host: LinkCounters): NicCounters {
  return asCounted(device, {
    ...host,
    receivedBytes: host.transmittedBytes,
    receivedPackets: host.transmittedPackets,
    receiveErrors: host.transmitErrors,
    receiveDrops: host.transmitDrops,
    transmittedBytes: host.receivedBytes,
    transmittedPackets: host.receivedPackets,
    transmitErrors: host.receiveErrors,
    transmitDrops: host.receiveDrops,
  });
}

function asCounted(device: string, link: LinkCounters): NicCounters {
  return {
    device,
    receiveBytes: link.receivedBytes,
    receivePackets: link.receivedPackets,
    receiveErrors: link.receiveErrors,
    receiveDrops: link.receiveDrops,
    transmitBytes: link.transmittedBytes,
    transmitPackets: link.transmittedPackets,
    transmitErrors: link.transmitErrors,
    transmitDrops: link.transmitDrops,
  };
}
