import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { z } from 'zod';

import { guestImage } from '../../lab/guest-image.ts';
import { jobsOnCommandLine, type GuestJob } from '../../lab/guest-job.ts';
import {
  eventually,
  type FuseFilesystem,
  type Lab,
  type LabGroup,
  type OwnHost,
  type OwnHostProcess,
} from '../../lab/index.ts';
import { SideMonitor } from './side-monitor.ts';

/** A VM to start as Proxmox VE starts it. */
export interface PveVmSpec {
  readonly vmid: number;
  readonly name: string;
  readonly uuid: string;
  readonly memoryMib: number;
  readonly cores: number;
  readonly drives: readonly {
    /** `scsi0`. */
    readonly key: string;
    readonly path: string;
    readonly format: 'qcow2' | 'raw';
  }[];
  /** NICs, each on a bridge of its own as with `firewall=1`. */
  readonly nics: number;
  /** What the guest does; without, there is nothing to boot and it stays in its firmware. */
  readonly jobs?: readonly GuestJob[];
}

export interface PveVm {
  readonly spec: PveVmSpec;
  readonly qemu: OwnHostProcess;
  readonly group: LabGroup;
  /** As Proxmox VE's own tools ask it; the exporter has no part in it. */
  readonly monitor: SideMonitor;
}

const blockStats = z.array(
  z.object({ device: z.string(), stats: z.record(z.string(), z.unknown()) }),
);
const balloonInfo = z.object({ actual: z.number() });
const guestStats = z.object({
  'last-update': z.number(),
  stats: z.record(z.string(), z.number()),
});

/** What QEMU itself says of a VM. */
export interface PveVmReading {
  /** `running`, `io-error`, … */
  readonly status: string;
  readonly actualBytes: number;
  /** By the name of the drive. */
  readonly disks: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Undefined before the guest's driver has reported. */
  readonly guest:
    | { readonly lastUpdate: number; readonly totalBytes: number; readonly freeBytes: number }
    | undefined;
}

const GENERATIONS = 180;

/**
 * A host inside the lab with what a node of Proxmox VE 9 has: its files at their paths, `/etc/pve` behind
 * a FUSE server as with pmxcfs, and Debian's QEMU started as qemu-server starts its own, but for `-id`,
 * which only that one takes, and `-daemonize`.
 */
export class ProxmoxNode {
  readonly host: OwnHost;
  readonly vms = new Map<number, PveVm>();
  /** Die, and all that read `/etc/pve` wait. */
  readonly pmxcfs: FuseFilesystem;
  readonly #lab: Lab;

  private constructor(lab: Lab, pmxcfs: FuseFilesystem, host: OwnHost) {
    this.#lab = lab;
    this.pmxcfs = pmxcfs;
    this.host = host;
  }

  static async open(lab: Lab): Promise<ProxmoxNode> {
    const pmxcfs = await lab.fuse('pmxcfs');
    for (const kind of ['qemu-server', 'lxc']) {
      mkdirSync(join(pmxcfs.source, 'nodes/one', kind), { recursive: true });
      symlinkSync(`nodes/one/${kind}`, join(pmxcfs.source, kind));
    }
    const host = await lab.ownHost(`
      mkdir -p /etc/pve
      mkdir -p -m 750 /run/pve /run/qemu-server
      mount --bind '${pmxcfs.mountPoint}' /etc/pve`);
    return new ProxmoxNode(lab, pmxcfs, host);
  }

