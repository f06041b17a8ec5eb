/** From the snapshot to the inputs of network.ts. */

import type { Domain } from '../../model/domain.ts';
import type { Bandwidth } from '../../model/domain-config.ts';

import { isUp, toBytesPerSecond } from '../../model/facts/link-state.ts';
import { Routes } from '../../model/facts/uplinks.ts';
import {
  networkOvercommit,
  type NetworkNic,
  type NetworkOvercommit,
  type NetworkUplink,
} from './network.ts';
import type { NetworkLink, NetworkLinks } from '../../model/network.ts';

export function assessNetwork(
  running: readonly Domain[],
  network: NetworkLinks,
): NetworkOvercommit {
  const routes = new Routes(network);
  return networkOvercommit(
    running.flatMap((domain) => toNics(domain, routes)),
    [...network.links.values()].flatMap((link) => toUplink(link) ?? []),
  );
}

/** From the XML; without it, from the counters, which know neither limits nor bridges. */
function toNics({ name: guest, config, nics }: Domain, routes: Routes): readonly NetworkNic[] {
  if (config === undefined) {
    return (nics ?? []).map(({ device }) => toNic(guest, device, [device], routes));
  }
  return config.interfaces.map(({ target, source, alias, inbound, outbound }, index) => {
    // A tap out of sight (another namespace) still hangs on the bridge or device of the XML.
    const waysOut = [target, source.bridge, source.device];
    const device = target ?? alias ?? `nic${index}`;
    return toNic(guest, device, waysOut, routes, inbound, outbound);
  });
}

function toNic(
  guest: string,
  device: string,
  waysOut: readonly (string | undefined)[],
  routes: Routes,
  inbound?: Bandwidth,
  outbound?: Bandwidth,
): NetworkNic {
  return {
    guest,
    device,
    uplinks: routes.fromFirst(waysOut)?.uplinks ?? [],
    inboundLimitBytesPerSecond: inbound?.averageBytesPerSecond,
    outboundLimitBytesPerSecond: outbound?.averageBytesPerSecond,
    floorBytesPerSecond: inbound?.floorBytesPerSecond,
  };
}

const UPLINK_KINDS: Partial<Readonly<Record<NetworkLink['kind'], NetworkUplink['kind']>>> = {
  physical: 'physical',
  bond: 'bond',
  team: 'bond',
  vlan: 'vlan',
};

function toUplink({ name, kind, state, lower }: NetworkLink): NetworkUplink | undefined {
  const uplinkKind = UPLINK_KINDS[kind];
  if (uplinkKind === undefined) return undefined;
  return {
    id: name,
    kind: uplinkKind,
    speedBytesPerSecond: toBytesPerSecond(state),
    up: isUp(state),
    lower,
  };
}
