/**
 * What the first bytes of a qcow2 image say. Pure: it looks at a buffer somebody else has read.
 *
 * Layout and limits: QEMU docs/interop/qcow2.txt and the checks of qcow2_do_open() in QEMU
 * block/qcow2.c, which refuses the same nonsense before it allocates anything. All fields are
 * big-endian.
 */

/** A header is read in one piece of at most this many bytes; what lies beyond is not looked at. */
export const MAX_QCOW2_HEADER_BYTES = 64 * 1024;
/** Enough for the fixed fields and, in every image QEMU itself makes, for all extensions. */
export const USUAL_QCOW2_HEADER_BYTES = 1024;

export type Qcow2Encryption = 'none' | 'aes' | 'luks';
export type Qcow2Compression = 'zlib' | 'zstd';

export interface Qcow2Header {
  readonly version: 2 | 3;
  /** Size of the disk the guest sees, in bytes. Exact up to 2^53. */
  readonly virtualSizeBytes: number;
  readonly clusterSizeBytes: number;
  /** Width of one reference count, 1 to 64 bits. */
  readonly refcountBits: number;
  readonly encryption: Qcow2Encryption;
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

/**
 * - `not-qcow2`: no `QFI\xfb` at the start.
 * - `truncated`: the buffer ends before the header does.
 * - `unsupported`: a version or an incompatible feature this parser (and possibly QEMU) does not
 *   know, so that the fields could mean something else.
 * - `invalid`: a field QEMU would refuse as well.
 */
export type Qcow2HeaderProblem = 'not-qcow2' | 'truncated' | 'unsupported' | 'invalid';

export type Qcow2HeaderResult =
  | { readonly ok: true; readonly header: Qcow2Header }
  | { readonly ok: false; readonly problem: Qcow2HeaderProblem; readonly detail: string };
