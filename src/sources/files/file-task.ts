import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readSync,
  statfsSync,
  type BigIntStats,
} from 'node:fs';

import { AllowedPlaces } from '../images/allowed-places.ts';
import {
  namingPath,
  NotAllowed,
  openMountpoint,
  toPlacePath,
  walk,
  WalkMemory,
  type WalkedMount,
  type WalkResult,
} from './path-walk.ts';

/**
 * The work which may block for ever and is therefore done in a process of its own
 * (blocking-pool.ts): plain data in, plain data out, no state between batches.
 */
export interface FileBatch {
  readonly rootfs: string;
  readonly mountpoint: string;
  readonly childMountpoints: readonly string[];
  /** A mount of device nodes: nothing else on it is looked into. */
  readonly devicesOnly: boolean;
  /** See {@link AllowedPlaces}; only for tasks that are `confined`. */
  readonly allowedDirectories: readonly string[];
  readonly tasks: readonly FileTask[];
}

/**
 * - `look`: what is at the end of the path; of a regular file also up to `headerBytes` from
 *   `headerAt`, unless its fingerprint still is `known`. 0 reads nothing.
 * - `read`: bytes of a regular file or block device which was found before. Fails where something
 *   else is there now.
 * - `list`: the names in a directory which was found before, as `read`.
 * - `space`: statfs of the mount.
 */
export type FileTask =
  | {
      readonly kind: 'look';
      /** Below the batch's mount point. */
      readonly rest: string;
      /** Symbolic links followed on the way to this mount. */
      readonly links: number;
      readonly known: string | undefined;
      readonly headerAt: number;
      readonly headerBytes: number;
      /** Stays within the batch's allowed directories. */
      readonly confined: boolean;
    }
  | {
      readonly kind: 'read';
      readonly rest: string;
      readonly at: number;
      readonly bytes: number;
      readonly dev: bigint;
      readonly inode: bigint;
      readonly rdev: bigint;
    }
  | {
      readonly kind: 'list';
      readonly rest: string;
      readonly dev: bigint;
      readonly inode: bigint;
    }
  | { readonly kind: 'space' };

export type FileAnswer =
  | { readonly kind: 'left'; readonly path: string; readonly links: number }
  | FileLook
  | { readonly kind: 'head'; readonly bytes: Uint8Array }
  | { readonly kind: 'names'; readonly names: readonly string[] }
  | FileSpace
  | FileFailure;

export interface FileLook {
  readonly kind: 'look';
  readonly path: string;
  readonly type: 'file' | 'block' | 'directory' | 'other';
  /** st_dev and st_rdev in glibc's encoding, see {@link deviceNumber}. */
  readonly dev: bigint;
  readonly rdev: bigint;
  readonly inode: bigint;
  readonly sizeBytes: bigint;
  /** st_blocks, in units of 512 bytes whatever the filesystem's block size (stat(2)). */
  readonly blocks: bigint;
  readonly modifiedNs: bigint;
  /** Changes whenever content or identity may have changed. */
  readonly fingerprint: string;
  /** Undefined when not asked for, not a regular file, or `known`. */
  readonly header: { readonly kind: 'head'; readonly bytes: Uint8Array } | FileFailure | undefined;
}

/** statfs(2); the three block counts are in units of `blockBytes`. */
export interface FileSpace {
  readonly kind: 'space';
  readonly blockBytes: bigint;
  readonly blocks: bigint;
  readonly blocksFree: bigint;
  readonly blocksAvailable: bigint;
  readonly inodes: bigint;
  readonly inodesFree: bigint;
}

export interface FileFailure {
  readonly kind: 'failed';
  readonly code: string;
  readonly message: string;
}

/** Does the tasks of a batch in order. Calls `progress` after each; never throws. */
export function performBatch(batch: FileBatch, progress: () => void): readonly FileAnswer[] {
  const anywhere: WalkedMount = {
    rootfs: batch.rootfs,
    mountpoint: batch.mountpoint,
    childMountpoints: new Set(batch.childMountpoints),
    mayTouch: undefined,
  };
  const places = new AllowedPlaces(batch.allowedDirectories);
  const confined = { ...anywhere, mayTouch: (path: string) => places.mayTouch(path) };
  const memory = new WalkMemory();
  try {
    return batch.tasks.map((task) => {
      const answer = attempt(() => {
        switch (task.kind) {
          case 'look': {
            const end = walk(task.confined ? confined : anywhere, task.rest, task.links, memory);
            if (end.kind === 'left') return end;
            if (task.confined && !places.holds(end.path)) throw new NotAllowed(end.path);
            return look(end, batch.devicesOnly, task);
          }
          case 'read':
            return readAgain(walk(anywhere, task.rest, 0, memory), task);
          case 'list':
            return list(walk(anywhere, task.rest, 0, memory), task);
          case 'space':
            return space(openMountpoint(anywhere, memory));
        }
      });
      memory.closeWalk();
      progress();
      return answer;
    });
  } finally {
    memory.close();
  }
}

