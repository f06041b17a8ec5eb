import type { Mount } from './mounts.ts';
import type { Reading } from './reading.ts';

/** `unknown`: the filesystem is served by somebody else (NFS, FUSE) or not in our table. */
export type Possibility = 'never' | 'possible' | 'unknown';

/** What the type and the options of a mount tell, without touching it. */
export interface FilesystemTraits {
  /** Served over a network or by a user process: may stop answering. */
  readonly network: boolean;
  /**
   * Two files may share extents (reflink, deduplication), so that the sum of st_blocks can exceed
   * what is used. XFS is `possible`: mountinfo does not say whether it was made with reflink=1.
   */
  readonly sharedExtents: Possibility;
  /** Stored bytes may be fewer than written bytes. */
  readonly compression: Possibility | 'on';
}

/** statfs(2), in bytes. */
export interface FilesystemSpace {
  readonly sizeBytes: number;
  /** Free, including what is reserved for root. */
  readonly freeBytes: number;
  /** Free for everybody else. */
  readonly availableBytes: number;
  /** Undefined where the filesystem makes inodes as needed (btrfs reports 0). */
  readonly inodes: number | undefined;
  readonly inodesFree: number | undefined;
}

export interface Filesystem {
  /** The mount the space was asked through; `mount.device` is the filesystem's key. */
  readonly mount: Mount;
  readonly traits: FilesystemTraits;
  readonly space: Reading<FilesystemSpace>;
}
