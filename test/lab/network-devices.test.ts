import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { NetworkLinkReader } from '../../src/sources/network/links.ts';
import { findUplinks } from '../../src/model/facts/uplinks.ts';
import { run } from '../../lab/command.ts';
import { guestImage } from '../../lab/guest-image.ts';
import { ensurePackages, LAB_PACKAGES } from '../../lab/packages.ts';
import type { NetworkLink, NetworkLinks } from '../../src/model/network.ts';

/**
 * Bonds, teams, VLANs and macvtaps as Debian's kernel makes them. The kernel this runs on may have
 * none of these, so a machine of its own makes them and hands out its /sys/class/net.
 */
const DRIVERS = ['virtio_pci', 'virtio_net', 'bonding', '8021q', 'macvtap', 'team', 'dummy'];

/** virtio NICs eth0 to eth4; a speed in Mbit/s is what the driver says, without it -1. */
const NICS = [
  'speed=25000,duplex=full',
  'speed=25000,duplex=full',
  '',
  'speed=10000,duplex=full',
  '',
];

async function networkOfAMachine(directory: string): Promise<void> {
  const image = await guestImage({
    drivers: [...DRIVERS, 'bridge', 'tun', 'veth'],
    init: new URL('../support/network-devices.sh', import.meta.url),
  });
  const serial = join(directory, 'serial');
  const nics = NICS.flatMap((options) => [
    '-device',
    ['virtio-net-pci', 'romfile=', options].filter((part) => part !== '').join(','),
  ]);
  await run(
    'qemu-system-x86_64',
    [
      ...['-machine', 'q35', '-accel', 'tcg', '-m', '256', '-nodefaults', '-display', 'none'],
      ...['-no-reboot', '-serial', `file:${serial}`, ...nics],
      ...['-kernel', image.kernel, '-initrd', image.initrd],
      ...['-append', 'console=ttyS0 quiet panic=-1 net.ifnames=0'],
    ],
    { timeoutMs: 180_000 },
  );
  const text = readFileSync(serial, 'latin1');
  const archive = /^BEGIN\r?\n([A-Za-z0-9+/=\s]+)END\r?$/m.exec(text)?.[1];
  if (archive === undefined) throw new Error(`no archive came over the serial port: ${text}`);
  execFileSync('tar', ['-xz', '-C', directory], { input: Buffer.from(archive, 'base64') });
}

describe('interfaces made by a kernel with every driver', () => {
  let directory: string;
  let table: NetworkLinks;
  const link = (name: string): NetworkLink => {
    const one = table.links.get(name);
    const log = readFileSync(join(directory, 'setup.log'), 'utf8');
    if (one === undefined) throw new Error(`no ${name}: ${log}`);
    return one;
  };

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'network-devices-'));
    await ensurePackages(LAB_PACKAGES);
    await networkOfAMachine(directory);
    const reader = new NetworkLinkReader({
      procfs: join(directory, 'proc'),
      sysfs: join(directory, 'sys'),
      rootfs: '',
    });
    const reading = await reader.read();
    if (!reading.ok) throw new Error(reading.error.detail);
    table = reading.value;
  }, 300_000);
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  it('are told apart', () => {
    expect(Object.fromEntries([...table.links].map(([name, { kind }]) => [name, kind]))).toEqual({
      lo: 'loopback',
      eth0: 'physical',
      eth1: 'physical',
      eth2: 'physical',
      eth3: 'physical',
      eth4: 'physical',
      bond0: 'bond',
      'bond0.100': 'vlan',
      br100: 'bridge',
      vnet0: 'tap',
      br0: 'bridge',
      'br0.7': 'vlan',
      br7: 'bridge',
      vnet2: 'tap',
      macvtap0: 'macvtap',
      macvlan0: 'macvlan',
      team0: 'team',
      br1: 'bridge',
      vnet1: 'tap',
      dummy0: 'virtual',
      veth0: 'veth',
      veth1: 'veth',
    });
  });

  it('hang together as they were put together', () => {
    expect(link('eth0').master).toBe('bond0');
    expect(link('eth1').master).toBe('bond0');
    expect(link('eth3').master).toBe('team0');
    expect(link('vnet0').master).toBe('br100');
    expect(link('eth2').master).toBeUndefined();
    expect(link('bond0').lower).toEqual(['eth0', 'eth1']);
    expect(link('macvtap0').lower).toEqual(['eth2']);
    expect(link('veth0').peer).toBe('veth1');
    expect(link('bond0.100').vlanId).toBe(100);
    expect(link('bond0').bond).toEqual({ mode: '802.3ad', activeMember: undefined });
  });

  it.each([
    ['a tap on a bridge over a VLAN on a bond', 'vnet0', ['bond0.100']],
    ['a tap on a bridge over a team', 'vnet1', ['team0']],
    ['a tap on a bridge over a VLAN of another bridge', 'vnet2', ['eth4']],
    ['a macvtap', 'macvtap0', ['eth2']],
  ])('lead %s to its uplink', (_, name, uplinks) => {
    link(name);
    expect(findUplinks(name, table)).toEqual({ uplinks, unseen: undefined });
  });

  it('have the speed of the wire where the driver knows it', () => {
    const speedOf = (name: string) => link(name).state?.speed;
    expect(speedOf('eth0')).toEqual({ known: true, bitsPerSecond: 25e9 });
    // No switch answers LACP, so that one of the two transmits: 25 Gbit/s and not 50.
    expect(speedOf('bond0')).toEqual({ known: true, bitsPerSecond: 25e9 });
    expect(speedOf('bond0.100')).toEqual({ known: true, bitsPerSecond: 25e9 });
    expect(speedOf('team0')).toEqual({ known: true, bitsPerSecond: 10e9 });
    expect(speedOf('eth2')).toEqual({ known: false, because: 'unknown' });
    expect(speedOf('br100')).toEqual({ known: false, because: 'made-up' });
  });

  it('are counted', () => {
    expect(link('bond0').counters?.transmittedPackets).toBeGreaterThan(0n);
  });
});
