import type { ImageReference } from './facts/image-reference.ts';
import type { StorageSlice } from './domain-config.ts';

import type { SourceError } from '../runtime/result.ts';
import type { Mount } from './filesystem.ts';

export interface ImageChain {
  readonly disk: DescribedDisk;
  /** Leaf first. Empty when the leaf itself could not be read. */
  readonly images: readonly ChainImage[];
  readonly end: ChainEnd;
}

/** A disk as the domain XML describes it. */
export interface DescribedDisk {
  /** First the disk's own image, then whatever <backingStore> elements follow, outermost first. */
  readonly declared: readonly [DeclaredImage, ...DeclaredImage[]];
  /** The XML ended the chain with an empty <backingStore/>: headers are not asked further. */
  readonly declaredToTheEnd: boolean;
}

/** An image as the domain XML describes it. */
export interface DeclaredImage extends ImageRequest {
  /** Where the XML says its data lie (`<dataStore>`), whatever its header names. */
  readonly dataStore?: ImageRequest | (ImageReference & { readonly kind: 'remote' });
}

/** One image to look at. */
export interface ImageRequest {
  /** Absolute path on the host. */
  readonly path: string;
  /**
   * Format as somebody who may say so said it (domain XML, overlay header), `undefined` when
   * nobody did. Only then is the image probed; a declared `raw` is never probed, since a guest
   * can write any header into its own raw disk.
   */
  readonly declaredFormat: string | undefined;
  /** The part of the file that is the image; all of it without. */
  readonly slice?: StorageSlice;
  /**
   * Only an image's header names this file, and whoever made the image wrote that. It is looked
   * for under the directories allowed (`sources/images/allowed-places.ts`) and nowhere else.
   */
  readonly namedByHeader?: true;
}

export interface ChainImage {
  /** `data`: another file of the image at the same depth: data file of a qcow2, extent of a VMDK. */
  readonly role: 'leaf' | 'backing' | 'data';
  /** 0 for the leaf. */
  readonly depth: number;
  readonly image: ImageFile;
}

/** What the header of an image says, of whatever format. Whoever made the image may have written it. */
export interface HeaderFacts {
  /** What lies below the image. */
  readonly below: Below;
  /** Further files of the image. */
  readonly dataFiles: readonly NamedFile[];
  /**
   * Size of the disk the guest sees, in bytes. Undefined for formats whose headers are not read
   * that far, and where the header could not be read.
   */
  readonly capacityBytes: number | undefined;
  /**
   * Largest size this file can reach. A raw image cannot outgrow its capacity. Undefined where the
   * format does not tell.
   */
  readonly worstCase: WorstCaseSize | undefined;
  /** Undefined for other formats, and where the header could not be read. */
  readonly qcow2: Qcow2Header | undefined;
}

/** An image as it is on this host: what the kernel says of the file, and what its header says. */
export interface ImageFile extends HeaderFacts {
  /** The path that was asked for. */
  readonly path: string;
  /** The same with every symbolic link followed. */
  readonly resolvedPath: string;
  /** Equal for two paths exactly when they are the same image: hard links, symlinks, bind mounts. */
  readonly identity: string;
  readonly kind: 'file' | 'block';
  /** The mount the image lies on; for a block device the one its device node lies on (devtmpfs). */
  readonly mount: Mount;
  readonly blockDevice: BlockDevice | undefined;
  /** st_size, or the size of the block device, in bytes. */
  readonly fileSizeBytes: number;
  /** st_blocks × 512. Undefined for block devices: only their thin pool or image format knows. */
  readonly allocatedBytes: number | undefined;
  readonly format: ImageFormat;
  /** Whether `format` was declared by XML or overlay, or found by looking at the first bytes. */
  readonly formatFrom: 'declared' | 'probed';
  /**
   * Why the header could not be read, of any format; of an image of undeclared format (`other`),
   * why it could not be probed.
   */
  readonly headerError: SourceError | undefined;
}

export interface BlockDevice {
  /** `major:minor`. */
  readonly device: string;
  /** Kernel name from /sys/dev/block: `sda1`, `dm-3`. */
  readonly name: string | undefined;
  /** Device-mapper name (`vg-lv`, hyphens doubled), for devices which have one. */
  readonly deviceMapperName: string | undefined;
  readonly readOnly: boolean | undefined;
}

export type ImageFormat = (typeof IMAGE_FORMATS)[number];

/** Image formats told apart by their first bytes; `raw` is what is left. QEMU's driver names. */
export const IMAGE_FORMATS = [
  'raw',
  'qcow2',
  'qcow',
  'qed',
  'vmdk',
  'vdi',
  'vhdx',
  'vpc',
  'luks',
  'parallels',
  'dmg',
  'bochs',
  'cloop',
  'other',
] as const;

