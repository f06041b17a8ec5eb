import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { createGroup, createPartition, memoryLimitFile, type LabGroup } from './cgroup.ts';
import { run } from './command.ts';
import { domainXml } from './domain-xml.ts';
import { freezeThreads } from './freezer.ts';
import { mountFuse, type FuseFilesystem } from './fuse.ts';
import { awaitExporter, freePort, type LabExporter } from './exporter.ts';
import { cacheDirectory, guestImage, type GuestImage } from './guest-image.ts';
import type { GuestSpec } from './guest-spec.ts';
import { Guest } from './guest.ts';
import { hostPrograms, labHost, type HostPrograms, type LabHost } from './host.ts';
import {
  addSwapFile,
  changeSetting,
  limitMemory,
  reserveHugePages,
  setKsm,
  type KsmSettings,
} from './host-settings.ts';
import { Journal, undo } from './journal.ts';
import { claimLabDirectory, type LabDirectory } from './lab-directory.ts';
import { startProcess, type LabProcess } from './lab-process.ts';
import {
  configureDaemon,
  daemonSockets,
  startDaemon,
  type DaemonSettings,
  type DaemonSockets,
  type Shims,
} from './libvirt-daemon.ts';
import {
  createNamespaces,
  mountNamespaceOf,
  privatePath,
  type LabNamespaces,
} from './namespaces.ts';
import { startOwnHost, type OwnHost } from './own-host.ts';
import { ensurePackages, LAB_PACKAGES } from './packages.ts';
import { startPeer } from './peer.ts';
import { identify, signal, type ProcessIdentity } from './process-identity.ts';
import { traceThreads } from './trace-threads.ts';
import { startReaper } from './start-reaper.ts';
import { attachLoopDevice, mountFilesystem, prepareDisk, type FilesystemType } from './storage.ts';

export interface LabOptions {
  /** Lines added to libvirtd.conf. */
  readonly daemon?: DaemonSettings;
  /** Lines added to qemu.conf. */
  readonly qemu?: DaemonSettings;
  /** Programs libvirtd finds before the host's, by name: the text of a script with its `#!` line. */
  readonly shims?: Shims;
}

export interface ExporterOptions {
  /** Flags after the lab's own (`--web.listen-address`, `--libvirt.uri`, `--path.sysfs`). */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Path asked to see that it is up; default `/-/healthy`. */
  readonly readyPath?: string;
  /** Where it runs; default this machine, where the lab's libvirt is. */
  readonly host?: OwnHost;
}

export interface SpawnOptions {
  /** Default `lab`. */
  readonly network?: 'host' | 'lab' | 'peer';
  /** `daemon` sees the lab's directories under libvirt's compiled-in paths; default `host`. */
  readonly mounts?: 'host' | 'daemon';
  readonly env?: Readonly<Record<string, string>>;
}

const REPOSITORY = resolve(import.meta.dirname, '..');
/** virsh calls at a time when many guests are started: each is one QEMU starting. */
const STARTS_AT_ONCE = 4;
const FIRST_GUEST_HOST = 10;
const LAST_GUEST_HOST = 254;

/**
 * A private libvirtd with real QEMU guests, beside and apart from the host's own. Needs root on
 * Debian 12; installs what is missing.
 *
 * All it makes is undone by `close()`, by `await using`, or, when this process ends without either
 * (Ctrl-C, crash, SIGKILL), by a reaper process that outlives it.
 */
export async function openLab(options: LabOptions = {}): Promise<Lab> {
  if (process.getuid?.() !== 0) throw new Error('the lab needs root');
  await ensurePackages(LAB_PACKAGES);
  const host = await labHost();
  const image = await guestImage();
  const directory = await claimLabDirectory();
  const hangUpReaper = startReaper(directory);
  const shims = options.shims ?? {};
  try {
    const journal = new Journal(directory.root);
    configureDaemon(directory, options.daemon ?? {}, options.qemu ?? {});
    const partition = createPartition(directory.slot, journal);
    journal.record({ kind: 'mount', path: directory.hugePages });
    await run('mount', ['-t', 'hugetlbfs', 'hugetlbfs', directory.hugePages]);
    const namespaces = await createNamespaces(directory, journal, cacheDirectory(), host);
    await startPeer(directory, namespaces, journal);
    const programs = hostPrograms(host, namespaces.mount);
    const daemon = await startDaemon(directory, namespaces, journal, shims, programs);
    return new Lab({
      ...{ directory, journal, image, partition, namespaces },
      ...{ host, programs, daemon, shims, hangUpReaper },
    });
  } catch (error) {
    // What could not be undone is tried again, and reported, when the next lab starts.
    await undo(directory.root, directory.token).catch(() => undefined);
    hangUpReaper();
    throw error;
  }
}

