import type { ImageFormat } from './image-format.ts';
import type { Mount } from './mounts.ts';
import type { Qcow2Header } from './qcow2-header.ts';
import type { WorstCaseSize } from './qcow2-size.ts';
import type { Reading } from './reading.ts';

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

export interface ImageFile {
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
   * Size of the disk the guest sees, in bytes: raw images and qcow2. Undefined for other formats
   * and for a qcow2 whose header could not be read.
   */
  readonly capacityBytes: number | undefined;
  /** Present for qcow2 only: the header, or why there is none. */
  readonly qcow2: Reading<Qcow2Header> | undefined;
  /**
   * Largest size this file can reach. A raw image cannot outgrow its capacity. Undefined where the
   * format does not tell.
   */
  readonly worstCase: WorstCaseSize | undefined;
}
