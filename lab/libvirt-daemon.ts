import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { HostPrograms } from './host.ts';
import type { Journal } from './journal.ts';
import type { LabDirectory } from './lab-directory.ts';
import { startProcess, type LabProcess } from './lab-process.ts';
import { privatePath, type LabNamespaces } from './namespaces.ts';
import { eventually } from './polling.ts';

/** Extra lines for libvirtd.conf and qemu.conf, e.g. `{ max_workers: 5 }`. */
export type DaemonSettings = Readonly<Record<string, string | number | readonly string[]>>;

export interface DaemonSockets {
  readonly readWrite: string;
  readonly readOnly: string;
  /** libvirt connection URIs of the two. */
  readonly uri: string;
  readonly readOnlyUri: string;
}

export function daemonSockets(directory: LabDirectory): DaemonSockets {
  const readWrite = join(directory.sockets, 'libvirt-sock');
  const readOnly = join(directory.sockets, 'libvirt-sock-ro');
  return {
    readWrite,
    readOnly,
    uri: `qemu+unix:///system?socket=${readWrite}`,
    readOnlyUri: `qemu+unix:///system?socket=${readOnly}`,
  };
}

/** Controllers libvirtd gives each guest a cgroup in (those that the host has). */
export const GUEST_CONTROLLERS = ['cpu', 'cpuacct', 'cpuset', 'memory', 'blkio'] as const;

/** Writes libvirtd.conf and qemu.conf into the lab's /etc/libvirt. */
export function configureDaemon(
  directory: LabDirectory,
  daemon: DaemonSettings,
  qemu: DaemonSettings,
): void {
  const etc = privatePath(directory, '/etc/libvirt');
  mkdirSync(etc, { recursive: true });
  writeFileSync(
    join(etc, 'libvirtd.conf'),
    settings({
      unix_sock_dir: directory.sockets,
      unix_sock_ro_perms: '0777',
      unix_sock_rw_perms: '0700',
      auth_unix_ro: 'none',
      auth_unix_rw: 'none',
      log_level: 3,
      log_outputs: `3:file:${join(directory.logs, 'libvirtd.log')}`,
      ...daemon,
    }),
  );
  writeFileSync(
    join(etc, 'qemu.conf'),
    settings({
      user: 'root',
      group: 'root',
      dynamic_ownership: 0,
      remember_owner: 0,
      security_driver: 'none',
      cgroup_controllers: GUEST_CONTROLLERS,
      // Without this QEMU gets a /dev of its own, in which the lab's loop devices do not appear.
      namespaces: [],
      // virtlogd would be one more daemon.
      stdio_handler: 'file',
      hugetlbfs_mount: directory.hugePages,
      ...qemu,
    }),
  );
}

/** Stand-ins for programs the daemon runs, found before the real ones: name to shell script. */
export type Shims = Readonly<Record<string, string>>;

/**
 * Starts libvirtd inside the lab's namespaces and waits until it answers. Guests that run already
 * are found again.
 */
export async function startDaemon(
  directory: LabDirectory,
  namespaces: LabNamespaces,
  journal: Journal,
  shims: Shims,
  programs: HostPrograms,
): Promise<LabProcess> {
  const { uri, readWrite } = daemonSockets(directory);
  const daemon = await startProcess(
    journal,
    'nsenter',
    [
      `--net=${namespaces.network}`,
      `--mount=${namespaces.mount}`,
      ...['libvirtd', '--pid-file', join(directory.state, 'libvirtd.pid')],
    ],
    {
      logFile: join(directory.logs, 'libvirtd.out'),
      env: {
        PATH: `${installShims(directory, shims)}:${process.env['PATH'] ?? '/usr/sbin:/usr/bin'}`,
      },
    },
  );
  await eventually(
    'libvirtd answers',
    60_000,
    async () => {
      if (!daemon.isRunning()) throw new Error(`libvirtd ended: ${daemon.output()}`);
      if (!existsSync(readWrite)) return false;
      return (await programs.attempt('virsh', ['-c', uri, 'list', '--name'])).status === 0;
    },
    () => daemon.output(),
  );
  return daemon;
}

/** Puts our stand-in for tc, and those asked for, into a directory for the front of the daemon's PATH. */
function installShims(directory: LabDirectory, shims: Shims): string {
  const bin = join(directory.state, 'bin');
  mkdirSync(bin, { recursive: true });
  const tc = readFileSync(join(import.meta.dirname, 'tc-shim.sh'), 'utf8');
  for (const [name, script] of Object.entries({ tc, ...shims })) {
    writeFileSync(join(bin, name), script);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}

/** A libvirt configuration file: `name = value`, strings and lists quoted. */
function settings(values: DaemonSettings): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`)
    .join('');
}
