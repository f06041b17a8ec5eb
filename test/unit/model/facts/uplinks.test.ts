import { describe, expect, it } from 'vitest';

import { NetworkLinkReader } from '../../../../src/sources/network/links.ts';
import { findUplinks, findVlanBottom } from '../../../../src/model/facts/uplinks.ts';
import { hypervisor, NetworkTree } from '../../../fixtures/net/network-tree.ts';
import type { NetworkLinks } from '../../../../src/model/network.ts';

async function tableOf(tree: NetworkTree): Promise<NetworkLinks> {
  const table = await new NetworkLinkReader(tree.roots).read();
  if (!table.ok) throw new Error(table.error.detail);
  return table.value;
}

const TAP = { files: { tun_flags: '0x1102' } };

describe("a guest's interface", () => {
  it.each([
    ['on a bridge leaves by the VLAN on the bond', 'vnet0', ['bond0.100'], undefined],
    ['as macvtap leaves by the interface below it', 'macvtap0', ['eth2'], undefined],
    ['on a NAT network leaves by none', 'vnet2', [], undefined],
    ['on Open vSwitch leaves by its only way out', 'vnet3', ['eth3'], 'openvswitch'],
    ['on a bridge joined to Open vSwitch likewise', 'vnet4', ['eth3'], 'openvswitch'],
    ['that is gone leaves by none', 'vnet77', [], undefined],
  ] as const)('%s', async (_, name, uplinks, unseen) => {
    using tree = hypervisor();
    expect(findUplinks(name, await tableOf(tree))).toEqual({ uplinks, unseen });
  });

  it('leaves by each uplink of a bridge that has several, other guests not counted', async () => {
    using tree = new NetworkTree();
    tree.add('vnet0', { index: 1, ...TAP });
    tree.add('vnet1', { index: 2, ...TAP });
    tree.add('eth0', { index: 3, entries: ['device'] });
    tree.add('eth1', { index: 4, entries: ['device'] });
    tree.add('br0', { index: 5, devtype: 'bridge', lower: ['vnet0', 'vnet1', 'eth0', 'eth1'] });
    expect(findUplinks('vnet0', await tableOf(tree)).uplinks).toEqual(['eth0', 'eth1']);
  });

  it('on a VLAN of a bridge leaves by the uplink of that bridge', async () => {
    using tree = new NetworkTree();
    tree.add('vnet0', { index: 1, ...TAP });
    tree.add('br5', { index: 2, devtype: 'bridge', lower: ['vnet0', 'br0.5'] });
    tree.add('br0.5', { index: 3, iflink: 4, devtype: 'vlan', lower: ['br0'] });
    tree.add('br0', { index: 4, devtype: 'bridge', lower: ['eth0'] });
    tree.add('eth0', { index: 5, entries: ['device'] });
    expect(findUplinks('vnet0', await tableOf(tree)).uplinks).toEqual(['eth0']);
  });

  it('on a VLAN within a VLAN leaves by the inner one', async () => {
    using tree = new NetworkTree();
    tree.add('vnet0', { index: 1, ...TAP });
    tree.add('br5', { index: 2, devtype: 'bridge', lower: ['vnet0', 'eth0.9.5'] });
    tree.add('eth0.9.5', { index: 3, iflink: 4, devtype: 'vlan', lower: ['eth0.9'] });
    tree.add('eth0.9', { index: 4, iflink: 5, devtype: 'vlan', lower: ['eth0'] });
    tree.add('eth0', { index: 5, entries: ['device'] });
    expect(findUplinks('vnet0', await tableOf(tree)).uplinks).toEqual(['eth0.9.5']);
  });

  it.each([
    ['has none', []],
    ['has two, each on a bridge of its own or not', ['eth0', 'eth1']],
    ['has a tunnel as well', ['eth0', 'vx']],
  ])('leaves Open vSwitch by something unseen when that %s', async (_, ports) => {
    using tree = new NetworkTree();
    tree.add('vnet0', { index: 1, ...TAP });
    tree.add('br-int', { index: 2 });
    tree.add('eth0', { index: 3, entries: ['device'] });
    tree.add('eth1', { index: 4, entries: ['device'] });
    tree.add('vx', { index: 5, devtype: 'vxlan' });
    tree.add('ovs-system', { index: 6, lower: ['vnet0', 'br-int', ...ports] });
    expect(findUplinks('vnet0', await tableOf(tree))).toEqual({
      uplinks: [],
      unseen: 'openvswitch',
    });
  });

  it('leaves by the bond that is the only way out of Open vSwitch', async () => {
    using tree = new NetworkTree();
    tree.add('vnet0', { index: 1, ...TAP });
    tree.add('eth0', { index: 2, entries: ['device'] });
    tree.add('bond0', { index: 3, devtype: 'bond', lower: ['eth0'] });
    tree.add('ovs-system', { index: 4, lower: ['vnet0', 'bond0'] });
    expect(findUplinks('vnet0', await tableOf(tree)).uplinks).toEqual(['bond0']);
  });

  it('leaves by the team of its bridge, also over a VLAN', async () => {
    using tree = new NetworkTree();
    tree.add('vnet0', { index: 1, ...TAP });
    tree.add('br5', { index: 2, devtype: 'bridge', lower: ['vnet0', 'team0.5'] });
    tree.add('team0.5', { index: 3, iflink: 4, devtype: 'vlan', lower: ['team0'] });
    tree.add('team0', { index: 4, lower: ['eth0'] });
    tree.add('eth0', { index: 5, entries: ['device'], master: 'team0' });
    expect(findUplinks('vnet0', await tableOf(tree)).uplinks).toEqual(['team0.5']);
  });

  it('crosses a veth pair from bridge to bridge', async () => {
    using tree = new NetworkTree();
    tree.add('vnet0', { index: 1, ...TAP });
    tree.add('br0', { index: 2, devtype: 'bridge', lower: ['vnet0', 'va'] });
    tree.add('va', { index: 3, iflink: 4 });
    tree.add('vb', { index: 4, iflink: 3 });
    tree.add('br1', { index: 5, devtype: 'bridge', lower: ['vb', 'eth0'] });
    tree.add('eth0', { index: 6, entries: ['device'] });
    expect(findUplinks('vnet0', await tableOf(tree))).toEqual({
      uplinks: ['eth0'],
      unseen: undefined,
    });
  });

  it('may leave unseen into another namespace or a tunnel', async () => {
    using tree = new NetworkTree();
    tree.add('vnet0', { index: 1, ...TAP });
    tree.add('vnet1', { index: 2, ...TAP });
    tree.add('br0', { index: 3, devtype: 'bridge', lower: ['vnet0', 'va'] });
    tree.add('va', { index: 4, iflink: 77 });
    tree.add('br1', { index: 5, devtype: 'bridge', lower: ['vnet1', 'vx'] });
    tree.add('vx', { index: 6, devtype: 'vxlan', lower: ['eth0'] });
    tree.add('eth0', { index: 7, entries: ['device'] });
    const table = await tableOf(tree);
    expect(findUplinks('vnet0', table)).toEqual({ uplinks: [], unseen: 'namespace' });
    expect(findUplinks('vnet1', table)).toEqual({ uplinks: ['eth0'], unseen: 'tunnel' });
  });

  it('does not go round for ever in a loop of bridges', async () => {
    using tree = new NetworkTree();
    tree.add('vnet0', { index: 1, ...TAP });
    tree.add('br0', { index: 2, devtype: 'bridge', lower: ['vnet0', 'a0', 'b0'] });
    tree.add('br1', { index: 3, devtype: 'bridge', lower: ['a1', 'b1', 'eth0'] });
    tree.add('a0', { index: 4, iflink: 5 });
    tree.add('a1', { index: 5, iflink: 4 });
    tree.add('b0', { index: 6, iflink: 7 });
    tree.add('b1', { index: 7, iflink: 6 });
    tree.add('eth0', { index: 8, entries: ['device'] });
    expect(findUplinks('vnet0', await tableOf(tree)).uplinks).toEqual(['eth0']);
  });
});

describe('what a VLAN lies on', () => {
  const link = (kind: string, ...lower: readonly string[]) => ({ kind, lower });
  const links = new Map([
    ['eth0', link('physical')],
    ['eth0.9', link('vlan', 'eth0')],
    ['eth0.9.5', link('vlan', 'eth0.9')],
    ['bond0', link('bond', 'eth0')],
    ['away.7', link('vlan', 'away')],
    ['loop.1', link('vlan', 'loop.2')],
    ['loop.2', link('vlan', 'loop.1')],
  ]);

  it.each([
    ['eth0.9', 'eth0'],
    ['eth0.9.5', 'eth0'],
    // A bond is one interface with its own speed.
    ['bond0', 'bond0'],
    // In another network namespace.
    ['away.7', 'away.7'],
    ['unheard', 'unheard'],
  ])('%s is %s', (name, bottom) => {
    expect(findVlanBottom(name, links)).toBe(bottom);
  });

  it('ends where interfaces that were renamed meanwhile seem to lie on each other', () => {
    expect(findVlanBottom('loop.1', links)).toBe('loop.2');
  });
});
