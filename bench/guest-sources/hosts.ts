import { mkdirSync, renameSync, utimesSync } from 'node:fs';
import { dirname } from 'node:path';

import { fakeGuests, VCPUS, type FakeGuest } from '../../test/support/fake-host/fake-guest.ts';
import { makeFakeHost, type FakeHost } from '../../test/support/fake-host/fake-host.ts';
import { touchSystemImages, writeImages } from '../../test/support/fake-host/fake-images.ts';
import { FileTree } from '../../test/support/fake-host/file-tree.ts';

/** A made-up host whose guests one source tells of. */
export interface SourceHost extends Disposable {
  readonly flags: readonly string[];
  readonly host: FakeHost;
  /** As between two scrapes of a real host: images are written to, and so are statistics. */
  change(): void;
}

/** Guests as libvirt runs them; the daemon is not part of it. */
export function libvirtHost(count: number): SourceHost {
  const host = makeFakeHost(count);
  return {
    host,
    flags: pathFlags(host),
    change: () => {
      touchSystemImages(host.guests);
    },
    [Symbol.dispose]: () => {
      host[Symbol.dispose]();
    },
  };
}

const FIRST_VMID = 100;
const MIB = 1024 ** 2;
const GENERATIONS = 180;

/** The same guests on a node of Proxmox VE: as large, with as many disks, NICs and threads. */
export function proxmoxHost(count: number): SourceHost {
  const host = makeFakeHost(0);
  const root = new FileTree(`${host.directory}/root`);
  const images = `${host.directory}/images`;
  const vmidOf = ({ index }: FakeGuest): number => FIRST_VMID + index;
  const guests = fakeGuests(count, images).map((guest): FakeGuest => {
    const vmid = vmidOf(guest);
    return {
      ...guest,
      taps: [`tap${vmid}i0`, `tap${vmid}i1`],
      scope: `/qemu.slice/${vmid}.scope`,
    };
  });
  writeImages(guests, images);
  const systemImages: string[] = [];
  for (const guest of guests) {
    const vmid = vmidOf(guest);
    const directory = `var/lib/vz/images/${vmid}`;
    systemImages.push(moveTo(root, guest.systemImage, `${directory}/vm-${vmid}-disk-0.qcow2`));
    moveTo(root, guest.dataImage, `${directory}/vm-${vmid}-disk-1.raw`);
    host.add(guest);
    replaceProcess(host, guest, [
      ...['-id', String(vmid), '-name', `${guest.name},debug-threads=on`, '-no-shutdown'],
      ...['-pidfile', `/var/run/qemu-server/${vmid}.pid`, '-daemonize'],
      ...['-smbios', `type=1,uuid=${guest.uuid}`, '-m', '8192'],
      ...['-smp', `${VCPUS},sockets=1,cores=${VCPUS},maxcpus=${VCPUS}`],
    ]);
    root.write(`etc/pve/qemu-server/${vmid}.conf`, configOf(vmid, guest));
  }
  const [first] = guests;
  // Images of the guests name it by its path, which is now below the root.
  if (first !== undefined) moveTo(root, first.baseImage, first.baseImage.slice(1));
  root.write('etc/pve/storage.cfg', 'dir: local\n\tpath /var/lib/vz\n\tcontent images\n');
  const writeStatistics = (): void => {
    const line = statisticsOf(guests.map(vmidOf));
    root.replace('run/pve/metrics', line.repeat(GENERATIONS + 1));
  };
  writeStatistics();
  return {
    host,
    flags: [...pathFlags(host), `--path.rootfs=${root.root}`],
    change: () => {
      writeStatistics();
      touch(systemImages);
    },
    [Symbol.dispose]: () => {
      host[Symbol.dispose]();
    },
  };
}

/** The same guests, each in a unit of systemd. Nobody tells of their disks. */
export function processHost(count: number): SourceHost {
  const host = makeFakeHost(0);
  for (const known of fakeGuests(count, `${host.directory}/images`)) {
    const guest = { ...known, scope: `/system.slice/${known.name}.service` };
    host.add(guest);
    replaceProcess(host, guest, [
      ...['-name', `guest=${guest.name},debug-threads=on`, '-m', '8192', '-smp', String(VCPUS)],
      ...['-uuid', guest.uuid, '-accel', 'kvm', '-device', 'virtio-balloon-pci'],
      ...guest.taps.flatMap((tap) => ['-netdev', `tap,ifname=${tap},script=no`]),
    ]);
    const sysfs = new FileTree(host.sysfs);
    sysfs.write(`fs/cgroup${guest.scope}/cgroup.procs`, `${guest.pid}\n`);
  }
  return {
    host,
    flags: pathFlags(host),
    change: () => undefined,
    [Symbol.dispose]: () => {
      host[Symbol.dispose]();
    },
  };
}

