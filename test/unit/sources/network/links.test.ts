import { describe, expect, it } from 'vitest';

import { parseNetDev } from '../../../../src/sources/network/counters.ts';
import { NetworkLinkReader } from '../../../../src/sources/network/links.ts';
import { hypervisor, netDev, NetworkTree } from '../../../fixtures/net/network-tree.ts';
import type { NetworkLink, NetworkLinks } from '../../../../src/model/network.ts';

async function readAll(reader: NetworkLinkReader): Promise<NetworkLinks> {
  const table = await reader.read();
  if (!table.ok) throw new Error(table.error.detail);
  return table.value;
}

function link(table: NetworkLinks, name: string): NetworkLink {
  const one = table.links.get(name);
  if (one === undefined) throw new Error(`no ${name}`);
  return one;
}

describe('the interfaces of a hypervisor', () => {
  it('are told apart by what sysfs shows of each', async () => {
    using tree = hypervisor();
    const { links } = await readAll(new NetworkLinkReader(tree.roots));
    const kinds = Object.fromEntries([...links].map(([name, { kind }]) => [name, kind]));
    expect(kinds).toEqual({
      lo: 'loopback',
      eth0: 'physical',
      eth1: 'physical',
      eth2: 'physical',
      eth3: 'physical',
      bond0: 'bond',
      'bond0.100': 'vlan',
      br100: 'bridge',
      virbr0: 'bridge',
      'ovs-system': 'openvswitch',
      qbr4: 'bridge',
      qvb4: 'veth',
      qvo4: 'veth',
      macvtap0: 'macvtap',
      vnet0: 'tap',
      vnet1: 'tap',
      vnet2: 'tap',
      vnet3: 'tap',
      vnet4: 'tap',
      tun0: 'tun',
      dummy0: 'virtual',
      vx5: 'tunnel',
    });
  });

  it('have the queue of now where they lead out of the host', async () => {
    using tree = hypervisor();
    const reader = new NetworkLinkReader(tree.roots);
    expect(link(await readAll(reader), 'eth0').transmitQueuePackets).toBe(1000);
    // ip link set eth0 txqueuelen 4000
    tree.addFile('sys/class/net/eth0/tx_queue_len', '4000\n');
    expect(link(await readAll(reader), 'eth0').transmitQueuePackets).toBe(4000);
  });

  it('know what they are a port of and what lies below them', async () => {
    using tree = hypervisor();
    const table = await readAll(new NetworkLinkReader(tree.roots));
    expect(link(table, 'vnet0').master).toBe('br100');
    expect(link(table, 'bond0.100').master).toBe('br100');
    expect(link(table, 'eth0').master).toBe('bond0');
    expect(link(table, 'vnet3').master).toBe('ovs-system');
    expect(link(table, 'macvtap0').master).toBeUndefined();
    expect(link(table, 'eth2').master).toBeUndefined();
    expect(link(table, 'br100').lower).toEqual(['bond0.100', 'vnet0', 'vnet1']);
    expect(link(table, 'bond0').lower).toEqual(['eth0', 'eth1']);
    expect(link(table, 'macvtap0').lower).toEqual(['eth2']);
  });

  it('know the ids of VLANs, the mode of bonds and the other end of a veth pair', async () => {
    using tree = hypervisor();
    const table = await readAll(new NetworkLinkReader(tree.roots));
    expect(link(table, 'bond0.100').vlanId).toBe(100);
    expect(link(table, 'bond0').bond).toEqual({ mode: '802.3ad', activeMember: undefined });
    expect(link(table, 'qvb4').peer).toBe('qvo4');
    expect(link(table, 'qvo4').peer).toBe('qvb4');
  });

  it('do not take a veth for the peer of one whose other end is in another namespace', async () => {
    using tree = new NetworkTree();
    tree.add('veth0', { index: 5, iflink: 7 });
    tree.add('veth1', { index: 7, iflink: 9 });
    const table = await readAll(new NetworkLinkReader(tree.roots));
    expect(link(table, 'veth0')).toMatchObject({ kind: 'veth', peer: undefined });
  });

  it('are a team when others are ports of them, also of one that was empty before', async () => {
    using tree = new NetworkTree();
    const reader = new NetworkLinkReader(tree.roots);
    tree.add('team0', { index: 1 });
    tree.add('dummy0', { index: 2 });
    expect(link(await readAll(reader), 'team0').kind).toBe('virtual');
    tree.add('eth0', { index: 3, entries: ['device'], master: 'team0' });
    tree.remove('team0');
    const files = { operstate: 'up', carrier: '1', speed: '20000' };
    tree.add('team0', { index: 1, lower: ['eth0'], files });
    const table = await readAll(reader);
    expect(link(table, 'dummy0').kind).toBe('virtual');
    expect(link(table, 'eth0').master).toBe('team0');
    expect(link(table, 'team0')).toMatchObject({
      kind: 'team',
      lower: ['eth0'],
      state: { speed: { known: true, bitsPerSecond: 20e9 } },
    });
  });

  it('are no team when they have a name of their own, like a VRF', async () => {
    using tree = new NetworkTree();
    tree.add('blue', { index: 1, devtype: 'vrf', lower: ['eth0'] });
    tree.add('eth0', { index: 2, entries: ['device'], master: 'blue' });
    expect(link(await readAll(new NetworkLinkReader(tree.roots)), 'blue').kind).toBe('virtual');
  });

  it('are macvlans when they lie on one other interface', async () => {
    using tree = new NetworkTree();
    tree.add('eth0', { index: 1, entries: ['device'] });
    tree.add('macvlan0', { index: 2, iflink: 1, lower: ['eth0'] });
    expect(link(await readAll(new NetworkLinkReader(tree.roots)), 'macvlan0').kind).toBe('macvlan');
  });

  it('have the member in use with an active-backup bond', async () => {
    using tree = new NetworkTree();
    tree.add('bond1', {
      index: 1,
      devtype: 'bond',
      files: { 'bonding/mode': 'active-backup 1', 'bonding/active_slave': 'eth5' },
    });
    const table = await readAll(new NetworkLinkReader(tree.roots));
    expect(link(table, 'bond1').bond).toEqual({ mode: 'active-backup', activeMember: 'eth5' });
  });
});

