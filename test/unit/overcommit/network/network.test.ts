import { describe, expect, it } from 'vitest';

import {
  networkOvercommit,
  type NetworkNic,
  type NetworkUplink,
} from '../../../../src/overcommit/network/network.ts';

/** 1 Gb/s in bytes per second. */
const GIGABIT = 125_000_000;

function nic(device: string, more: Partial<NetworkNic> = {}): NetworkNic {
  return {
    guest: `guest of ${device}`,
    device,
    uplinks: ['eth0'],
    inboundLimitBytesPerSecond: undefined,
    outboundLimitBytesPerSecond: undefined,
    floorBytesPerSecond: undefined,
    ...more,
  };
}

function uplink(id: string, more: Partial<NetworkUplink> = {}): NetworkUplink {
  return {
    id,
    kind: 'physical',
    speedBytesPerSecond: GIGABIT,
    up: true,
    lower: [],
    ...more,
  };
}

describe('bandwidth promised on an uplink', () => {
  it('comes to 32:1 for 32 NICs without a cap on 1 Gb/s', () => {
    const nics = Array.from({ length: 32 }, (_, index) => nic(`vnet${index}`));
    const [eth0] = networkOvercommit(nics, [uplink('eth0')]).uplinks;
    expect(eth0).toMatchObject({ nics: 32, guests: 32, speedBytesPerSecond: GIGABIT });
    for (const direction of [eth0?.inbound, eth0?.outbound]) {
      expect(direction).toEqual({
        cappedNics: 0,
        uncappedNics: 32,
        cappedBytesPerSecond: 0,
        promisedBytesPerSecond: 32 * GIGABIT,
      });
    }
  });

  it('counts caps per direction', () => {
    const nics = [
      nic('vnet0', { inboundLimitBytesPerSecond: 12_500_000 }),
      nic('vnet1', {
        inboundLimitBytesPerSecond: 25_000_000,
        outboundLimitBytesPerSecond: 10_000_000,
      }),
    ];
    const [eth0] = networkOvercommit(nics, [uplink('eth0')]).uplinks;
    expect(eth0?.inbound).toEqual({
      cappedNics: 2,
      uncappedNics: 0,
      cappedBytesPerSecond: 37_500_000,
      promisedBytesPerSecond: 37_500_000,
    });
    expect(eth0?.outbound).toEqual({
      cappedNics: 1,
      uncappedNics: 1,
      cappedBytesPerSecond: 10_000_000,
      promisedBytesPerSecond: 135_000_000,
    });
  });

  it('promises no NIC more than the uplink, and takes a cap of 0 for none', () => {
    const [eth0] = networkOvercommit(
      [
        nic('vnet0', { inboundLimitBytesPerSecond: 10 * GIGABIT }),
        nic('vnet1', { inboundLimitBytesPerSecond: 0 }),
      ],
      [uplink('eth0')],
    ).uplinks;
    expect(eth0?.inbound).toMatchObject({
      cappedNics: 1,
      uncappedNics: 1,
      promisedBytesPerSecond: 2 * GIGABIT,
    });
  });

  it('does not know the promise of uncapped NICs on an uplink of unknown speed', () => {
    const capped = nic('vnet0', { inboundLimitBytesPerSecond: 1_000_000 });
    const unknown = [uplink('eth0', { speedBytesPerSecond: undefined })];
    expect(networkOvercommit([capped], unknown).uplinks[0]?.inbound.promisedBytesPerSecond).toBe(
      1_000_000,
    );
    expect(networkOvercommit([capped, nic('vnet1')], unknown).uplinks[0]?.inbound).toMatchObject({
      cappedBytesPerSecond: 1_000_000,
      promisedBytesPerSecond: undefined,
    });
  });

  it('adds up guaranteed rates', () => {
    const [eth0] = networkOvercommit(
      [
        nic('vnet0', { floorBytesPerSecond: 5_000_000 }),
        nic('vnet1', { floorBytesPerSecond: 3_000_000 }),
      ],
      [uplink('eth0')],
    ).uplinks;
    expect(eth0?.floorBytesPerSecond).toBe(8_000_000);
  });

  it('is zero on an uplink without NICs', () => {
    expect(networkOvercommit([], [uplink('eth0', { up: false })])).toMatchObject({
      nics: 0,
      uplinks: [{ id: 'eth0', up: false, nics: 0, inbound: { promisedBytesPerSecond: 0 } }],
    });
  });
});

