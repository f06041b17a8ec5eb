import type { Result } from '../runtime/result.ts';

export interface Filesystem {
  /** The mount the space was asked through; `mount.device` is the filesystem's key. */
  readonly mount: Mount;
  /** Devices of further datasets of the same ZFS pool, which have the same free space. */
  readonly sharing?: readonly string[];
  readonly traits: FilesystemTraits;
  readonly space: Result<FilesystemSpace>;
}

/** One line of /proc/<pid>/mountinfo (proc_pid_mountinfo(5)), octal escapes undone. */
export interface Mount {
  readonly id: number;
  readonly parentId: number;
  /** `major:minor` of the superblock: the key that bind mounts of one filesystem share. */
  readonly device: string;
  /** Directory of the filesystem which forms the root of this mount. */
  readonly root: string;
  /** Canonical path, as seen from the host's root. */
  readonly mountpoint: string;
  /** `ext4`, `xfs`, `nfs4`, `fuse.sshfs` … */
  readonly type: string;
  /** `/dev/mapper/vg-lv`, `server:/export` … */
  readonly source: string;
  readonly options: readonly string[];
  readonly superOptions: readonly string[];
  /** Mounted read-only, by mount or by superblock. */
  readonly readOnly: boolean;
}

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

/** `unknown`: the filesystem is served by somebody else (NFS, FUSE) or not in our table. */
export type Possibility = 'never' | 'possible' | 'unknown';

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