interface LabParts {
  readonly directory: LabDirectory;
  readonly journal: Journal;
  readonly image: GuestImage;
  readonly partition: string;
  readonly namespaces: LabNamespaces;
  readonly host: LabHost;
  readonly programs: HostPrograms;
  readonly daemon: LabProcess;
  readonly shims: Shims;
  readonly hangUpReaper: () => void;
}

export class Lab implements AsyncDisposable {
  readonly directory: LabDirectory;
  readonly network: LabNamespaces;
  readonly sockets: DaemonSockets;
  readonly host: LabHost;
  /** The host's own virsh, qemu-img and so on. */
  readonly programs: HostPrograms;
  readonly #parts: LabParts;
  readonly #guests = new Map<string, Guest>();
  #daemon: LabProcess;
  /** Guests, file systems and processes so far, for names nobody has used. */
  #made = 0;
  #nextHost = FIRST_GUEST_HOST;

  constructor(parts: LabParts) {
    this.#parts = parts;
    this.#daemon = parts.daemon;
    this.directory = parts.directory;
    this.network = parts.namespaces;
    this.sockets = daemonSockets(parts.directory);
    this.host = parts.host;
    this.programs = parts.programs;
  }

  /** For `--path.sysfs` of an exporter: /sys as seen from the lab's network namespace. */
  get sysfs(): string {
    return this.directory.sysfs;
  }

