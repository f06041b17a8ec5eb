import { existsSync, mkdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

import { run } from './command.ts';
import type { LabHost } from './host.ts';
import type { Journal } from './journal.ts';
import type { LabDirectory } from './lab-directory.ts';

/**
 * Where the lab's network and mounts are.
 *
 * ```
 *  host namespace          lab namespace                          peer namespace
 *  kvmlabN 169.254.x.1 ─── host0 169.254.x.2   (exporter's HTTP)
 *                          labbr0 ─┬─ uplink0 ─────────────────── eth0 10.213.N.1
 *                                  ├─ vnet0 … (guests 10.213.N.10 …)
 * ```
 * Nothing forwards between them and there is no route out, so no packet leaves the machine.
 */
export interface LabNamespaces {
  /** Files for `nsenter --net=` and `nsenter --mount=`. */
  readonly network: string;
  readonly peerNetwork: string;
  readonly mount: string;
  /** As /proc/<pid>/ns/mnt shows it: `mnt:[4026532281]`. */
  readonly mountNamespaceName: string;
  readonly bridge: string;
  readonly uplink: string;
  /** The lab namespace's address as the host reaches it, and the host's as the lab does. */
  readonly labAddress: string;
  readonly hostAddress: string;
  /** The machine behind the uplink. */
  readonly peerAddress: string;
  /** `10.213.N.`: guests are numbered from 10. */
  readonly guestPrefix: string;
}

/** Paths compiled into libvirtd; each is replaced by a directory of the lab. */
const LIBVIRT_PATHS = [
  '/etc/libvirt',
  '/run/libvirt',
  '/var/lib/libvirt',
  '/var/cache/libvirt',
  '/var/log/libvirt',
] as const;

/** The lab's own directory for one of libvirtd's compiled-in paths. */
export function privatePath(directory: LabDirectory, path: (typeof LIBVIRT_PATHS)[number]): string {
  return join(directory.state, path.slice(1).replaceAll('/', '-'));
}

export async function createNamespaces(
  directory: LabDirectory,
  journal: Journal,
  cache: string,
  host: LabHost,
): Promise<LabNamespaces> {
  const namespaces = describe(directory);
  await createNetworks(directory, journal, namespaces);
  await mountSysfs(directory, journal, namespaces);
  const mountNamespaceName = await createMountNamespace(
    directory,
    journal,
    namespaces,
    cache,
    host,
  );
  return { ...namespaces, mountNamespaceName };
}

type Described = Omit<LabNamespaces, 'mountNamespaceName'>;

function describe(directory: LabDirectory): Described {
  const { slot } = directory;
  return {
    network: `/run/netns/kvmlab${slot}`,
    peerNetwork: `/run/netns/kvmlab${slot}-peer`,
    mount: join(directory.namespaces, 'mount'),
    bridge: 'labbr0',
    uplink: 'uplink0',
    hostAddress: `169.254.${100 + slot}.1`,
    labAddress: `169.254.${100 + slot}.2`,
    peerAddress: `10.213.${slot}.1`,
    guestPrefix: `10.213.${slot}.`,
  };
}

async function createNetworks(
  { slot }: LabDirectory,
  journal: Journal,
  namespaces: Described,
): Promise<void> {
  const lab = `kvmlab${slot}`;
  const peer = `kvmlab${slot}-peer`;
  for (const name of [lab, peer]) {
    journal.record({ kind: 'netns', name });
    await run('ip', ['netns', 'add', name]);
    await run('nsenter', [
      `--net=/run/netns/${name}`,
      ...['sh', '-ec'],
      `cd /proc/sys/net
       echo 0 >ipv4/ip_forward
       [ ! -d ipv6/conf ] || echo 1 >ipv6/conf/all/disable_ipv6
       [ ! -d ipv6/conf ] || echo 1 >ipv6/conf/default/disable_ipv6`,
    ]);
  }
  // Deleted with the host's end; the namespace's end alone would go a moment after the namespace.
  journal.record({ kind: 'link', name: lab });
  await run('ip', ['-batch', '-'], {
    input: `
      link add ${lab} type veth peer name host0 netns ${lab}
      address add ${namespaces.hostAddress}/30 dev ${lab}
      link set ${lab} up
    `,
  });
  await run('ip', ['-n', lab, '-batch', '-'], {
    input: `
      link set lo up
      address add ${namespaces.labAddress}/30 dev host0
      link set host0 up
      link add ${namespaces.bridge} type bridge stp_state 0 forward_delay 0
      link add ${namespaces.uplink} type veth peer name eth0 netns ${peer}
      link set ${namespaces.uplink} master ${namespaces.bridge} up
      link set ${namespaces.bridge} up
    `,
  });
  await run('ip', ['-n', peer, '-batch', '-'], {
    input: `
      link set lo up
      address add ${namespaces.peerAddress}/24 dev eth0
      link set eth0 up
    `,
  });
}

/**
 * /sys/class/net shows the network namespace of whoever mounted that sysfs, not of who reads it. So
 * the lab mounts one from inside its namespace, for `--path.sysfs`. The host's cgroups are mounted
 * in it again (a fresh sysfs has an empty fs/cgroup), private so that unmounting here cannot
 * propagate to /sys/fs/cgroup.
 */
async function mountSysfs(
  directory: LabDirectory,
  journal: Journal,
  namespaces: Described,
): Promise<void> {
  const { sysfs } = directory;
  journal.record({ kind: 'mount', path: sysfs });
  await run('nsenter', [`--net=${namespaces.network}`, 'mount', '-t', 'sysfs', 'sysfs', sysfs]);
  await run('mount', ['--make-private', sysfs]);
  await run('mount', ['--rbind', '/sys/fs/cgroup', `${sysfs}/fs/cgroup`]);
  await run('mount', ['--make-rprivate', `${sysfs}/fs/cgroup`]);
}

/**
 * A mount namespace in which libvirtd's compiled-in paths are the lab's directories. Mounts made
 * later under `filesystems` propagate into it, so guests can use images there; nothing propagates
 * out. The system bus is hidden: libvirtd would ask systemd-machined on it for a scope whose name
 * may be that of one of the host's own guests.
 *
 * On a host of its own the namespace has that host's root. It is put there by pivot_root, because
 * `nsenter --mount` goes to the root of the namespace and not to that of a process in a chroot: from
 * there it would start this machine's libvirtd, or reach it.
 */
async function createMountNamespace(
  directory: LabDirectory,
  journal: Journal,
  namespaces: Described,
  cache: string,
  host: LabHost,
): Promise<string> {
  await bindOnItself(directory.namespaces, journal);
  await run('mount', ['--make-private', directory.namespaces]);
  await bindOnItself(directory.filesystems, journal);
  await run('mount', ['--make-shared', directory.filesystems]);

  // QEMU's capabilities take seconds to find out; they depend on the host and not on the lab.
  const capabilities = host.name === 'here' ? 'libvirt' : `libvirt-${host.name}`;
  const sources = LIBVIRT_PATHS.map((path) => {
    const source =
      path === '/var/cache/libvirt' ? join(cache, capabilities) : privatePath(directory, path);
    mkdirSync(source, { recursive: true });
    return { path, source };
  });
  const script =
    host.root === undefined
      ? mountsHere(directory, journal, sources)
      : mountsInRoot(host.root, directory, cache, sources);
  const { mount: file } = namespaces;
  await run('touch', [file]);
  const name = await run('nsenter', [
    `--net=${namespaces.network}`,
    ...['unshare', `--mount=${file}`, '--propagation', 'slave', 'sh', '-ec', script],
  ]);
  journal.record({ kind: 'namespace', name: name.trim() });
  return name.trim();
}

/** A directory of the lab, and the compiled-in path of libvirtd it stands at. */
interface Replacement {
  readonly path: string;
  readonly source: string;
}

/** For this machine's own libvirtd. */
function mountsHere(
  directory: LabDirectory,
  journal: Journal,
  sources: readonly Replacement[],
): string {
  for (const { path } of sources) {
    if (existsSync(path)) continue;
    journal.record({ kind: 'directory', path });
    mkdirSync(path, { recursive: true });
  }
  const emptyDirectory = join(directory.state, 'empty');
  mkdirSync(emptyDirectory);
  return `
    ${sources.map(({ path, source }) => `mount --bind '${source}' '${path}'`).join('\n')}
    [ ! -d /run/dbus ] || mount --bind '${emptyDirectory}' /run/dbus
    mount --rbind '${directory.sysfs}' /sys
    readlink /proc/self/ns/mnt
  `;
}

/**
 * For the libvirtd of another root: with the kernel's file systems, devices, the lab and its cache at
 * the same paths as here, so that what libvirt names is found by the exporter outside. Read-only but
 * for these, since all labs share it. The new /run has no system bus, and nothing of this machine's
 * libvirt.
 */
function mountsInRoot(
  root: string,
  directory: LabDirectory,
  cache: string,
  sources: readonly Replacement[],
): string {
  const recursive = [
    { path: '/proc', source: '/proc' },
    { path: '/dev', source: '/dev' },
    { path: '/sys', source: directory.sysfs },
    // With the file systems mounted in it, those to come included.
    { path: directory.root, source: directory.root },
  ];
  // The cache holds the root itself, which must not come with it again.
  const plain = [{ path: cache, source: cache }, ...sources];
  const paths = [...recursive, ...plain].map(({ path }) => `'${root}${path}'`);
  return `
    mount --bind '${root}' '${root}'
    mount -t tmpfs -o mode=755 tmpfs '${root}/run'
    mount -t tmpfs -o mode=1777 tmpfs '${root}/tmp'
    mkdir -p ${paths.join(' ')}
    mount -o remount,bind,ro '${root}'
    ${recursive.map(({ path, source }) => `mount --rbind '${source}' '${root}${path}'`).join('\n')}
    ${plain.map(({ path, source }) => `mount --bind '${source}' '${root}${path}'`).join('\n')}
    mkdir '${root}/run/outside'
    cd '${root}'
    pivot_root . run/outside
    cd /
    umount -l /run/outside
    rmdir /run/outside
    readlink /proc/self/ns/mnt
  `;
}

async function bindOnItself(path: string, journal: Journal): Promise<void> {
  journal.record({ kind: 'mount', path });
  await run('mount', ['--bind', path, path]);
}

/** The name of a process's mount namespace, e.g. `mnt:[4026532281]`. */
export function mountNamespaceOf(pid: number): string {
  return readlinkSync(`/proc/${pid}/ns/mnt`);
}