describe('the speed of a link', () => {
  it('is that of hardware, bonds and VLANs, in bits per second', async () => {
    using tree = hypervisor();
    const table = await readAll(new NetworkLinkReader(tree.roots));
    expect(link(table, 'eth0').state?.speed).toEqual({ known: true, bitsPerSecond: 25e9 });
    expect(link(table, 'bond0').state?.speed).toEqual({ known: true, bitsPerSecond: 50e9 });
    expect(link(table, 'bond0.100').state?.speed).toEqual({ known: true, bitsPerSecond: 50e9 });
  });

  it('is not known when the driver says -1, and is none when it cannot be read', async () => {
    using tree = hypervisor();
    const table = await readAll(new NetworkLinkReader(tree.roots));
    expect(link(table, 'eth2').state?.speed).toEqual({ known: false, because: 'unknown' });
    expect(link(table, 'eth3').state).toEqual({
      operational: 'down',
      carrier: undefined,
      speed: { known: false, because: 'none' },
    });
  });

  it('is never the constant of software devices', async () => {
    using tree = hypervisor();
    const table = await readAll(new NetworkLinkReader(tree.roots));
    expect(link(table, 'br100').state?.speed).toEqual({ known: false, because: 'made-up' });
    for (const name of ['vnet0', 'qvb4', 'macvtap0', 'lo']) {
      expect(link(table, name).state).toBeUndefined();
    }
  });
});