  /** A file below `/etc/pve`. */
  write(path: string, text: string): void {
    const file = join(this.pmxcfs.source, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  vm(vmid: number): PveVm {
    const vm = this.vms.get(vmid);
    if (vm === undefined) throw new Error(`no VM ${vmid}`);
    return vm;
  }

  console(vmid: number): string {
    return join(this.#lab.directory.logs, `vm-${vmid}.console`);
  }

  /** Starts its QEMU in a scope of its own, and its taps behind `fwbr…` on the bridge. */
  async startVm(spec: PveVmSpec): Promise<PveVm> {
    const { vmid } = spec;
    const image = spec.jobs === undefined ? undefined : await guestImage();
    const words = ['console=ttyS0', 'quiet', 'panic=-1', 'no_timer_check'];
    const boot =
      image === undefined
        ? []
        : [
            ...['-kernel', image.kernel, '-initrd', image.initrd],
            ...['-append', [...words, `lab.job=${jobsOnCommandLine(spec.jobs ?? [])}`].join(' ')],
            ...['-serial', `file:${this.console(vmid)}`],
          ];
    const qemu = await this.host.start('qemu-system-x86_64', [
      ...['-name', `${spec.name},debug-threads=on`, '-no-shutdown'],
      ...['-chardev', `socket,id=qmp,path=/var/run/qemu-server/${vmid}.qmp,server=on,wait=off`],
      ...['-mon', 'chardev=qmp,mode=control'],
      ...['-pidfile', `/var/run/qemu-server/${vmid}.pid`],
      ...['-smbios', `type=1,uuid=${spec.uuid}`],
      ...['-smp', `${spec.cores},sockets=1,cores=${spec.cores},maxcpus=${spec.cores}`],
      ...['-nodefaults', '-display', 'none', '-m', String(spec.memoryMib)],
      ...['-machine', 'type=pc', '-accel', 'tcg'],
      ...['-device', 'virtio-balloon-pci,id=balloon0,free-page-reporting=on'],
      ...spec.drives.flatMap(({ key, path, format }) => [
        ...['-drive', `file=${path},if=none,id=drive-${key},format=${format},discard=on`],
        ...['-device', `virtio-blk-pci,drive=drive-${key},id=${key}`],
      ]),
      ...Array.from({ length: spec.nics }, (_, index) => [
        ...[
          '-netdev',
          `type=tap,id=net${index},ifname=${tapOf(vmid, index)},script=no,downscript=no`,
        ],
        ...['-device', `virtio-net-pci,netdev=net${index},id=net${index},romfile=`],
      ]).flat(),
      ...boot,
    ]);
    const group = this.#lab.group(`/qemu.slice/${vmid}.scope`);
    group.take(qemu.pid);
    const sideMonitorSocket = this.host.path(`/run/qemu-server/${vmid}.qmp`);
    const monitor = await eventually(
      `the QEMU of ${vmid} listens`,
      60_000,
      () => {
        if (!qemu.isRunning()) throw new Error(`QEMU ended:\n${qemu.output()}`);
        return SideMonitor.open({ sideMonitorSocket }).catch(() => undefined);
      },
      () => qemu.output(),
    );
    for (let index = 0; index < spec.nics; index += 1) await this.#plug(vmid, index);
    const vm = { spec, qemu, group, monitor };
    this.vms.set(vmid, vm);
    return vm;
  }

  /** tap → fwbr → fwln ⇄ fwpr → the bridge of the host (PVE/Network.pm, tap_plug with a firewall). */
  async #plug(vmid: number, index: number): Promise<void> {
    const bridge = `fwbr${vmid}i${index}`;
    const [inside, outside] = [`fwln${vmid}i${index}`, `fwpr${vmid}p${index}`];
    const lab = this.#lab;
    await lab.ip('link', 'add', bridge, 'type', 'bridge');
    await lab.ip('link', 'add', inside, 'type', 'veth', 'peer', 'name', outside);
    await lab.ip('link', 'set', inside, 'master', bridge, 'up');
    await lab.ip('link', 'set', outside, 'master', lab.network.bridge, 'up');
    await lab.ip('link', 'set', tapOf(vmid, index), 'master', bridge, 'up');
    await lab.ip('link', 'set', bridge, 'up');
  }

  async read(vmid: number): Promise<PveVmReading> {
    const { monitor } = this.vm(vmid);
    const { status } = z
      .object({ status: z.string() })
      .parse(await monitor.execute('query-status'));
    const { actual } = balloonInfo.parse(await monitor.execute('query-balloon'));
    const disks = blockStats.parse(await monitor.execute('query-blockstats'));
    const stats = guestStats.parse(
      await monitor.execute('qom-get', {
        path: '/machine/peripheral/balloon0',
        property: 'guest-stats',
      }),
    );
    const totalBytes = stats.stats['stat-total-memory'] ?? -1;
    const freeBytes = stats.stats['stat-free-memory'] ?? -1;
    return {
      status,
      actualBytes: actual,
      disks: Object.fromEntries(
        disks.map((disk) => [disk.device.replace(/^drive-/, ''), disk.stats]),
      ),
      // QEMU says 2^64 - 1 for what the guest has not told.
      guest:
        stats['last-update'] === 0 || totalBytes < 0 || totalBytes > 2 ** 53
          ? undefined
          : { lastUpdate: stats['last-update'], totalBytes, freeBytes },
    };
  }

  /** As pvestatd does every 10 s, of what it is given or what QEMUs say now. */
  async writeStatistics({ ageSeconds = 0, readings }: PveStatisticsOptions = {}): Promise<
    ReadonlyMap<number, PveVmReading>
  > {
    const running = [...this.vms].filter(([, { qemu }]) => qemu.isRunning());
    const known =
      readings ??
      new Map(
        await Promise.all(running.map(async ([vmid]) => [vmid, await this.read(vmid)] as const)),
      );
    const timestamp = Math.floor(Date.now() / 1000) - ageSeconds;
    const data = Object.fromEntries(
      [...known].map(([vmid, reading]) => [vmid, this.#toVmStatus(vmid, reading)]),
    );
    const newest = JSON.stringify({
      node: { timestamp, data: {} },
      qemu: { timestamp, data },
      lxc: { timestamp, data: {} },
      storage: { timestamp, data: {} },
    });
    const older = '{"qemu":{"timestamp":1,"data":{}}}\n'.repeat(GENERATIONS);
    this.writeMetrics(`${newest}\n${older}`);
    return known;
  }

  /** The file as it is, replaced at once as pvestatd replaces it. */
  writeMetrics(text: string | Uint8Array): void {
    const path = this.host.path('/run/pve/metrics');
    writeFileSync(`${path}.tmp`, text, { mode: 0o640 });
    renameSync(`${path}.tmp`, path);
  }

  /** vmstatus with `full` (qemu-server 9, PVE/QemuServer.pm). */
  #toVmStatus(vmid: number, reading: PveVmReading): object {
    const { spec } = this.vm(vmid);
    const { actualBytes, guest, status, disks } = reading;
    return {
      vmid,
      name: spec.name,
      pid: Number(readFileSync(this.host.path(`/run/qemu-server/${vmid}.pid`), 'utf8')),
      status: 'running',
      qmpstatus: status,
      cpus: spec.cores,
      maxmem: spec.memoryMib * 1024 ** 2,
      balloon: actualBytes,
      ballooninfo: {
        actual: actualBytes,
        max_mem: spec.memoryMib * 1024 ** 2,
        ...(guest === undefined
          ? {}
          : {
              last_update: guest.lastUpdate,
              total_mem: guest.totalBytes,
              free_mem: guest.freeBytes,
            }),
      },
      blockstat: disks,
    };
  }
}

export interface PveStatisticsOptions {
  /** How long ago it says it was written. */
  readonly ageSeconds?: number;
  readonly readings?: ReadonlyMap<number, PveVmReading>;
}

export function tapOf(vmid: number, index: number): string {
  return `tap${vmid}i${index}`;
}