function pathFlags({ procfs, sysfs }: FakeHost): readonly string[] {
  return [`--path.procfs=${procfs}`, `--path.sysfs=${sysfs}`, '--scrape.timeout=60s'];
}

/** Who started it, as root: its words, and its group instead of libvirt's inside. */
function replaceProcess(host: FakeHost, guest: FakeGuest, words: readonly string[]): void {
  const procfs = new FileTree(host.procfs);
  procfs.write(`${guest.pid}/cmdline`, ['/usr/bin/kvm', ...words, ''].join('\0'));
  procfs.write(`${guest.pid}/cgroup`, `0::${guest.scope}\n`);
}

function moveTo(tree: FileTree, from: string, path: string): string {
  const to = `${tree.root}/${path}`;
  mkdirSync(dirname(to), { recursive: true });
  renameSync(from, to);
  return to;
}

function touch(paths: readonly string[]): void {
  const now = new Date();
  for (const path of paths) utimesSync(path, now, now);
}

function configOf(vmid: number, { name, uuid }: FakeGuest): string {
  return [
    '#made up',
    'agent: 1',
    'balloon: 4096',
    'boot: order=scsi0',
    `cores: ${VCPUS}`,
    'cpu: host',
    'cpuunits: 200',
    'memory: 8192',
    `name: ${name.replaceAll(/[^\w-]/g, '-')}`,
    'net0: virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1,rate=125',
    'net1: virtio=BC:24:11:00:00:02,bridge=vmbr0',
    'onboot: 1',
    'ostype: l26',
    `scsi0: local:${vmid}/vm-${vmid}-disk-0.qcow2,discard=on,iothread=1,mbps_rd=50,size=40G`,
    `scsi1: local:${vmid}/vm-${vmid}-disk-1.raw,size=100G`,
    'scsihw: virtio-scsi-single',
    `smbios1: uuid=${uuid}`,
    'sockets: 1',
    'tags: prod;web',
    '',
  ].join('\n');
}

const REQUESTS = ['rd', 'wr', 'flush', 'unmap'] as const;

/** A line as pvestatd writes it of these VMs now (vmstatus with `full`). */
function statisticsOf(vmids: readonly number[]): string {
  const timestamp = Math.floor(Date.now() / 1000);
  const counters = Object.fromEntries(
    REQUESTS.flatMap((kind) => [
      [`${kind}_bytes`, 98_765_432_101],
      [`${kind}_operations`, 1_920_001],
      [`${kind}_total_time_ns`, 12_345_678_901],
      [`${kind}_merged`, 0],
      [`failed_${kind}_operations`, 0],
      [`invalid_${kind}_operations`, 0],
    ]),
  );
  const vms = vmids.map((vmid): readonly [number, object] => [
    vmid,
    {
      ...{ vmid, name: `vm-${vmid}`, status: 'running', qmpstatus: 'running', cpus: VCPUS },
      ...{ maxmem: 8192 * MIB, mem: 5000 * MIB, uptime: 86_400, pid: 4711, cpu: 0.25 },
      ballooninfo: {
        ...{ actual: 8192 * MIB, max_mem: 8192 * MIB, total_mem: 8000 * MIB, free_mem: 900 * MIB },
        ...{ mem_swapped_in: 1, mem_swapped_out: 2, major_page_faults: 3, minor_page_faults: 4 },
        last_update: timestamp,
      },
      blockstat: { scsi0: counters, scsi1: counters },
      nics: {
        [`tap${vmid}i0`]: { netin: 1, netout: 2 },
        [`tap${vmid}i1`]: { netin: 3, netout: 4 },
      },
    },
  ]);
  return `${JSON.stringify({
    node: { timestamp, data: {} },
    qemu: { timestamp, data: Object.fromEntries(vms) },
    lxc: { timestamp, data: {} },
    storage: { timestamp, data: {} },
  })}\n`;
}
