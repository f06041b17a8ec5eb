/** The demo host's interfaces as the readers would show them: 32 taps on a bridge on one wire. */

import type { NetworkLinks } from '../snapshot/network.ts';
import type { LinkCounters } from '../sources/network-counters.ts';
import type { LinkSpeed, NetworkLink } from '../sources/network-links.ts';
import { BRIDGE } from './guest-xml.ts';
import { UPLINK_BYTES_PER_SECOND } from './network.ts';
import type { RunningGuest, State } from './state.ts';
import { whole } from './units.ts';

const UPLINK = 'eno1';
const MADE_UP: LinkSpeed = { known: false, because: 'made-up' };

export function toNetwork({ guests, host }: State): NetworkLinks {
  const { uplink } = host;
  const wire = counters(uplink);
  const links: NetworkLink[] = [
    {
      ...link(UPLINK, 2, 'physical'),
      master: BRIDGE,
      state: {
        operational: 'up',
        carrier: true,
        speed: { known: true, bitsPerSecond: UPLINK_BYTES_PER_SECOND * 8 },
      },
      counters: { ...wire, transmitDrops: whole(uplink.transmitDrops) },
    },
    {
      ...link(BRIDGE, 3, 'bridge'),
      lower: [UPLINK, ...guests.map(({ guest }) => guest.tap)],
      state: { operational: 'up', carrier: true, speed: MADE_UP },
      counters: NOTHING,
    },
    ...guests.map((guest) => tap(guest)),
  ];
  return { links: new Map(links.map((one) => [one.name, one])) };
}

/** From the host's side: what a guest sends is what its tap receives. */
function tap(guest: RunningGuest): NetworkLink {
  return {
    ...link(guest.guest.tap, 10 + guest.guest.index, 'tap'),
    master: BRIDGE,
    counters: {
      ...counters({
        receivedBytes: guest.transmittedBytes,
        receivedPackets: guest.transmittedPackets,
        transmittedBytes: guest.receivedBytes,
        transmittedPackets: guest.receivedPackets,
      }),
      transmitDrops: whole(guest.receiveDrops),
    },
  };
}

function link(name: string, index: number, kind: NetworkLink['kind']): NetworkLink {
  return {
    name,
    kind,
    index,
    master: undefined,
    lower: [],
    peer: undefined,
    vlanId: undefined,
    bond: undefined,
    transmitQueuePackets: 1000,
    mtuBytes: 1500,
    state: undefined,
    counters: undefined,
  };
}

function counters(traffic: {
  readonly receivedBytes: number;
  readonly receivedPackets: number;
  readonly transmittedBytes: number;
  readonly transmittedPackets: number;
}): LinkCounters {
  return {
    ...NOTHING,
    receivedBytes: whole(traffic.receivedBytes),
    receivedPackets: whole(traffic.receivedPackets),
    transmittedBytes: whole(traffic.transmittedBytes),
    transmittedPackets: whole(traffic.transmittedPackets),
  };
}

const NOTHING: LinkCounters = {
  receivedBytes: 0n,
  receivedPackets: 0n,
  receiveErrors: 0n,
  receiveDrops: 0n,
  receiveFifoErrors: 0n,
  transmittedBytes: 0n,
  transmittedPackets: 0n,
  transmitErrors: 0n,
  transmitDrops: 0n,
  transmitFifoErrors: 0n,
};
