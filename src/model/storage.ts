import type { Filesystem } from '../sources/files/filesystem.ts';
import type { ImageChain } from '../sources/images/image-chain.ts';
import type { StoragePoolDescription } from '../sources/domain-xml/storage-pool-xml.ts';
import type { ThinStorage } from '../sources/lvm/thin-pool.ts';

/** Where the disks of all defined guests, running or not, lie. */
export interface Storage {
  readonly disks: readonly DomainDisk[];
  /** Every filesystem that holds at least one image, once each. */
  readonly filesystems: readonly Filesystem[];
  /** LVM thin pools as of the last background refresh; undefined when that is switched off. */
  readonly thin: ThinStorageReading | undefined;
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
