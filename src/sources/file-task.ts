import { closeSync, constants, openSync, readSync, statfsSync, type BigIntStats } from 'node:fs';

import { walk, type WalkMemory } from './path-walk.ts';

/**
 * The work which may block for ever and is therefore done in a process of its own
 * (blocking-pool.ts): plain data in, plain data out, no state between batches.
 */
export interface FileBatch {
  readonly rootfs: string;
  readonly mountpoint: string;
  readonly childMountpoints: readonly string[];
  readonly tasks: readonly FileTask[];
}

/**
 * - `look`: lstat at the end of the path; of a regular file also up to `headerBytes` from its
 *   start, unless its fingerprint still is `known`. 0 reads nothing.
 * - `head`: the first bytes of a regular file or block device whose canonical path is known.
 * - `space`: statfs.
 */
export type FileTask =
  | {
      readonly kind: 'look';
      /** Below the batch's mount point. */
      readonly rest: string;
      /** Symbolic links followed on the way to this mount. */
      readonly links: number;
      readonly known: string | undefined;
      readonly headerBytes: number;
    }
  | { readonly kind: 'head'; readonly path: string; readonly bytes: number }
  | { readonly kind: 'space'; readonly path: string };

export type FileAnswer =
  | { readonly kind: 'left'; readonly path: string; readonly links: number }
  | FileLook
  | { readonly kind: 'head'; readonly bytes: Uint8Array }
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
  const within = {
    rootfs: batch.rootfs,
    mountpoint: batch.mountpoint,
    childMountpoints: new Set(batch.childMountpoints),
  };
  const memory: WalkMemory = new Map();
  return batch.tasks.map((task) => {
    const answer = attempt(() => {
      switch (task.kind) {
        case 'look': {
          const end = walk(within, task.rest, task.links, memory);
          return end.kind === 'left' ? end : look(batch.rootfs, end.path, end.stat, task);
        }
        case 'head':
          return head(batch.rootfs + task.path, task.bytes);
        case 'space':
          return space(batch.rootfs + task.path);
      }
    });
    progress();
    return answer;
  });
}

/** `major:minor` of a dev_t as stat(2) gives it (glibc's gnu_dev_major and gnu_dev_minor). */
export function deviceNumber(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xffff_f000n);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffff_ff00n);
  return `${major}:${minor}`;
}

function look(
  rootfs: string,
  path: string,
  stat: BigIntStats,
  wanted: { readonly known: string | undefined; readonly headerBytes: number },
): FileLook {
  const fingerprint = [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(':');
  const type = stat.isFile()
    ? 'file'
    : stat.isBlockDevice()
      ? 'block'
      : stat.isDirectory()
        ? 'directory'
        : 'other';
  const read = type === 'file' && wanted.headerBytes > 0 && fingerprint !== wanted.known;
  return {
    kind: 'look',
    path,
    type,
    dev: stat.dev,
    rdev: stat.rdev,
    inode: stat.ino,
    sizeBytes: stat.size,
    blocks: stat.blocks,
    modifiedNs: stat.mtimeNs,
    fingerprint,
    header: read ? attempt(() => head(rootfs + path, wanted.headerBytes)) : undefined,
  };
}

function head(path: string, length: number): { kind: 'head'; bytes: Uint8Array } {
  const fd = openForReading(path);
  try {
    const bytes = new Uint8Array(length);
    let got = 0;
    while (got < length) {
      const more = readSync(fd, bytes, got, length - got, got);
      if (more === 0) break;
      got += more;
    }
    return { kind: 'head', bytes: bytes.subarray(0, got) };
  } finally {
    closeSync(fd);
  }
}

/**
 * Read-only, not waiting for a FIFO or a medium, not following a link put there since the walk,
 * and without touching the access time where that is allowed (O_NOATIME is for owner and root).
 */
function openForReading(path: string): number {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  try {
    return openSync(path, flags | constants.O_NOATIME);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error;
    return openSync(path, flags);
  }
}

function space(path: string): FileSpace {
  const stat = statfsSync(path, { bigint: true });
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
    return { kind: 'failed', code: codeOf(error), message };
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}
