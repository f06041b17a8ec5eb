import type { FakeGuest } from './fake-guest.ts';
import type { FileTree } from './file-tree.ts';

const LOOPBACK_INDEX = 1;
const UPLINK_INDEX = 2;
const BRIDGE_INDEX = 3;
const FIRST_TAP_INDEX = 10;

/** Writes the interfaces of the host: all taps and one 25 Gbit/s uplink are ports of `br0`. */
export function writeNetwork(
  procfs: FileTree,
  sysfs: FileTree,
  guests: readonly FakeGuest[],
): void {
  writeLink(sysfs, 'lo', LOOPBACK_INDEX, { type: '772\n' });
  writeLink(sysfs, 'eno1', UPLINK_INDEX, { speed: '25000\n', 'device/vendor': '0x15b3\n' });
  writeLink(sysfs, 'br0', BRIDGE_INDEX, {}, 'DEVTYPE=bridge\n');
  linkPort(sysfs, 'eno1');
  sysfs.link('class/net/eno1/master', '../br0');
  for (const guest of guests) {
    writeTaps(sysfs, guest);
    for (const tap of guest.taps) linkPort(sysfs, tap);
  }
  writeNetDev(procfs, guests);
}

/** The taps of a guest, ports of the bridge; the bridge's own link to each is {@link linkPort}'s. */
export function writeTaps(sysfs: FileTree, { index, taps }: FakeGuest): void {
  for (const [i, tap] of taps.entries()) {
    const ifindex = FIRST_TAP_INDEX + index * taps.length + i;
    writeLink(sysfs, tap, ifindex, { tun_flags: '0x5102\n', speed: '10000\n' });
    sysfs.link(`class/net/${tap}/master`, '../br0');
  }
}

export function linkPort(sysfs: FileTree, port: string): void {
  sysfs.link(portLink(port), `../${port}`);
}

/** Where the bridge names one of its ports. */
export function portLink(port: string): string {
  return `class/net/br0/lower_${port}`;
}

/** The counters of all interfaces, which are there at once, as the kernel's are. */
export function writeNetDev(procfs: FileTree, guests: readonly FakeGuest[]): void {
  const taps = guests.flatMap((guest) => guest.taps);
  procfs.replace('1/net/dev', netDev(['lo', 'eno1', 'br0', ...taps]));
}

function writeLink(
  sysfs: FileTree,
  name: string,
  index: number,
  files: Readonly<Record<string, string>>,
  devtype = '',
): void {
  for (const [path, content] of Object.entries({
    uevent: `${devtype}INTERFACE=${name}\nIFINDEX=${index}\n`,
    iflink: `${index}\n`,
    type: '1\n',
    mtu: '1500\n',
    tx_queue_len: '1000\n',
    carrier: '1\n',
    operstate: 'up\n',
    ...files,
  })) {
    sysfs.write(`class/net/${name}/${path}`, content);
  }
}

/** /proc/net/dev, columns as wide as net/core/net-procfs.c makes them. */
function netDev(names: readonly string[]): string {
  const headings =
    'Inter-|   Receive                                                |  Transmit\n' +
    ' face |bytes    packets errs drop fifo frame compressed multicast|' +
    'bytes    packets errs drop fifo colls carrier compressed\n';
  const lines = names.map((name) => {
    const number = Number(/\d+$/.exec(name)?.[0] ?? 0);
    const bytes = String(9_876_543_210 + number);
    const packets = String(12_345_678 + number);
    return (
      `${name.padStart(6)}: ${bytes.padStart(7)} ${packets.padStart(7)}    0    0    0     0 ` +
      `         0         0 ${bytes.padStart(8)} ${packets.padStart(7)}    0    3    0     0 ` +
      `      0          0\n`
    );
  });
  return headings + lines.join('');
}