  get guests(): readonly Guest[] {
    return [...this.#guests.values()];
  }

  guest(name: string): Guest {
    const guest = this.#guests.get(name);
    if (guest === undefined) throw new Error(`the lab has no guest ${name}`);
    return guest;
  }

  /** Runs virsh on the lab's daemon and returns what it printed: an independent way to read. */
  virsh = async (...args: readonly string[]): Promise<string> =>
    this.programs.run('virsh', ['-q', '-c', this.sockets.uri, ...args]);

  /** Makes the guests' disks, defines persistent ones, and starts all, a few at a time. */
  async startGuests(specs: readonly GuestSpec[]): Promise<readonly Guest[]> {
    return this.#inBatches(specs, (spec) => this.startGuest(spec));
  }

  async startGuest(spec: GuestSpec): Promise<Guest> {
    const { guest, xmlFile } = await this.#prepare(spec);
    if (spec.persistent === true) {
      await this.virsh('define', xmlFile);
      await guest.start();
    } else {
      await this.virsh('create', xmlFile, ...(spec.paused === true ? ['--paused'] : []));
    }
    if (spec.autostart === true) await this.virsh('autostart', spec.name);
    return guest;
  }

  /** Defines a guest without starting it. */
  async defineGuest(spec: GuestSpec): Promise<Guest> {
    const { guest, xmlFile } = await this.#prepare({ ...spec, persistent: true });
    await this.virsh('define', xmlFile);
    if (spec.autostart === true) await this.virsh('autostart', spec.name);
    return guest;
  }

  /** Waits until a guest prints a text on its console; default that it is in user space. */
  async waitFor(name: string, pattern?: string | RegExp, timeoutMs?: number): Promise<void> {
    await this.guest(name).waitFor(pattern, timeoutMs);
  }

  qemuPid(name: string): number {
    return this.guest(name).qemuPid();
  }

  async destroy(name: string): Promise<void> {
    await this.guest(name).destroy();
  }

  /** SIGSTOP for a process of the lab, e.g. a QEMU, whose monitor then never answers. */
  pause(pid: number): void {
    signal(this.#own(pid), 'SIGSTOP');
  }

  resume(pid: number): void {
    signal(this.#own(pid), 'SIGCONT');
  }

  /** SIGKILL for a process of the lab. */
  kill(pid: number): void {
    signal(this.#own(pid), 'SIGKILL');
  }

  /** Ends libvirtd; its guests run on. SIGKILL is a crash. */
  async killDaemon(name: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#daemon.stop(name);
  }

  /** Starts libvirtd again after `killDaemon`. It finds the running guests. */
  async startDaemon(): Promise<void> {
    if (this.#daemon.isRunning()) return;
    const { journal, shims } = this.#parts;
    this.#daemon = await startDaemon(this.directory, this.network, journal, shims, this.programs);
  }

  daemonPid(): number {
    return this.#daemon.pid;
  }

  /** A file system of its own size; returns its mount point. */
  async filesystem(options: {
    readonly sizeMib: number;
    readonly type: FilesystemType;
    readonly name?: string;
  }): Promise<string> {
    const name = options.name ?? `fs${this.#number()}`;
    const mountPoint = join(this.directory.filesystems, name);
    const image = join(this.directory.images, `${name}.fs`);
    const { type, sizeMib } = options;
    await mountFilesystem({ type, sizeMib, mountPoint, image }, this.#parts.journal);
    return mountPoint;
  }

  /** A directory behind a FUSE server, which can be made to die like a file server. */
  async fuse(name = `fuse${this.#number()}`): Promise<FuseFilesystem> {
    const source = join(this.directory.images, name);
    const mountPoint = join(this.directory.filesystems, name);
    return mountFuse({ source, mountPoint, lab: this }, this.#parts.journal);
  }

  /**
   * Stops single threads of the lab's processes, so that they are `t` in /proc, by ptrace.
   * They go on when the returned function is called, and whenever this process ends.
   */
  async traceThreads(tids: readonly number[]): Promise<() => Promise<void>> {
    return traceThreads(tids.map((tid) => this.#own(tid).pid));
  }

  /**
   * The same by a v1 freezer cgroup: they are `D` in /proc.
   *
   * @throws Error on a host without the v1 freezer, see `canFreezeThreads`.
   */
  async freezeThreads(tids: readonly number[]): Promise<() => Promise<void>> {
    const name = `kvmlab${this.directory.slot}-${this.#number()}`;
    const own = tids.map((tid) => this.#own(tid).pid);
    return freezeThreads(name, own, this.#parts.journal);
  }

  /** A block device of its own; returns its path. */
  async blockDevice(sizeMib: number): Promise<string> {
    const image = join(this.directory.images, `block${this.#number()}.img`);
    return attachLoopDevice(image, sizeMib, this.#parts.journal);
  }

  /** Adds swap to the whole host until the lab ends; returns the file. */
  async swapFile(sizeMib: number): Promise<string> {
    const path = join(this.directory.images, `swap${this.#number()}`);
    await addSwapFile(path, sizeMib, this.#parts.journal);
    return path;
  }

  /** Changes KSM for the whole host until the lab ends. */
  ksm(settings: KsmSettings): void {
    setKsm(settings, this.#parts.journal);
  }

  /** Reserves 2 MiB huge pages on the host until the lab ends. */
  hugePages(count: number): void {
    reserveHugePages(count, this.#parts.journal);
  }

  /**
   * Leaves a guest's QEMU at most so much of the host's memory: the rest is swapped out (v1
   * memory.limit_in_bytes, v2 memory.high). Returns what lifts it again.
   */
  async squeezeMemory(name: string, bytes: number): Promise<() => void> {
    const file = memoryLimitFile(this.qemuPid(name));
    return limitMemory(file, bytes, this.#parts.journal);
  }

  /** Writes any kernel file until the lab ends or the returned function is called. */
  changeSetting(path: string, value: string): () => void {
    return changeSetting(path, value, this.#parts.journal);
  }

  /** Runs `ip` in the lab's network namespace, e.g. `ip('link', 'set', 'vnet0', 'down')`. */
  async ip(...args: readonly string[]): Promise<string> {
    return this.run('ip', args);
  }

  /** Runs a command to its end in one of the lab's network namespaces; returns its output. */
  async run(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<string> {
    const env = options.env === undefined ? {} : { env: options.env };
    return run('nsenter', [...this.#enter(options), command, ...args], env);
  }

  /** Starts a command that runs until stopped or until the lab ends. */
  async spawn(
    command: string,
    args: readonly string[],
    options: SpawnOptions = {},
  ): Promise<LabProcess> {
    const name = `${command.slice(command.lastIndexOf('/') + 1)}-${this.#number()}`;
    return startProcess(
      this.#parts.journal,
      'nsenter',
      [...this.#enter(options), command, ...args],
      {
        logFile: join(this.directory.logs, `${name}.log`),
        ...(options.env === undefined ? {} : { env: options.env }),
      },
    );
  }

  /**
   * A host of its own inside the lab, which has no libvirt and none of this machine's processes.
   *
   * @param mounts shell lines that put what it has at the paths of a real host.
   */
  async ownHost(mounts = ''): Promise<OwnHost> {
    return startOwnHost(this, this.#parts.journal, mounts);
  }

  /** A cgroup of this machine, such as `/qemu.slice/100.scope`, until the lab ends. */
  group(name: string): LabGroup {
    return createGroup(name, this.#parts.journal);
  }

  /**
   * Starts this repository's exporter in the lab's network namespace (where the tap devices are)
   * but in the host's mount namespace, reading libvirt's read-only socket. On a host of its own
   * nobody tells it of a libvirt.
   */
  async exporter(options: ExporterOptions = {}): Promise<LabExporter> {
    const address = `${this.network.labAddress}:${await freePort(this.network.network)}`;
    const { host, env } = options;
    const flags = [
      `--web.listen-address=${address}`,
      ...(host === undefined ? [`--libvirt.uri=${this.sockets.readOnlyUri}`] : []),
      `--path.sysfs=${this.sysfs}`,
      ...(options.flags ?? []),
    ];
    const program = join(REPOSITORY, 'bin/kvm-overcommit-exporter');
    const started =
      host === undefined
        ? await this.spawn(program, flags, env === undefined ? {} : { env })
        : await host.spawn(program, flags, env);
    return awaitExporter(started, `http://${address}`, options.readyPath ?? '/-/healthy');
  }

  /** Ends and undoes everything. Can be called twice. */
  async close(): Promise<void> {
    for (const guest of this.#guests.values()) guest.close();
    this.#guests.clear();
    await undo(this.directory.root, this.directory.token);
    this.#parts.hangUpReaper();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #prepare(spec: GuestSpec): Promise<{ guest: Guest; xmlFile: string }> {
    if (this.#guests.has(spec.name)) throw new Error(`guest ${spec.name} exists already`);
    const number = this.#number();
    const directory = join(this.directory.guests, String(number));
    mkdirSync(directory);
    const hosts = (spec.nics ?? []).map(() => this.#host());
    const diskPaths: string[] = [];
    const disks = [];
    for (const [index, disk] of (spec.disks ?? []).entries()) {
      const name = `g${number}-d${index}`;
      const path = await prepareDisk(disk.source, this.directory.images, name, this.programs);
      diskPaths.push(path);
      disks.push({ spec: disk, path });
    }
    const { network } = this;
    const xml = domainXml(spec, {
      image: this.#parts.image,
      disks,
      bridge: network.bridge,
      partition: this.#parts.partition,
      consoleLog: join(directory, 'console.log'),
      commandSocket: join(directory, 'command.sock'),
      sideMonitorSocket: join(directory, 'side.sock'),
      nicAddresses: hosts.map((host, index) => ({
        mac: macAddress(this.directory.slot, number, index),
        ip: host === undefined ? 'none' : `${network.guestPrefix}${host}/24`,
      })),
    });
    const xmlFile = join(directory, 'domain.xml');
    writeFileSync(xmlFile, xml);
    const guest = new Guest(spec, {
      virsh: this.virsh,
      directory,
      // Not the pid file beside it: libvirt 9.0 escapes the name in that one as XML.
      statusFile: join(privatePath(this.directory, '/run/libvirt'), 'qemu', `${spec.name}.xml`),
      diskPaths,
      addresses: hosts.map((host) =>
        host === undefined ? undefined : `${network.guestPrefix}${host}`,
      ),
    });
    this.#guests.set(spec.name, guest);
    return { guest, xmlFile };
  }

  async #inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
    const results: R[] = [];
    const queue = [...items.entries()];
    const worker = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        results[next[0]] = await work(next[1]);
      }
    };
    await Promise.all(Array.from({ length: STARTS_AT_ONCE }, worker));
    return results;
  }

  #enter(options: SpawnOptions): readonly string[] {
    const { network, peerNetwork, mount } = this.network;
    const file = { host: '/proc/self/ns/net', lab: network, peer: peerNetwork };
    return [
      `--net=${file[options.network ?? 'lab']}`,
      ...(options.mounts === 'daemon' ? [`--mount=${mount}`] : []),
    ];
  }

  /** A process that is the lab's: in its mount namespace. Guards against signalling others. */
  #own(pid: number): ProcessIdentity {
    const identity = identify(pid);
    if (identity === undefined) throw new Error(`no process ${pid}`);
    if (mountNamespaceOf(pid) !== this.network.mountNamespaceName) {
      throw new Error(`process ${pid} is not the lab's`);
    }
    return identity;
  }

  #number(): number {
    return this.#made++;
  }

  #host(): number | undefined {
    return this.#nextHost > LAST_GUEST_HOST ? undefined : this.#nextHost++;
  }
}

/** A locally administered address which no two NICs of all labs share. */
function macAddress(slot: number, guest: number, nic: number): string {
  const bytes = [0x52, 0x54, slot, guest >> 8, guest & 0xff, nic];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
