import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readlinkSync,
  readSync,
  type BigIntStats,
} from 'node:fs';

import { isWithin } from './mounts.ts';
import { REFUSED } from '../../runtime/result.ts';

/** As many symbolic links as the kernel follows in one path (MAXSYMLINKS, path_resolution(7)). */
const MAX_SYMLINKS = 40;

/**
 * open(2): a handle on a place in the file tree, without the file being opened: no driver, FIFO or
 * file server hears of it. Node does not name it; the value is that of every architecture Node
 * runs on (include/uapi/asm-generic/fcntl.h).
 */
const O_PATH = 0o10_000_000;

/** The part of the host's file tree which one walk may touch: one mount, nothing mounted on it. */
export interface WalkedMount {
  /** Where the host's root lies for this process; empty when it is ours. */
  readonly rootfs: string;
  /** Mount point of the mount to stay on. */
  readonly mountpoint: string;
  /** Mount points of the mounts on top of it. */
  readonly childMountpoints: ReadonlySet<string>;
  /** Whether a canonical path may be touched at all; undefined: any. */
  readonly mayTouch: ((path: string) => boolean) | undefined;
}

/**
 * - `arrived`: the canonical path, a handle on what is there (O_PATH, so not yet opened), and what
 *   fstat(2) says of the handle, which is never a symbolic link.
 * - `left`: the way goes on over another mount; `path` is to be walked from there.
 */
export type WalkResult =
  | {
      readonly kind: 'arrived';
      readonly path: string;
      readonly handle: number;
      readonly stat: BigIntStats;
    }
  | { readonly kind: 'left'; readonly path: string; readonly links: number };

/** A directory on the way. */
interface Step {
  readonly path: string;
  readonly handle: number;
}

/** Handles of the directories that a batch has walked through, for the next path of the batch. */
const MAX_REMEMBERED_DIRECTORIES = 128;

/**
 * The handles of a batch of walks on one mount. Those of a single walk are closed by
 * {@link closeWalk}, which ends the validity of {@link WalkResult.handle}; the rest by `close`.
 */
export class WalkMemory {
  readonly #directories = new Map<string, number>();
  readonly #links = new Map<string, string>();
  #ofThisWalk: number[] = [];
  #start: { readonly handle: number; readonly mountId: string | undefined } | undefined;

  directory(path: string): number | undefined {
    return this.#directories.get(path);
  }

  link(path: string): string | undefined {
    return this.#links.get(path);
  }