describe('counters', () => {
  const text = netDev('eth0', 'vnet0');

  it('come by column from /proc/net/dev', () => {
    const counters = parseNetDev(text, 'dev');
    expect(counters.ok && counters.value.get('vnet0')).toEqual({
      receivedBytes: 200n,
      receivedPackets: 201n,
      receiveErrors: 202n,
      receiveDrops: 203n,
      receiveFifoErrors: 204n,
      transmittedBytes: 208n,
      transmittedPackets: 209n,
      transmitErrors: 210n,
      transmitDrops: 211n,
      transmitFifoErrors: 212n,
    });
  });

  it('keep every digit, also where a wide number touches the colon', () => {
    const line = 'eth0:18446744073709551615 1 0 0 0 0 0 0 9007199254740993 2 0 0 0 0 0 0';
    const counters = parseNetDev(line, 'dev');
    expect(counters.ok && counters.value.get('eth0')).toMatchObject({
      receivedBytes: 18446744073709551615n,
      transmittedBytes: 9007199254740993n,
    });
  });

  it('are malformed, not zero, when columns are missing', () => {
    expect(parseNetDev('eth0: 1 2 3\n', 'dev')).toMatchObject({
      ok: false,
      error: { kind: 'malformed', subject: 'dev' },
    });
  });

  it('are those of the namespace whose interfaces sysfs shows', async () => {
    using tree = new NetworkTree();
    tree.add('eth0', { index: 2, entries: ['device'] });
    tree.add('vnet0', { index: 3, files: { tun_flags: '0x1002' } });
    tree.addFile('proc/1/net/dev', netDev('docker0', 'eth0'));
    tree.addFile('proc/self/net/dev', netDev('eth0', 'vnet0'));
    const inside = await readAll(new NetworkLinkReader(tree.roots));
    expect(link(inside, 'vnet0').counters?.receivedBytes).toBe(200n);

    tree.addFile('proc/1/net/dev', netDev('vnet0', 'eth0'));
    tree.addFile('proc/self/net/dev', netDev('eth0'));
    const host = await readAll(new NetworkLinkReader(tree.roots));
    expect(link(host, 'vnet0').counters?.receivedBytes).toBe(100n);
  });

  it('are absent, and the links still there, when they cannot be read', async () => {
    using tree = new NetworkTree();
    tree.add('eth0', { index: 2, entries: ['device'] });
    const table = await readAll(new NetworkLinkReader(tree.roots));
    expect(link(table, 'eth0')).toMatchObject({ kind: 'physical', counters: undefined });
  });
});

describe('reading again', () => {
  it('sees interfaces come, go and change their bridge', async () => {
    using tree = hypervisor();
    const reader = new NetworkLinkReader(tree.roots);
    await readAll(reader);
    tree.remove('vnet1');
    tree.add('vnet9', { index: 40, files: { tun_flags: '0x1102' } });
    tree.remove('br100');
    tree.add('br100', { index: 8, devtype: 'bridge', lower: ['bond0.100', 'vnet9'] });
    const table = await readAll(reader);
    expect(table.links.has('vnet1')).toBe(false);
    expect(link(table, 'vnet9')).toMatchObject({ kind: 'tap', master: 'br100' });
    expect(link(table, 'vnet0').master).toBeUndefined();
  });

  it('notices that a name was taken over by another interface', async () => {
    using tree = hypervisor();
    const reader = new NetworkLinkReader(tree.roots);
    await readAll(reader);
    tree.add('occupies-the-freed-inode', { index: 98 });
    tree.remove('macvtap0');
    tree.add('also-occupies', { index: 97 });
    tree.add('macvtap0', {
      index: 99,
      iflink: 3,
      devtype: 'macvtap',
      lower: ['eth1'],
      entries: ['macvtap'],
    });
    expect(link(await readAll(reader), 'macvtap0')).toMatchObject({ index: 99, lower: ['eth1'] });
  });

  it('sees the state of uplinks as it is now', async () => {
    using tree = hypervisor();
    const reader = new NetworkLinkReader(tree.roots);
    await readAll(reader);
    tree.addFile('sys/class/net/eth0/speed', '10000\n');
    tree.addFile('sys/class/net/eth0/operstate', 'down\n');
    expect(link(await readAll(reader), 'eth0').state).toMatchObject({
      operational: 'down',
      speed: { known: true, bitsPerSecond: 10e9 },
    });
  });

  it('is a failed reading when there is no /sys/class/net', async () => {
    using tree = new NetworkTree();
    expect(await new NetworkLinkReader(tree.roots).read()).toMatchObject({
      ok: false,
      error: { kind: 'absent' },
    });
  });
});
