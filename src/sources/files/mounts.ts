import { readKernelFile } from '../kernel/kernel-file.ts';
import { failed, found, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { Mount } from '../../model/filesystem.ts';

/**
 * The text of a mountinfo file. Fields by proc_pid_mountinfo(5): id, parent id, major:minor, root,
 * mount point, mount options, optional fields up to a lone `-`, type, source, super options.
 */
export function parseMountinfo(text: string, path: string): Result<MountTable> {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const mount = parseLine(line);
    if (mount === undefined) return failed('malformed', path, `not a mountinfo line: ${line}`);
    mounts.push(mount);
  }
  return found(new MountTable(mounts));
}

/**
 * The host's mounts. With a bind-mounted procfs the exporter's own mount namespace is not the
 * host's, so process 1 of that procfs is asked (needs CAP_SYS_PTRACE or the same user).
 */
export function readMounts(roots: Roots): Result<MountTable> {
  const process = roots.procfs === '/proc' ? 'self' : '1';
  const path = `${roots.procfs}/${process}/mountinfo`;
  const text = readKernelFile(path);
  if (!text.ok) return text;
  if (last?.text === text.value) return found(last.table);
  const table = parseMountinfo(text.value, path);
  if (table.ok) last = { text: text.value, table: table.value };
  return table;
}

/** Asked for several times per scrape, long where containers run, and the same for days. */
let last: { readonly text: string; readonly table: MountTable } | undefined;

/** The mounts of one namespace, as a tree, to tell where a path lies without touching it. */
export class MountTable {
  readonly mounts: readonly Mount[];
  readonly #top: Mount | undefined;
  /** By parent id, then by mount point. */
  readonly #children = new Map<number, Map<string, Mount>>();

  constructor(mounts: readonly Mount[]) {
    this.mounts = mounts;
    const ids = new Set(mounts.map((mount) => mount.id));
    let top: Mount | undefined;
    for (const mount of mounts) {
      // The namespace's root has a parent outside of the table (or itself).
      if (mount.mountpoint === '/' && (!ids.has(mount.parentId) || mount.parentId === mount.id)) {
        top ??= mount;
        continue;
      }
      const siblings = this.#children.get(mount.parentId) ?? new Map<string, Mount>();
      this.#children.set(mount.parentId, siblings.set(mount.mountpoint, mount));
    }
    this.#top = top;
  }

  /**
   * The mount a canonical absolute path lies on (no `.`, `..`, symbolic links): down the path as
   * the kernel walks it, so that what a later mount hides is not mistaken for visible. Undefined
   * where the table has no root.
   */
  findMount(path: string): Mount | undefined {
    let mount = this.#descend(this.#top, '/');
    for (let end = 1; mount !== undefined && end <= path.length; end += 1) {
      if (end < path.length && path[end] !== '/') continue;
      mount = this.#descend(mount, path.slice(0, end));
    }
    return mount;
  }

  /** Through all mounts stacked on one mount point. */
  #descend(from: Mount | undefined, mountpoint: string): Mount | undefined {
    let mount = from;
    for (;;) {
      const above: Mount | undefined =
        mount === undefined ? undefined : this.#children.get(mount.id)?.get(mountpoint);
      if (above === undefined) return mount;
      mount = above;
    }
  }

  /** Where a walk that starts on `mount` would enter another mount. */
  childMountpoints(mount: Mount): readonly string[] {
    return [...(this.#children.get(mount.id)?.keys() ?? [])];
  }

  /** Every mount of the filesystem `major:minor`. */
  ofDevice(device: string): readonly Mount[] {
    return this.mounts.filter((mount) => mount.device === device);
  }
}

/**
 * Filesystems the kernel makes up: no image lies there, and opening one of their files can do
 * things (drain the kernel's log, mount a server, start a trace). By the type in mountinfo.
 */
const KERNEL_FILESYSTEMS: ReadonlySet<string> = new Set([
  'proc',
  'sysfs',
  'debugfs',
  'tracefs',
  'cgroup',
  'cgroup2',
  'cpuset',
  'securityfs',
  'selinuxfs',
  'smackfs',
  'apparmorfs',
  'bpf',
  'autofs',
  'configfs',
  'pstore',
  'efivarfs',
  'mqueue',
  'devpts',
  'fusectl',
  'binfmt_misc',
  'nsfs',
  'rpc_pipefs',
  'nfsd',
  'resctrl',
  'functionfs',
  'gadgetfs',
  'binder',
  'xenfs',
]);

/** Whether nothing on this mount may be touched. */
export function isKernelFilesystem(mount: Mount): boolean {
  return KERNEL_FILESYSTEMS.has(mount.type);
}

/** Whether a mount holds device nodes, of which only those of block devices may be looked into. */
export function holdsDeviceNodes(mount: Mount): boolean {
  return mount.type === 'devtmpfs';
}

/** `path` is `directory` or lies below it. */
export function isWithin(path: string, directory: string): boolean {
  if (directory === '/') return true;
  return (
    path.startsWith(directory) &&
    (path.length === directory.length || path[directory.length] === '/')
  );
}

function parseLine(line: string): Mount | undefined {
  const fields = line.split(' ');
  const separator = fields.indexOf('-', 6);
  if (separator === -1) return undefined;
  const [id, parentId, device, root, mountpoint, options] = fields;
  const [type, source, superOptions] = fields.slice(separator + 1);
  if (
    id === undefined ||
    parentId === undefined ||
    device === undefined ||
    root === undefined ||
    mountpoint === undefined ||
    options === undefined ||
    type === undefined ||
    source === undefined ||
    superOptions === undefined ||
    !/^\d+$/.test(id) ||
    !/^\d+$/.test(parentId) ||
    !/^\d+:\d+$/.test(device)
  ) {
    return undefined;
  }
  const mountOptions = options.split(',');
  const superblockOptions = superOptions.split(',').map(unescape);
  return {
    id: Number(id),
    parentId: Number(parentId),
    device,
    root: unescape(root),
    mountpoint: unescape(mountpoint),
    type: unescape(type),
    source: unescape(source),
    options: mountOptions,
    superOptions: superblockOptions,
    readOnly: mountOptions.includes('ro') || superblockOptions.includes('ro'),
  };
}

/** The kernel writes space, tab, newline, backslash and `#` as three octal digits. */
function unescape(field: string): string {
  return field.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