  rememberLink(path: string, target: string): void {
    if (this.#links.size < MAX_REMEMBERED_DIRECTORIES) this.#links.set(path, target);
  }

  rememberDirectory(path: string, handle: number): void {
    if (this.#directories.size >= MAX_REMEMBERED_DIRECTORIES) return;
    this.#directories.set(path, handle);
    this.#ofThisWalk = this.#ofThisWalk.filter((other) => other !== handle);
  }

  /** The mount point itself and the kernel's id of the mount. */
  start(within: WalkedMount): { readonly handle: number; readonly mountId: string | undefined } {
    if (this.#start === undefined) {
      const handle = openMountpoint(within, this);
      this.#start = { handle, mountId: readMountId(handle) };
      this.#ofThisWalk = this.#ofThisWalk.filter((other) => other !== handle);
    }
    return this.#start;
  }

  opened(handle: number): number {
    this.#ofThisWalk.push(handle);
    return handle;
  }

  closeWalk(): void {
    for (const handle of this.#ofThisWalk) closeSync(handle);
    this.#ofThisWalk = [];
  }

  close(): void {
    this.closeWalk();
    for (const handle of this.#directories.values()) closeSync(handle);
    this.#directories.clear();
    if (this.#start !== undefined) closeSync(this.#start.handle);
    this.#start = undefined;
  }
}

/**
 * Follows a path component by component, symbolic links included, without ever touching another
 * mount than the given one. realpath(3) would do the same job but step onto a dead NFS mount
 * behind a link before anybody could say no. Absolute links are taken relative to the host's root.
 *
 * Each component is looked up in the handle of the directory before it and never followed by the
 * kernel, so that whoever may rename directories or links on the way cannot lead it elsewhere
 * between two steps: what is at the end is what was walked to (openat2(2) with RESOLVE_NO_SYMLINKS
 * and RESOLVE_NO_XDEV, which Node does not offer).
 *
 * `rest` is the part of the path below the mount point, `links` the links followed so far.
 * Throws what `node:fs` throws; EXDEV where something was mounted on the way since the mount table
 * was read, `REFUSED` where {@link WalkedMount.mayTouch} says no.
 */
export function walk(
  within: WalkedMount,
  rest: string,
  links: number,
  memory: WalkMemory,
): WalkResult {
  const { mountpoint, childMountpoints } = within;
  let followed = links;
  mustBeTouchable(within, mountpoint);
  const { handle: base, mountId } = memory.start(within);
  const steps: Step[] = [];
  let here: Step = { path: mountpoint, handle: base };
  let stat: BigIntStats | undefined;
  let ahead = rest.split('/');
  let at = 0;
  while (at < ahead.length) {
    const component = ahead[at] ?? '';
    at += 1;
    if (component === '' || component === '.') continue;
    if (component === '..') {
      const above = steps.pop();
      if (above === undefined) {
        if (here.path === '/') continue;
        return {
          kind: 'left',
          path: joined(toParent(here.path), ahead.slice(at)),
          links: followed,
        };
      }
      here = above;
      stat = undefined;
      continue;
    }
    const next = here.path === '/' ? `/${component}` : `${here.path}/${component}`;
    if (childMountpoints.has(next)) {
      return { kind: 'left', path: joined(next, ahead.slice(at)), links: followed };
    }
    mustBeTouchable(within, next);
    let target = memory.link(next);
    if (target === undefined) {
      let handle = memory.directory(next);
      stat = undefined;
      if (handle === undefined) {
        handle = memory.opened(openAt(here, component));
        // Before anything is asked that the filesystem itself would have to answer.
        if (readMountId(handle) !== mountId) throw new NewMount(next);
        stat = fstatSync(handle, { bigint: true });
        if (stat.isSymbolicLink()) target = readlinkSync(toPlacePath(here.handle, component));
        else if (stat.isDirectory()) memory.rememberDirectory(next, handle);
      }
      if (target === undefined) {
        steps.push(here);
        here = { path: next, handle };
        continue;
      }
      memory.rememberLink(next, target);
    }
    followed += 1;
    if (followed > MAX_SYMLINKS) throw new TooManyLinks(next);
    if (!target.startsWith('/')) {
      ahead = [...target.split('/'), ...ahead.slice(at)];
    } else if (isWithin(target, mountpoint)) {
      here = { path: mountpoint, handle: base };
      steps.length = 0;
      ahead = [
        ...target.slice(mountpoint === '/' ? 0 : mountpoint.length).split('/'),
        ...ahead.slice(at),
      ];
    } else {
      return { kind: 'left', path: joined(target, ahead.slice(at)), links: followed };
    }
    at = 0;
    stat = undefined;
  }
  return {
    kind: 'arrived',
    path: here.path,
    handle: here.handle,
    stat: stat ?? fstatSync(here.handle, { bigint: true }),
  };
}

/** A handle on a mount point. Its path is canonical, so a link on the way was put there since. */
export function openMountpoint(
  { rootfs, mountpoint }: Pick<WalkedMount, 'rootfs' | 'mountpoint'>,
  memory: WalkMemory,
): number {
  let here: Step = {
    path: '/',
    handle: memory.opened(openSync(rootfs === '' ? '/' : rootfs, O_PATH)),
  };
  for (const component of mountpoint.split('/')) {
    if (component === '') continue;
    const path = `${here.path === '/' ? '' : here.path}/${component}`;
    here = { path, handle: memory.opened(openAt(here, component)) };
  }
  return here.handle;
}

/** How Node's calls, which all take paths, get at a handle or at what is in a directory. */
export function toPlacePath(handle: number, component?: string): string {
  const place = `/proc/self/fd/${handle}`;
  return component === undefined ? place : `${place}/${component}`;
}

function openAt({ path, handle }: Step, component: string): number {
  try {
    return openSync(toPlacePath(handle, component), O_PATH | constants.O_NOFOLLOW);
  } catch (error) {
    throw namingPath(error, `${path === '/' ? '' : path}/${component}`);
  }
}

/** The error of a call on a handle, with the path of the host instead of the handle's number. */
export function namingPath(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const [reason = error.message] = error.message.split(', ');
  return Object.assign(new Error(`${reason}: '${path}'`), { code: error.code });
}

const fdinfo = Buffer.alloc(512);

/** The kernel's id of the mount a handle lies on (proc_pid_fdinfo(5)); the filesystem is not asked. */
function readMountId(handle: number): string | undefined {
  const fd = openSync(`/proc/self/fdinfo/${handle}`, constants.O_RDONLY);
  try {
    const length = readSync(fd, fdinfo, 0, fdinfo.length, null);
    return /^mnt_id:\s*(\d+)$/m.exec(fdinfo.toString('latin1', 0, length))?.[1];
  } finally {
    closeSync(fd);
  }
}

function mustBeTouchable({ mayTouch }: WalkedMount, path: string): void {
  if (mayTouch?.(path) === false) throw new NotAllowed(path);
}

/** Shaped like the errors of `node:fs` calls. */
class TooManyLinks extends Error {
  readonly code = 'ELOOP';

  constructor(path: string) {
    super(`ELOOP: more than ${MAX_SYMLINKS} symbolic links, the last one '${path}'`);
  }
}

class NewMount extends Error {
  readonly code = 'EXDEV';

  constructor(path: string) {
    super(`EXDEV: something has just been mounted at '${path}'`);
  }
}

export class NotAllowed extends Error {
  readonly code = REFUSED;

  constructor(path: string) {
    super(
      `not followed: only an image's header says so, and '${path}' is outside of the directories ` +
        `of storage pools and of images that domains name`,
    );
  }
}

function toParent(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

function joined(path: string, ahead: readonly string[]): string {
  return ahead.length === 0 ? path : `${path === '/' ? '' : path}/${ahead.join('/')}`;
}
