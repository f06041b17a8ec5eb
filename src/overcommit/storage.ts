/**
 * Storage over-commitment: what images may still grow by, against the room where they lie.
 *
 * Counts every image handed in, of running guests and of guests that are off alike: an image
 * holds its space, and its promise, whether its guest runs or not.
 */

/**
 * - `file`: a file on a filesystem; grows into the filesystem's free space.
 * - `thin`: a thin logical volume; grows into its thin pool.
 * - `thick`: a block device with all its space set aside; cannot grow.
 * - `remote`: not on this host (RBD, iSCSI, NBD …); what backs it is not known here.
 */
export type ImageKind = 'file' | 'thin' | 'thick' | 'remote';

/**
 * One image, or one mention of it: mentions with the same `id` are the same image and are counted
 * once, whichever guests and disks they come from.
 */
export interface StorageImage {
  /** "dev:inode" of a file, device number of a block device, or the remote name. */
  readonly id: string;
  readonly kind: ImageKind;
  /** `id` of the filesystem or thin pool it lies in. Undefined: none (thick, remote) or unknown. */
  readonly containerId: string | undefined;
  /** What the guest sees. */
  readonly capacityBytes: number | undefined;
  /** st_blocks × 512, or the used part of a thin volume. */
  readonly allocatedBytes: number | undefined;
  /** Size when every cluster has been written (raw: the capacity; qcow2: with metadata). */
  readonly worstCaseBytes: number | undefined;
  /** What internal snapshots can pin on top of that. */
  readonly snapshotsWorstCaseBytes: number;
  /** Some guest's disk writes to it. False: a backing file or a read-only disk. */
  readonly writable: boolean;
  readonly guests: readonly string[];
}

export interface StorageFilesystem {
  /** Same for every mount of one filesystem (st_dev; for btrfs the filesystem, not a subvolume). */
  readonly id: string;
  readonly mountpoint: string;
  /** statvfs f_blocks × f_frsize. Undefined: the mount does not answer. */
  readonly sizeBytes: number | undefined;
  /** statvfs f_bavail × f_frsize. */
  readonly availBytes: number | undefined;
  /** Reflink, deduplication or compression: allocated sums may count a block more than once. */
  readonly sharedExtents: boolean;
}

export interface StorageThinPool {
  readonly id: string;
  readonly name: string;
  readonly sizeBytes: number;
  /** Used data blocks × block size. */
  readonly usedBytes: number;
  /**
   * Free space of the volume group that autoextend may take; undefined where autoextend is off
   * (thin_pool_autoextend_threshold = 100). Every pool of the group sees the same space.
   */
  readonly autoextendBytes: number | undefined;
}

/** Sums over distinct images. */
export interface StoragePromise {
  readonly images: number;
  /** Images whose allocated or worst-case size is unknown: the sums lack that part of them. */
  readonly imagesUnknown: number;
  /** Worst case of writable images plus what read-only images occupy. */
  readonly promisedBytes: number;
  readonly allocatedBytes: number;
  /** What writable images may still grow by. */
  readonly unfundedBytes: number;
}

export interface StorageContainer extends StoragePromise {
  readonly id: string;
  readonly kind: 'filesystem' | 'thin pool';
  /** Mount point, or name of the pool. */
  readonly name: string;
  readonly sizeBytes: number | undefined;
  readonly availBytes: number | undefined;
  /** availBytes, plus for a thin pool what autoextend can add. */
  readonly supplyBytes: number | undefined;
  /** Unfunded less available. Negative: so much would be left. */
  readonly shortfallBytes: number | undefined;
  /** Unfunded less supply: the same with autoextend. */
  readonly shortfallAfterAutoextendBytes: number | undefined;
  readonly sharedExtents: boolean;
}

/** A guest's part of one container. Parts of all guests add up to the container's sums. */
export interface StorageOfGuest {
  readonly guest: string;
  /** Undefined: images that lie in no known container. */
  readonly containerId: string | undefined;
  readonly images: number;
  /** Of these, used by other guests too: this guest is charged an equal part of each. */
  readonly imagesShared: number;
  readonly imagesUnknown: number;
  readonly promisedBytes: number;
  readonly allocatedBytes: number;
  readonly unfundedBytes: number;
}

export interface StorageOvercommit {
  readonly containers: readonly StorageContainer[];
  /** Thick block devices: promised and allocated alike, nothing unfunded. */
  readonly thick: StoragePromise;
  /** Remote images. */
  readonly remote: StoragePromise;
  /** Files and thin volumes whose filesystem or pool is unknown, e.g. because it vanished. */
  readonly homeless: StoragePromise;
  readonly host: StoragePromise & {
    /** Σ of what guests see, over distinct writable images. */
    readonly capacityBytes: number;
    /** Σ of positive shortfalls: room left on one filesystem does not help another. */
    readonly shortfallBytes: number;
  };
  readonly guests: readonly StorageOfGuest[];
}