/** `major:minor` of a dev_t as stat(2) gives it (glibc's gnu_dev_major and gnu_dev_minor). */
export function deviceNumber(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xffff_f000n);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffff_ff00n);
  return `${major}:${minor}`;
}

type Arrived = Extract<WalkResult, { readonly kind: 'arrived' }>;

function look(
  { path, handle, stat }: Arrived,
  devicesOnly: boolean,
  wanted: {
    readonly known: string | undefined;
    readonly headerAt: number;
    readonly headerBytes: number;
  },
): FileLook {
  const fingerprint = [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(':');
  const type = toType(stat);
  const isImage = type === 'file' && !devicesOnly;
  const read = isImage && wanted.headerBytes > 0 && fingerprint !== wanted.known;
  return {
    kind: 'look',
    path,
    type: type === 'file' && devicesOnly ? 'other' : type,
    dev: stat.dev,
    rdev: stat.rdev,
    inode: stat.ino,
    sizeBytes: stat.size,
    blocks: stat.blocks,
    modifiedNs: stat.mtimeNs,
    fingerprint,
    header: read
      ? attempt(() => readHandle(handle, path, wanted.headerAt, wanted.headerBytes))
      : undefined,
  };
}

function toType(stat: BigIntStats): FileLook['type'] {
  if (stat.isFile()) return 'file';
  if (stat.isBlockDevice()) return 'block';
  return stat.isDirectory() ? 'directory' : 'other';
}

function readAgain(
  end: WalkResult,
  wanted: Extract<FileTask, { readonly kind: 'read' }>,
): { kind: 'head'; bytes: Uint8Array } {
  if (end.kind === 'left') throw new Swapped(end.path);
  const { stat } = end;
  const same = stat.dev === wanted.dev && stat.ino === wanted.inode && stat.rdev === wanted.rdev;
  if (!same || !(stat.isFile() || stat.isBlockDevice())) throw new Swapped(end.path);
  return readHandle(end.handle, end.path, wanted.at, wanted.bytes);
}

function list(
  end: WalkResult,
  wanted: Extract<FileTask, { readonly kind: 'list' }>,
): { kind: 'names'; names: readonly string[] } {
  if (end.kind === 'left') throw new Swapped(end.path);
  const { stat } = end;
  if (stat.dev !== wanted.dev || stat.ino !== wanted.inode || !stat.isDirectory()) {
    throw new Swapped(end.path);
  }
  try {
    return { kind: 'names', names: readdirSync(toPlacePath(end.handle)) };
  } catch (error) {
    throw namingPath(error, end.path);
  }
}

/** Shaped like the error of a `node:fs` call. */
class Swapped extends Error {
  readonly code = 'ESTALE';

  constructor(path: string) {
    super(`ESTALE: not the file that was there a moment ago: '${path}'`);
  }
}

/** Bytes from what a handle, known to be a regular file or a block device, stands for. */
function readHandle(
  handle: number,
  path: string,
  at: number,
  length: number,
): { kind: 'head'; bytes: Uint8Array } {
  const fd = openForReading(handle, path);
  try {
    const bytes = new Uint8Array(length);
    let got = 0;
    while (got < length) {
      const more = readSync(fd, bytes, got, length - got, at + got);
      if (more === 0) break;
      got += more;
    }
    return { kind: 'head', bytes: bytes.subarray(0, got) };
  } finally {
    closeSync(fd);
  }
}

/**
 * Opens the very file the handle stands for, whatever its name leads to by now: read-only, not
 * waiting for a medium, never as a controlling terminal, and without touching the access time where
 * that is allowed (O_NOATIME is for owner and root).
 */
function openForReading(handle: number, path: string): number {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
  try {
    return openSync(toPlacePath(handle), flags | constants.O_NOATIME);
  } catch (error) {
    if (toErrorCode(error) !== 'EPERM') throw namingPath(error, path);
  }
  try {
    return openSync(toPlacePath(handle), flags);
  } catch (error) {
    throw namingPath(error, path);
  }
}

function space(mount: number): FileSpace {
  const stat = statfsSync(toPlacePath(mount), { bigint: true });
  return {
    kind: 'space',
    // Counts are in fragments where the two sizes differ (FUSE); older Node tells only bsize.
    blockBytes: 'frsize' in stat && stat.frsize > 0n ? stat.frsize : stat.bsize,
    blocks: stat.blocks,
    blocksFree: stat.bfree,
    blocksAvailable: stat.bavail,
    inodes: stat.files,
    inodesFree: stat.ffree,
  };
}

function attempt<T>(work: () => T): T | FileFailure {
  try {
    return work();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', code: toErrorCode(error), message };
  }
}

function toErrorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}
