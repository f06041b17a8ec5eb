import { describe, expect, it } from 'vitest';

import { nicsInSight } from '../../../../src/guests/libvirt/nic-counters.ts';
import { parseDomainXml } from '../../../../src/sources/domain-xml/domain-xml.ts';

import { valueIn } from '../../../support/sources/kernel-fixtures.ts';
import { networkLink } from '../../network-link.ts';
import type { NetworkLink, NetworkLinks } from '../../../../src/model/network.ts';

const COUNTERS = {
  receivedBytes: 1n,
  receivedPackets: 2n,
  receiveErrors: 3n,
  receiveDrops: 4n,
  receiveFifoErrors: 5n,
  transmittedBytes: 10n,
  transmittedPackets: 20n,
  transmitErrors: 30n,
  transmitDrops: 40n,
  transmitFifoErrors: 50n,
};

const link = (name: string, kind: NetworkLink['kind']): NetworkLink =>
  networkLink(name, { kind, counters: COUNTERS });

const HOST: NetworkLinks = {
  links: new Map(
    [link('vnet0', 'tap'), link('macvtap0', 'macvtap'), link('veth0', 'veth')].map((one) => [
      one.name,
      one,
    ]),
  ),
};

function guestWith(...interfaces: readonly string[]) {
  const xml = `<domain type="kvm"><name>web</name><memory>1024</memory><vcpu>1</vcpu>
    <uuid>11111111-1111-1111-1111-111111111111</uuid>
    <devices>${interfaces.join('')}</devices></domain>`;
  return valueIn(parseDomainXml(xml, 'web'));
}

const nic = (type: string, target: string) =>
  `<interface type="${type}"><target dev="${target}"/></interface>`;

describe('counters of NICs in sight', () => {
  it('at a tap are the other way round for the guest', () => {
    expect(nicsInSight(guestWith(nic('bridge', 'vnet0')), HOST)).toEqual([
      {
        device: 'vnet0',
        receiveBytes: 10n,
        receivePackets: 20n,
        receiveErrors: 30n,
        receiveDrops: 40n,
        transmitBytes: 1n,
        transmitPackets: 2n,
        transmitErrors: 3n,
        transmitDrops: 4n,
      },
    ]);
  });

  it('of a macvtap are those of the guest', () => {
    expect(nicsInSight(guestWith(nic('direct', 'macvtap0')), HOST)).toMatchObject([
      { device: 'macvtap0', receiveBytes: 1n, transmitBytes: 10n, transmitDrops: 40n },
    ]);
  });

  it('are none without a device on the host', () => {
    expect(nicsInSight(guestWith('<interface type="user"/>'), HOST)).toEqual([]);
    expect(nicsInSight(guestWith(), HOST)).toEqual([]);
  });

  it.each([
    ['a device that is not there', 'vhost-user0'],
    ['one that is neither tap nor macvtap', 'veth0'],
  ])('are not known of a guest that has %s, whatever else it has', (_, target) => {
    const guest = guestWith(nic('bridge', 'vnet0'), nic('bridge', target));
    expect(nicsInSight(guest, HOST)).toBeUndefined();
  });
});