export interface Qcow2Header {
  readonly version: 2 | 3;
  /** Size of the disk the guest sees, in bytes. Exact up to 2^53. */
  readonly virtualSizeBytes: number;
  readonly clusterSizeBytes: number;
  /** Width of one reference count, 1 to 64 bits. */
  readonly refcountBits: number;
  readonly encryption: Qcow2Encryption;
  /** The LUKS header QEMU keeps in clusters of its own, in bytes; 0 without LUKS. */
  readonly encryptionHeaderBytes: number;
  readonly compression: Qcow2Compression;
  /** Entries of the active L1 table, 8 bytes each. */
  readonly l1Entries: number;
  readonly refcountTableClusters: number;
  /** Snapshots kept inside this file. Each can pin up to the whole virtual size once more. */
  readonly internalSnapshotCount: number;
  /** Persistent dirty bitmaps (bitmaps extension); they take clusters of their own. */
  readonly bitmapCount: number;
  /** Reference counts may be stale. Normal while a guest with lazy_refcounts runs. */
  readonly dirty: boolean;
  /** QEMU found damaged metadata and will only open the image read-only. */
  readonly corrupt: boolean;
  readonly lazyRefcounts: boolean;
  /** 128-bit L2 entries with 32 subclusters each. */
  readonly extendedL2: boolean;
  /** Guest data lies in another file; this one holds metadata only. */
  readonly hasExternalDataFile: boolean;
  /** The external data file can be read as a raw image by itself. */
  readonly externalDataFileIsRaw: boolean;
  /** Name of the external data file as the header gives it, when it does. */
  readonly externalDataFileName: string | undefined;
  /** Backing file name exactly as written: absolute, relative to this image, URL or `json:`. */
  readonly backingFileName: string | undefined;
  /** Format of the backing file (`raw`, `qcow2`, …) where the header says it. */
  readonly backingFormat: string | undefined;
}

export type Qcow2Encryption = 'none' | 'aes' | 'luks';

export type Qcow2Compression = 'zlib' | 'zstd';

/**
 * What lies below an image by its own header.
 * - `nothing`: the format has no such thing, or the header says there is none.
 * - `named`: `format` where the header says it.
 * - `unknown`: there may be something, and this format is not read that far.
 */
export type Below =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'named'; readonly name: string; readonly format: string | undefined }
  | { readonly kind: 'unknown'; readonly detail: string };

/** Another file the image keeps content of its own in, as the header names it. */
export interface NamedFile {
  readonly name: string;
  readonly format: ImageFormat;
}

export interface WorstCaseSize {
  /** Size of this file with every guest cluster written once: data and all metadata, in bytes. */
  readonly fullyAllocatedBytes: number;
  /** The part of `fullyAllocatedBytes` which is not guest data. */
  readonly metadataBytes: number;
  /**
   * Upper bound when, beside the active state, every internal snapshot pins a whole virtual disk
   * of its own. Equal to `fullyAllocatedBytes` without snapshots.
   */
  readonly withSnapshotsBytes: number;
}

/**
 * Why the chain stops where it does.
 * - `complete`: the last image has nothing below it, and says so.
 * - `unknown`: there may be something below the last image, but its format is not read that far.
 * - `remote`: the next image is not a local path (`nbd:`, `rbd:`, `https:`, opaque `json:`).
 *   `reference` is what of the name may be shown.
 * - `unspecified-format`: the format of an image was not declared and probing found one that names
 *   other files. libvirt refuses to start such a guest; the names are not followed.
 * - `refused`: the next image was not read on purpose: its name stands only in a header and
 *   leads out of the directories of pools and images of this host, or it lies on a filesystem of
 *   the kernel.
 * - `loop`, `too-deep`: refused.
 * - `unreadable`: the next image could not be read (missing, denied, hung mount …).
 * - `bad-header`: the last image's own header is no good.
 */
export type ChainEnd =
  | { readonly kind: 'complete' }
  | { readonly kind: 'unknown'; readonly path: string; readonly detail: string }
  | {
      readonly kind: 'remote';
      readonly reference: string;
      readonly protocol: string;
      readonly digest: string;
    }
  | { readonly kind: 'unspecified-format'; readonly reference: string }
  | { readonly kind: 'refused'; readonly path: string; readonly error: SourceError }
  | { readonly kind: 'loop'; readonly path: string }
  | { readonly kind: 'too-deep'; readonly limit: number }
  | { readonly kind: 'unreadable'; readonly path: string; readonly error: SourceError }
  | { readonly kind: 'bad-header'; readonly path: string; readonly error: SourceError };