describe('which uplink a NIC counts on', () => {
  it('is the bond, with its own speed, and not its two members', () => {
    const { uplinks } = networkOvercommit(
      [nic('vnet0', { uplinks: ['bond0'] })],
      [
        uplink('eth0'),
        uplink('eth1'),
        uplink('bond0', {
          kind: 'bond',
          speedBytesPerSecond: 2 * GIGABIT,
          lower: ['eth0', 'eth1'],
        }),
      ],
    );
    expect(uplinks).toHaveLength(1);
    expect(uplinks[0]).toMatchObject({
      id: 'bond0',
      speedBytesPerSecond: 2 * GIGABIT,
      inbound: { promisedBytesPerSecond: 2 * GIGABIT },
    });
  });

  it('is what a VLAN lies on, once, for NICs of several VLANs', () => {
    const { uplinks } = networkOvercommit(
      [
        nic('vnet0', { uplinks: ['bond0.10'] }),
        nic('vnet1', { uplinks: ['bond0.20'] }),
        nic('vnet2', { uplinks: ['bond0.10', 'bond0.20'] }),
      ],
      [
        uplink('bond0', {
          kind: 'bond',
          speedBytesPerSecond: 2 * GIGABIT,
          lower: ['eth0', 'eth1'],
        }),
        uplink('bond0.10', { kind: 'vlan', lower: ['bond0'] }),
        uplink('bond0.20', { kind: 'vlan', lower: ['bond0'] }),
      ],
    );
    expect(uplinks).toHaveLength(1);
    expect(uplinks[0]).toMatchObject({
      id: 'bond0',
      nics: 3,
      inbound: { promisedBytesPerSecond: 6 * GIGABIT },
    });
  });

  it('is a VLAN itself when what it lies on is unknown or circular', () => {
    const { uplinks } = networkOvercommit(
      [nic('vnet0', { uplinks: ['eth9.10'] }), nic('vnet1', { uplinks: ['loop.1'] })],
      [
        uplink('eth9.10', { kind: 'vlan', lower: ['eth9'] }),
        uplink('loop.1', { kind: 'vlan', lower: ['loop.2'] }),
        uplink('loop.2', { kind: 'vlan', lower: ['loop.1'] }),
      ],
    );
    expect(uplinks.reduce((sum, one) => sum + one.nics, 0)).toBe(2);
    expect(uplinks.find((one) => one.id === 'eth9.10')?.nics).toBe(1);
  });

  it('is each of two ports of a bridge, and the NIC is counted once for the host', () => {
    const result = networkOvercommit(
      [nic('vnet0', { uplinks: ['eth0', 'eth1'] })],
      [uplink('eth0'), uplink('eth1')],
    );
    expect(result.uplinks.map((one) => [one.id, one.nics])).toEqual([
      ['eth0', 1],
      ['eth1', 1],
    ]);
    expect(result.nics).toBe(1);
  });

  it('is none for a host-only or routed NIC', () => {
    const result = networkOvercommit([nic('vnet0', { uplinks: [] })], [uplink('eth0')]);
    expect(result.nicsWithoutUplink).toBe(1);
    expect(result.uplinks[0]?.nics).toBe(0);
  });

  it('is one it names although nothing is known about it', () => {
    const [ghost] = networkOvercommit([nic('vnet0', { uplinks: ['ghost'] })], []).uplinks;
    expect(ghost).toMatchObject({ id: 'ghost', up: undefined, speedBytesPerSecond: undefined });
  });
});
