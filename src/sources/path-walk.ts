import { lstatSync, readlinkSync, type BigIntStats } from 'node:fs';

import { isWithin } from './mounts.ts';

/** As many symbolic links as the kernel follows in one path (MAXSYMLINKS, path_resolution(7)). */
export const MAX_SYMLINKS = 40;

/** The part of the host's file tree which one walk may touch: one mount, nothing mounted on it. */
export interface WalkedMount {
  /** Where the host's root lies for this process; empty when it is ours. */
  readonly rootfs: string;
  /** Mount point of the mount to stay on. */
  readonly mountpoint: string;
  /** Mount points of the mounts on top of it. */
  readonly childMountpoints: ReadonlySet<string>;
}

/**
 * - `arrived`: the canonical path and what lstat(2) said of it, which is never a symbolic link.
 * - `left`: the way goes on over another mount; `path` is to be walked from there.
 */
export type WalkResult =
  | { readonly kind: 'arrived'; readonly path: string; readonly stat: BigIntStats }
  | { readonly kind: 'left'; readonly path: string; readonly links: number };

/** What directories a batch of walks has already looked at: undefined means no symbolic link. */
export type WalkMemory = Map<string, string | undefined>;

/**
 * Follows a path component by component, symbolic links included, without ever touching another
 * mount than the given one. realpath(3) would do the same job but step onto a dead NFS mount
 * behind a link before anybody could say no. Absolute links are taken relative to the host's root.
 *
 * `rest` is the part of the path below the mount point, `links` the links followed so far.
 * Throws what `node:fs` throws.
 */
export function walk(
  within: WalkedMount,
  rest: string,
  links: number,
  memory: WalkMemory,
): WalkResult {
  const { rootfs, mountpoint, childMountpoints } = within;
  let followed = links;
  let here = mountpoint;
  let ahead = rest.split('/');
  let at = 0;
  let stat: BigIntStats | undefined;
  while (at < ahead.length) {
    const component = ahead[at] ?? '';
    at += 1;
    if (component === '' || component === '.') continue;
    if (component === '..') {
      if (here === mountpoint && here !== '/') {
        return { kind: 'left', path: joined(parentOf(here), ahead.slice(at)), links: followed };
      }
      here = parentOf(here);
      stat = undefined;
      continue;
    }
    const next = here === '/' ? `/${component}` : `${here}/${component}`;
    if (childMountpoints.has(next)) {
      return { kind: 'left', path: joined(next, ahead.slice(at)), links: followed };
    }
    let target: string | undefined;
    const isLast = at === ahead.length;
    if (!isLast && memory.has(next)) {
      target = memory.get(next);
      stat = undefined;
    } else {
      stat = lstatSync(rootfs + next, { bigint: true });
      target = stat.isSymbolicLink() ? readlinkSync(rootfs + next) : undefined;
      if (!isLast) memory.set(next, target);
    }
    if (target === undefined) {
      here = next;
      continue;
    }
    followed += 1;
    if (followed > MAX_SYMLINKS) throw new TooManyLinks(next);
    if (!target.startsWith('/')) {
      ahead = [...target.split('/'), ...ahead.slice(at)];
    } else if (isWithin(target, mountpoint)) {
      here = mountpoint;
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
    path: here,
    stat: stat ?? lstatSync(rootfs + here, { bigint: true }),
  };
}

/** Shaped like the error of a `node:fs` call. */
class TooManyLinks extends Error {
  readonly code = 'ELOOP';

  constructor(path: string) {
    super(`ELOOP: more than ${MAX_SYMLINKS} symbolic links, the last one '${path}'`);
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

function joined(path: string, ahead: readonly string[]): string {
  return ahead.length === 0 ? path : `${path === '/' ? '' : path}/${ahead.join('/')}`;
}
