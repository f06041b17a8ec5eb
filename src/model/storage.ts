import type { VolumeSpace } from './domain-config.ts';
import type { ImageChain } from './image.ts';
import type { Filesystem } from './filesystem.ts';

/** Where the disks of all defined guests, running or not, lie. */
export interface Storage {
  readonly disks: readonly DomainDisk[];
  /** Every filesystem that holds at least one image, once each. */
  readonly filesystems: readonly Filesystem[];
  /** LVM thin pools as of the last background refresh; undefined when that is switched off. */
  readonly thin: ThinStorageReading | undefined;
  /** Active LVM thin pools of this host of which `thin` tells nothing; undefined where not known. */
  readonly unwatchedThinPools: number | undefined;
}

export interface ThinStorageReading {
  readonly storage: ThinStorage;
  readonly readAtSeconds: number;
}

/** One disk of one guest with its images. CD-ROMs and floppies are left out. */
export interface DomainDisk {
  readonly domainName: string;
  readonly domainUuid: string;
  /** Target name, e.g. `vda`. */
  readonly device: string;
  /** `<readonly/>`: the guest cannot write to it, so it cannot grow. */
  readonly readOnly: boolean;
  /**
   * `mirror`: these images are not the disk's, but what a block job writes it to while it runs (block
   * copy, active commit). They have an entry of their own beside the disk's.
   */
  readonly part: 'disk' | 'mirror';
  /** What its manager says of the volume it is written to. */
  readonly space?: VolumeSpace | undefined;
  readonly source:
    | { readonly kind: 'local'; readonly chain: ImageChain }
    /** Not a path of this host: RBD, iSCSI, NBD …, or a pool volume that could not be resolved. */
    | {
        readonly kind: 'remote';
        /** Protocol and image name, fit to be shown. */
        readonly name: string;
        /** Tells images apart that look the same by name. */
        readonly digest?: string;
      };
}

/** Where the volumes of a libvirt storage pool lie. */
export interface PoolPlace {
  readonly name: string;
  /** Undefined when it could not be had or understood. */
  readonly description: StoragePoolDescription | undefined;
}

/** A libvirt storage pool. */
export interface StoragePool extends PoolPlace {
  readonly uuid: string;
  /**
   * Undefined when libvirt does not answer for this pool: somebody's operation holds it, most often a
   * refresh that waits for dead storage. Nothing is known of the pool then but that it is there.
   */
  readonly reading: PoolReading | undefined;
}

export interface PoolReading {
  /** virStoragePoolState: `inactive`, `building`, `running`, `degraded`, `inaccessible`. */
  readonly state: string;
  /** As of the pool's last refresh, which the exporter does not trigger. */
  readonly capacityBytes: bigint;
  readonly allocationBytes: bigint;
  readonly availableBytes: bigint;
}

/** A libvirt storage pool as its XML describes it (libvirt docs/formatstorage.rst). */
export interface StoragePoolDescription {
  /** `dir`, `fs`, `netfs`, `logical`, `disk`, `iscsi`, `iscsi-direct`, `scsi`, `mpath`, `rbd`, … */
  readonly type: string;
  readonly name: string;
  readonly uuid: string | undefined;
  /** Where the pool is mapped into the host's file tree; network pools have none. */
  readonly targetPath: string | undefined;
  readonly source: StoragePoolSource;
}

export interface StoragePoolSource {
  /** Volume group, RBD pool, ZFS dataset … */
  readonly name: string | undefined;
  readonly hosts: readonly { readonly name: string; readonly port: number | undefined }[];
  /** Exported directory (netfs) or path in the volume (gluster). */
  readonly directory: string | undefined;
  readonly devices: readonly string[];
  readonly format: string | undefined;
  readonly adapter: string | undefined;
}

export interface ThinStorage {
  readonly pools: readonly ThinPool[];
  /** Undefined where dmsetup was asked, which tells of pools only. */
  readonly volumes: readonly ThinVolume[] | undefined;
}

export interface ThinPool {
  readonly vgName: string | undefined;
  /** LV name (lvs) or device-mapper name (dmsetup). */
  readonly name: string;
  /** Undefined where the pool has failed or is not active. */
  readonly sizeBytes: number | undefined;
  readonly dataUsedBytes: number | undefined;
  readonly metadataSizeBytes: number | undefined;
  readonly metadataUsedBytes: number | undefined;
  readonly state: ThinPoolState;
  /** Metadata must be checked before the pool is used again. Undefined where not said. */
  readonly needsCheck: boolean | undefined;
  /** Writes wait for space (default 60 s, then fail) instead of failing at once. */
  readonly queueWhenFull: boolean | undefined;
  /** dmeventd watches the pool, which automatic extension depends on. Undefined where not said. */
  readonly monitored: boolean | undefined;
  /** Free space of the volume group, which automatic extension could use. */
  readonly vgFreeBytes: number | undefined;
}

/**
 * - `rw`: in order. `ro`: metadata failed or filled up. `out-of-data-space`: no free data block,
 *   writes wait or fail. `failed`: neither reads nor writes. `unknown`: inactive, or not said.
 */
export type ThinPoolState = 'rw' | 'ro' | 'out-of-data-space' | 'failed' | 'unknown';

export interface ThinVolume {
  readonly vgName: string;
  readonly name: string;
  readonly poolName: string;
  readonly sizeBytes: number;
  /** Mapped part of `sizeBytes`. Undefined for an inactive volume. */
  readonly usedBytes: number | undefined;
  /** `major:minor` of the active device, to match a guest's disk. */
  readonly device: string | undefined;
  /** Origin volume, for snapshots. */
  readonly origin: string | undefined;
}
