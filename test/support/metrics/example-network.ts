import type { LinkCounters, NetworkLink, NetworkLinks } from '../../../src/model/network.ts';

export function exampleLink(name: string, overrides: Partial<NetworkLink> = {}): NetworkLink {
  return {
    name,
    kind: 'tap',
    index: 10,
    master: undefined,
    lower: [],
    peer: undefined,
    vlanId: undefined,
    bond: undefined,
    transmitQueuePackets: 1000,
    mtuBytes: 1500,
    state: undefined,
    counters: undefined,
    ...overrides,
  };
}

function counters(from: bigint): LinkCounters {
  return {
    receivedBytes: from + 1n,
    receivedPackets: from + 2n,
    receiveErrors: from + 3n,
    receiveDrops: from + 4n,
    receiveFifoErrors: from + 5n,
    transmittedBytes: from + 6n,
    transmittedPackets: from + 7n,
    transmitErrors: from + 8n,
    transmitDrops: from + 9n,
    transmitFifoErrors: from + 10n,
  };
}

const UP = { operational: 'up', carrier: true } as const;

/** vnet0 and vnet1 on br0 on VLAN bond0.100 on bond0 of eth0 and eth1; eth2 without a cable. */
export function exampleNetwork(): NetworkLinks {
  const links = [
    exampleLink('lo', { kind: 'loopback' }),
    exampleLink('eth0', {
      kind: 'physical',
      master: 'bond0',
      state: { ...UP, speed: { known: true, bitsPerSecond: 10e9 } },
      counters: counters(100n),
    }),
    exampleLink('eth1', {
      kind: 'physical',
      master: 'bond0',
      state: { ...UP, speed: { known: true, bitsPerSecond: 10e9 } },
      counters: counters(200n),
    }),
    exampleLink('eth2', {
      kind: 'physical',
      state: {
        operational: 'down',
        carrier: false,
        speed: { known: false, because: 'unknown' },
      },
      counters: counters(300n),
    }),
    exampleLink('bond0', {
      kind: 'bond',
      lower: ['eth0', 'eth1'],
      bond: { mode: 'active-backup', activeMember: 'eth0' },
      state: { ...UP, speed: { known: true, bitsPerSecond: 10e9 } },
      counters: counters(400n),
    }),
    exampleLink('bond0.100', {
      kind: 'vlan',
      master: 'br0',
      lower: ['bond0'],
      vlanId: 100,
      state: { ...UP, speed: { known: true, bitsPerSecond: 10e9 } },
      counters: counters(500n),
    }),
    exampleLink('br0', {
      kind: 'bridge',
      lower: ['bond0.100', 'vnet0', 'vnet1'],
      state: { ...UP, speed: { known: false, because: 'made-up' } },
    }),
    exampleLink('vnet0', { master: 'br0' }),
    exampleLink('vnet1', { master: 'br0' }),
  ];
  return { links: new Map(links.map((link) => [link.name, link])) };
}
