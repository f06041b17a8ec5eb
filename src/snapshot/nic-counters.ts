import type { DomainConfig } from '../sources/domain-config.ts';
import type { LinkCounters } from '../sources/network-counters.ts';
import type { NetworkLinks } from './network.ts';
import type { NicCounters } from './domain.ts';

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
  { interfaces }: DomainConfig,
  { links }: NetworkLinks,
): readonly NicCounters[] | undefined {
  const nics: NicCounters[] = [];
  for (const { target } of interfaces) {
    if (target === undefined) continue;
    const link = links.get(target);
    if (link?.counters === undefined) return undefined;
    if (link.kind === 'tap') nics.push(acrossTap(target, link.counters));
    else if (link.kind === 'macvtap') nics.push(asCounted(target, link.counters));
    else return undefined;
  }
  return nics;
}

function acrossTap(device: string, host: LinkCounters): NicCounters {
  return {
    device,
    receiveBytes: host.transmittedBytes,
    receivePackets: host.transmittedPackets,
    receiveErrors: host.transmitErrors,
    receiveDrops: host.transmitDrops,
    transmitBytes: host.receivedBytes,
    transmitPackets: host.receivedPackets,
    transmitErrors: host.receiveErrors,
    transmitDrops: host.receiveDrops,
  };
}

function asCounted(device: string, host: LinkCounters): NicCounters {
  return {
    device,
    receiveBytes: host.receivedBytes,
    receivePackets: host.receivedPackets,
    receiveErrors: host.receiveErrors,
    receiveDrops: host.receiveDrops,
    transmitBytes: host.transmittedBytes,
    transmitPackets: host.transmittedPackets,
    transmitErrors: host.transmitErrors,
    transmitDrops: host.transmitDrops,
  };
}
