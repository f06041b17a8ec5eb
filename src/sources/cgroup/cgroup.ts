import {
  listKernelDirectory,
  ownerUid,
  readKernelFile,
  readKernelRecord,
} from '../kernel/kernel-file.ts';
import { unescapeOctal } from '../kernel/kernel-text.ts';
import { ownText } from '../kernel/own-text.ts';
import { failed, found, inShort, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';

/** By their names on v1; on v2 blkio is called io, and cpuacct is part of cpu. */
const CGROUP_CONTROLLERS = ['cpu', 'cpuacct', 'cpuset', 'memory', 'hugetlb', 'blkio'] as const;
export type CgroupController = (typeof CGROUP_CONTROLLERS)[number];

/** A cgroup directory and the version of its interface, on which the file names depend. */
export interface CgroupDirectory {
  readonly version: 1 | 2;
  /** Absolute, in the exporter's own view of the file system. */
  readonly path: string;
}

/** The group of a whole guest under one controller. */
export interface GuestCgroupDirectory extends CgroupDirectory {
  /**
   * The `libvirt` group inside, which libvirt >= 7.1 makes under systemd because systemd resets what
   * it finds changed in its own scope. Then memory limits, the global CPU quota and the cpuset are
   * set here, and only weights at `path` (libvirt src/util/vircgroup.c, virCgroupGetNested).
   */
  readonly nestedPath: string | undefined;
}

/** One mounted cgroup hierarchy. */
interface CgroupMount {
  readonly version: 1 | 2;
  /** Directory in the exporter's view. */
  readonly mountPoint: string;
  /** Which part of the hierarchy is mounted, as seen from the exporter's cgroup namespace. */
  readonly root: string;
}

/**
 * The mounted hierarchies. v2 only: `unified` alone. v1 only: `v1` alone. Hybrid (systemd's, and
 * hosts in between): both, with the controllers split among them.
 */
export interface CgroupMounts {
  readonly unified: CgroupMount | undefined;
  readonly v1: ReadonlyMap<CgroupController, CgroupMount>;
}

/** Where a guest is accounted: the directory of the whole guest, per controller. */
export interface GuestCgroup {
  /**
   * True when the group holds this guest alone: libvirt's `machine-qemu\x2d….scope` (systemd) or
   * `….libvirt-qemu`, Proxmox VE's `qemu.slice/<vmid>.scope`. False for session daemons and containers, whose group may hold more than the
   * guest: its numbers are then not the guest's.
   */
  readonly exclusive: boolean;
  /** Path within the hierarchy, e.g. `/machine.slice/machine-qemu\x2d1\x2dweb.scope`. */
  readonly name: string;
  /** Where exclusive, only controllers under which the guest has a group of its own. */
  readonly controllers: ReadonlyMap<CgroupController, GuestCgroupDirectory>;
  /** Directory in the unified hierarchy, where the pressure files are; also on hybrid hosts. */
  readonly unifiedPath: string | undefined;
}

/** The per-thread groups libvirt makes inside a guest's cpu group. */
export interface CgroupThreadGroups {
  readonly vcpus: ReadonlyMap<number, CgroupDirectory>;
  readonly iothreads: ReadonlyMap<number, CgroupDirectory>;
  readonly emulator: CgroupDirectory | undefined;
}

/**
 * Where the cgroup hierarchies are mounted, from `<procfs>/self/mountinfo`. Changes only when
 * someone remounts: read it at start.
 */
export function readCgroupMounts(roots: Roots): Result<CgroupMounts> {
  const path = `${roots.procfs}/self/mountinfo`;
  const text = readKernelFile(path);
  return text.ok ? parseCgroupMounts(text.value, roots, path) : text;
}

/**
 * Mount points under `roots.sysfs` win: in a container those are the host's, while the container's
 * own /sys/fs/cgroup shows only its own subtree.
 */
export function parseCgroupMounts(
  text: string,
  roots: Roots,
  subject: string,
): Result<CgroupMounts> {
  let unified: RankedMount | undefined;
  const v1 = new Map<CgroupController, RankedMount>();
  for (const line of text.split('\n')) {
    // 32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
    const separator = line.indexOf(' - ');
    if (separator === -1) {
      if (line === '') continue;
      return failed('malformed', subject, `not a mountinfo line: ${inShort(line)}`);
    }
    const [type, , options = ''] = line.slice(separator + 3).split(' ');
    if (type !== 'cgroup' && type !== 'cgroup2') continue;
    const [, , , root, mountPoint] = line.slice(0, separator).split(' ');
    if (root === undefined || mountPoint === undefined) continue;
    const mount = placeMount(unescapeOctal(mountPoint), unescapeOctal(root), type, roots);
    if (type === 'cgroup2') {
      if (unified === undefined || mount.rank > unified.rank) unified = mount;
      continue;
    }
    const mounted = new Set(options.split(','));
    for (const controller of CGROUP_CONTROLLERS) {
      const known = v1.get(controller);
      if (mounted.has(controller) && (known === undefined || mount.rank > known.rank)) {
        v1.set(controller, mount);
      }
    }
  }
  if (unified === undefined && v1.size === 0) {
    return failed('absent', subject, 'no cgroup file system is mounted');
  }
  return found({ unified, v1 });
}

interface RankedMount extends CgroupMount {
  /** 1 for a mount of the host's tree, 0 for one of our own. */
  readonly rank: 0 | 1;
}

function placeMount(
  mountPoint: string,
  root: string,
  type: 'cgroup' | 'cgroup2',
  roots: Roots,
): RankedMount {
  const version = type === 'cgroup2' ? 2 : 1;
  if (mountPoint.startsWith(`${roots.sysfs}/`)) return { version, mountPoint, root, rank: 1 };
  const seen = mountPoint.startsWith('/sys/')
    ? roots.sysfs + mountPoint.slice('/sys'.length)
    : roots.rootfs + mountPoint;
  return { version, mountPoint: seen, root, rank: 0 };
}

/**
 * The cgroups of a QEMU process from `/proc/<pid>/cgroup`, climbed up from the emulator's group, in
 * which its main thread sits, to the whole guest's. The path is taken from there and never made up:
 * libvirt truncates and escapes the names of scopes. Cannot change while the process lives.
 * `absent` when the process is gone; `unsupported` when its groups lie outside what is mounted here.
 */
export function readGuestCgroup(
  roots: Roots,
  mounts: CgroupMounts,
  pid: number,
): Result<GuestCgroup> {
  const path = `${roots.procfs}/${pid}/cgroup`;
  const text = readKernelRecord(path);
  if (!text.ok) return text;
  const cgroup = parseGuestCgroup(text.value, mounts, path);
  if (!cgroup.ok || !cgroup.value.exclusive) return cgroup;
  return found({ ...cgroup.value, exclusive: isVouchedFor(cgroup.value, mounts) });
}

/**
 * A user may have a subtree of the hierarchy (systemd's `Delegate=`, a container) and name groups in it
 * as libvirt does. Whoever makes a group owns its directory, and only root makes the guests': so they all
 * belong to the owner of their hierarchy's root.
 */
export function isVouchedFor(cgroup: GuestCgroup, mounts: CgroupMounts): boolean {
  const directories = [...cgroup.controllers].map(([controller, { path }]) => ({
    path,
    root: (mounts.v1.get(controller) ?? mounts.unified)?.mountPoint,
  }));
  if (cgroup.unifiedPath !== undefined) {
    directories.push({ path: cgroup.unifiedPath, root: mounts.unified?.mountPoint });
  }
  return directories.every(({ path, root }) => {
    const owner = ownerUid(path);
    // A group that is gone has no numbers to be taken for the guest's.
    return owner === undefined || (root !== undefined && owner === ownerUid(root));
  });
}

export function parseGuestCgroup(
  text: string,
  mounts: CgroupMounts,
  subject: string,
): Result<GuestCgroup> {
  const v1Groups = new Map<string, GuestGroup>();
  let unifiedGroup: GuestGroup | undefined;
  for (const line of text.split('\n')) {
    // 4:cpu,cpuacct:/machine.slice/…   and for v2   0::/machine.slice/…
    const first = line.indexOf(':');
    const second = line.indexOf(':', first + 1);
    if (line === '') continue;
    if (second === -1 || !/^\d{1,10}$/.test(line.slice(0, first))) {
      return failed('malformed', subject, `not a line id:controllers:/path: ${inShort(line)}`);
    }
    const controllers = line.slice(first + 1, second);
    const group = ownText(line.slice(second + 1));
    if (!group.startsWith('/')) continue;
    if (controllers === '') unifiedGroup = toGuestGroup(group);
    else for (const name of controllers.split(',')) v1Groups.set(name, toGuestGroup(group));
  }
  if (unifiedGroup === undefined && v1Groups.size === 0) {
    return failed('malformed', subject, 'no line of the form id:controllers:/path');
  }

  // On hosts without systemd, or in between, a guest may have a group of its own in some
  // hierarchies and sit in the root of others. The root's numbers are the host's: leave them out.
  const groups = [...v1Groups.values(), ...(unifiedGroup === undefined ? [] : [unifiedGroup])];
  const own = groups.find(({ scope }) => isGuestScope(scope));
  const keep = (group: GuestGroup | undefined): GuestGroup | undefined =>
    own === undefined || (group !== undefined && isGuestScope(group.scope)) ? group : undefined;

  const unified = toDirectory(mounts.unified, keep(unifiedGroup));
  const controllers = new Map<CgroupController, GuestCgroupDirectory>();
  for (const controller of CGROUP_CONTROLLERS) {
    const mount = mounts.v1.get(controller);
    // On v2, cpuacct is part of cpu. Whether a controller is switched on for the group shows when
    // its files are read.
    if (mount === undefined && controller === 'cpuacct') continue;
    const directory =
      mount === undefined ? unified : toDirectory(mount, keep(v1Groups.get(controller)));
    if (directory !== undefined) controllers.set(controller, directory);
  }
  const name = (own ?? unifiedGroup ?? groups[0])?.scope;
  if (name === undefined || (controllers.size === 0 && unified === undefined)) {
    return failed('unsupported', subject, 'its cgroups are outside the mounted hierarchies');
  }
  return found({
    exclusive: own !== undefined,
    name,
    controllers,
    unifiedPath: unified?.path,
  });
}

interface GuestGroup {
  /** Path of the whole guest within the hierarchy. */
  readonly scope: string;
  readonly nested: boolean;
}

const THREAD_GROUP = /\/(?:emulator|vcpu\d+|iothread\d+)$/;
const NESTED_GROUP = /\/libvirt$/;

function toGuestGroup(group: string): GuestGroup {
  const guest = group.replace(THREAD_GROUP, '');
  const scope = guest.replace(NESTED_GROUP, '');
  return { scope: scope === '' ? '/' : scope, nested: scope !== guest };
}

function isGuestScope(scope: string): boolean {
  const leaf = scope.slice(scope.lastIndexOf('/') + 1);
  return (
    /^machine-qemu\\x2d.*\.scope$/.test(leaf) ||
    leaf.endsWith('.libvirt-qemu') ||
    parsePveScope(scope) !== undefined
  );
}

/** The vmid in `/qemu.slice/<vmid>.scope`, where Proxmox VE runs a VM (qemu-server, vm_start_nolock). */
export function parsePveScope(scope: string): number | undefined {
  const digits = /^\/qemu\.slice\/([1-9]\d{2,8})\.scope$/.exec(scope)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * Both the mounted root and the group are as seen from our cgroup namespace, so a host mount in a
 * container has the root `/../..` and the group begins alike.
 */
function toDirectory(
  mount: CgroupMount | undefined,
  group: GuestGroup | undefined,
): GuestCgroupDirectory | undefined {
  if (mount === undefined || group === undefined) return undefined;
  const { scope } = group;
  const root = mount.root === '/' ? '' : mount.root;
  if (scope !== mount.root && !scope.startsWith(`${root}/`)) return undefined;
  const below = scope === mount.root ? '' : scope.slice(root.length);
  if (below === '/..' || below.startsWith('/../')) return undefined;
  const path = mount.mountPoint + below;
  return {
    version: mount.version,
    path,
    nestedPath: group.nested ? `${path}/libvirt` : undefined,
  };
}

/**
 * Lists the vcpu, iothread and emulator groups of a guest's `cpu` directory: inside `libvirt/` with
 * libvirt >= 7.1 under systemd, directly inside the guest's group otherwise. Empty when libvirt made
 * none. vCPU hotplug adds and removes some.
 */
export function listCgroupThreadGroups(cpu: GuestCgroupDirectory): Result<CgroupThreadGroups> {
  const parent = cpu.nestedPath ?? cpu.path;
  const names = listKernelDirectory(parent);
  if (!names.ok) return names;
  const vcpus = new Map<number, CgroupDirectory>();
  const iothreads = new Map<number, CgroupDirectory>();
  let emulator: CgroupDirectory | undefined;
  for (const name of names.value) {
    const match = /^(?:(vcpu|iothread)(\d+)|emulator)$/.exec(name);
    if (match === null) continue;
    const [, kind, digits] = match;
    const directory: CgroupDirectory = { version: cpu.version, path: `${parent}/${name}` };
    if (kind === undefined) emulator = directory;
    else (kind === 'vcpu' ? vcpus : iothreads).set(Number(digits), directory);
  }
  return found({ vcpus, iothreads, emulator });
}
