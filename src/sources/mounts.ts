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
