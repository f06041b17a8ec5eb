import { failedWith, found, type Failure, type Result } from '../../runtime/result.ts';
import type { Qcow2Compression, Qcow2Encryption, Qcow2Header } from '../../model/image.ts';

/**
 * What the first bytes of a qcow2 image say. Pure: it looks at a buffer somebody else has read.
 *
 * Layout and limits: QEMU docs/interop/qcow2.txt and the checks of qcow2_do_open() in QEMU
 * block/qcow2.c, which refuses the same nonsense before it allocates anything. All fields are
 * big-endian.
 */

/** A header is read in one piece of at most this many bytes; what lies beyond is not read. */
export const MAX_QCOW2_HEADER_BYTES = 64 * 1024;
/** Enough for the fixed fields and, in every image QEMU itself makes, for all extensions. */
export const USUAL_QCOW2_HEADER_BYTES = 1024;

/**
 * - `not-qcow2`: no `QFI\xfb` at the start.
 * - `truncated`: the buffer ends before the header does.
 * - `unsupported`: a version or an incompatible feature this parser (and possibly QEMU) does not
 *   know, so that the fields could mean something else.
 * - `invalid`: a field QEMU would refuse as well.
 */
type Qcow2HeaderProblem = 'not-qcow2' | 'truncated' | 'unsupported' | 'invalid';

export interface Qcow2HeaderFault {
  readonly problem: Qcow2HeaderProblem;
  readonly detail: string;
}

const MAGIC = 0x51_46_49_fb;
const V2_HEADER_BYTES = 72;
const V3_MIN_HEADER_BYTES = 104;
const COMPRESSION_TYPE_OFFSET = 104;
const SECTOR_BYTES = 512n;

const MIN_CLUSTER_BITS = 9;
const MAX_CLUSTER_BITS = 21;
/** Subclusters exist from 16 KiB clusters on (QEMU: 32 subclusters of at least 512 bytes). */
const MIN_EXTENDED_L2_CLUSTER_BITS = 14;
const MAX_REFCOUNT_ORDER = 6;
const MAX_L1_BYTES = 32 * 1024 * 1024;
const MAX_REFCOUNT_TABLE_BYTES = 8 * 1024 * 1024;
const MAX_SNAPSHOTS = 65_536;
const MAX_BACKING_NAME_BYTES = 1023;
const MAX_BACKING_FORMAT_BYTES = 15;
/** The header sets no limit to the data file's name; a path longer than PATH_MAX opens nowhere. */
const MAX_DATA_FILE_NAME_BYTES = 4095;

/** LUKS1 key slots take about 2 MiB; QEMU sets no limit. */
const MAX_ENCRYPTION_HEADER_BYTES = 256n * 1024n * 1024n;

const INCOMPATIBLE_DIRTY = 1n << 0n;
const INCOMPATIBLE_CORRUPT = 1n << 1n;
const INCOMPATIBLE_DATA_FILE = 1n << 2n;
const INCOMPATIBLE_COMPRESSION = 1n << 3n;
const INCOMPATIBLE_EXTENDED_L2 = 1n << 4n;
const INCOMPATIBLE_KNOWN =
  INCOMPATIBLE_DIRTY |
  INCOMPATIBLE_CORRUPT |
  INCOMPATIBLE_DATA_FILE |
  INCOMPATIBLE_COMPRESSION |
  INCOMPATIBLE_EXTENDED_L2;
const COMPATIBLE_LAZY_REFCOUNTS = 1n << 0n;
const AUTOCLEAR_BITMAPS = 1n << 0n;
const AUTOCLEAR_DATA_FILE_RAW = 1n << 1n;

const EXTENSION_END = 0;
const EXTENSION_BACKING_FORMAT = 0xe279_2aca;
const EXTENSION_BITMAPS = 0x2385_2875;
const EXTENSION_DATA_FILE = 0x4441_5441;
const EXTENSION_ENCRYPTION_HEADER = 0x0537_be77;

const ENCRYPTION: readonly Qcow2Encryption[] = ['none', 'aes', 'luks'];
const COMPRESSION: readonly Qcow2Compression[] = ['zlib', 'zstd'];

interface Extensions {
  readonly backingFormat: string | undefined;
  readonly dataFileName: string | undefined;
  readonly bitmapCount: number;
  readonly encryptionHeaderBytes: number;
}

/**
 * Reads the header of a qcow2 image, versions 2 and 3.
 *
 * `start` is the beginning of the file, {@link USUAL_QCOW2_HEADER_BYTES} or more. A result of
 * `truncated` from a shorter buffer than {@link MAX_QCOW2_HEADER_BYTES} is worth another try with
 * a longer one. Allocates the result and its strings, all bounded by constants, whatever the
 * fields claim.
 */
export function parseQcow2Header(start: Buffer): Result<Qcow2Header, Qcow2HeaderFault> {
  if (start.length < 8) return refused('not-qcow2', 'shorter than magic and version');
  if (start.readUInt32BE(0) !== MAGIC) return refused('not-qcow2', 'no QFI magic');
  const version = start.readUInt32BE(4);
  if (version !== 2 && version !== 3) return refused('unsupported', `version ${version}`);
  if (start.length < (version === 2 ? V2_HEADER_BYTES : V3_MIN_HEADER_BYTES)) {
    return refused('truncated', `${start.length} bytes of header`);
  }

  const clusterBits = start.readUInt32BE(20);
  if (clusterBits < MIN_CLUSTER_BITS || clusterBits > MAX_CLUSTER_BITS) {
    return refused('invalid', `cluster_bits ${clusterBits}`);
  }
  const clusterSizeBytes = 2 ** clusterBits;

  const incompatible = version === 3 ? start.readBigUInt64BE(72) : 0n;
  const compatible = version === 3 ? start.readBigUInt64BE(80) : 0n;
  const autoclear = version === 3 ? start.readBigUInt64BE(88) : 0n;
  const refcountOrder = version === 3 ? start.readUInt32BE(96) : 4;
  const headerLength = version === 3 ? start.readUInt32BE(100) : V2_HEADER_BYTES;
  const unknown = incompatible & ~INCOMPATIBLE_KNOWN;
  if (unknown !== 0n) {
    return refused('unsupported', `incompatible feature bits 0x${unknown.toString(16)}`);
  }
  if (version === 3 && headerLength < V3_MIN_HEADER_BYTES) {
    return refused('invalid', `header_length ${headerLength}`);
  }
  if (headerLength > clusterSizeBytes) {
    return refused('invalid', `header_length ${headerLength} exceeds the cluster`);
  }
  if (refcountOrder > MAX_REFCOUNT_ORDER) {
    return refused('invalid', `refcount_order ${refcountOrder}`);
  }
  const extendedL2 = (incompatible & INCOMPATIBLE_EXTENDED_L2) !== 0n;
  if (extendedL2 && clusterBits < MIN_EXTENDED_L2_CLUSTER_BITS) {
    return refused('invalid', `extended L2 with cluster_bits ${clusterBits}`);
  }

  const encryption = ENCRYPTION[start.readUInt32BE(32)];
  if (encryption === undefined) {
    return refused('unsupported', `crypt_method ${start.readUInt32BE(32)}`);
  }
  let compressionType = 0;
  if (headerLength > COMPRESSION_TYPE_OFFSET) {
    if (start.length <= COMPRESSION_TYPE_OFFSET) {
      return refused('truncated', `${start.length} bytes of header`);
    }
    compressionType = start.readUInt8(COMPRESSION_TYPE_OFFSET);
  }
  const compression = COMPRESSION[compressionType];
  if (compression === undefined) {
    return refused('unsupported', `compression_type ${compressionType}`);
  }
  if ((compressionType !== 0) !== ((incompatible & INCOMPATIBLE_COMPRESSION) !== 0n)) {
    return refused('invalid', 'compression_type and its feature bit disagree');
  }

  // The size counts in whole sectors, as in QEMU; a remainder is not visible to the guest.
  const virtualSize = (start.readBigUInt64BE(24) / SECTOR_BYTES) * SECTOR_BYTES;
  const l1Entries = start.readUInt32BE(36);
  if (l1Entries * 8 > MAX_L1_BYTES) return refused('invalid', `l1_size ${l1Entries}`);
  const l2Entries = BigInt(clusterSizeBytes / (extendedL2 ? 16 : 8));
  const bytesPerL1Entry = BigInt(clusterSizeBytes) * l2Entries;
  if ((virtualSize + bytesPerL1Entry - 1n) / bytesPerL1Entry > BigInt(l1Entries)) {
    return refused('invalid', `size ${virtualSize} does not fit l1_size ${l1Entries}`);
  }
  const refcountTableClusters = start.readUInt32BE(56);
  if (refcountTableClusters * clusterSizeBytes > MAX_REFCOUNT_TABLE_BYTES) {
    return refused('invalid', `refcount_table_clusters ${refcountTableClusters}`);
  }
  const inCluster = BigInt(clusterSizeBytes - 1);
  for (const [field, at] of TABLE_OFFSETS) {
    if ((start.readBigUInt64BE(at) & inCluster) !== 0n) {
      return refused('invalid', `${field} is not on a cluster`);
    }
  }
  const internalSnapshotCount = start.readUInt32BE(60);
  if (internalSnapshotCount > MAX_SNAPSHOTS) {
    return refused('invalid', `nb_snapshots ${internalSnapshotCount}`);
  }

  const backingOffset = start.readBigUInt64BE(8);
  const backingLength = start.readUInt32BE(16);
  if (backingOffset > BigInt(clusterSizeBytes)) {
    return refused('invalid', `backing_file_offset ${backingOffset}`);
  }
  const backingStart = Number(backingOffset);
  const extensionsEnd = backingStart === 0 ? clusterSizeBytes : backingStart;
  const walked = walkExtensions(start, headerLength, extensionsEnd);
  if (!walked.ok) return walked;

  let backingFileName: string | undefined;
  if (backingStart !== 0 && backingLength !== 0) {
    if (backingLength > Math.min(MAX_BACKING_NAME_BYTES, clusterSizeBytes - backingStart)) {
      return refused('invalid', `backing_file_size ${backingLength}`);
    }
    if (backingStart + backingLength > start.length) {
      return refused('truncated', `backing file name ends at ${backingStart + backingLength}`);
    }
    backingFileName = text(start, backingStart, backingLength);
  }

  const { backingFormat, dataFileName, bitmapCount, encryptionHeaderBytes } = walked.value;
  const hasExternalDataFile = (incompatible & INCOMPATIBLE_DATA_FILE) !== 0n;
  return found({
    version,
    virtualSizeBytes: Number(virtualSize),
    clusterSizeBytes,
    refcountBits: 2 ** refcountOrder,
    encryption,
    encryptionHeaderBytes: encryption === 'luks' ? encryptionHeaderBytes : 0,
    compression,
    l1Entries,
    refcountTableClusters,
    internalSnapshotCount,
    // Without the autoclear bit some other program wrote to the image: the bitmaps are void.
    bitmapCount: (autoclear & AUTOCLEAR_BITMAPS) === 0n ? 0 : bitmapCount,
    dirty: (incompatible & INCOMPATIBLE_DIRTY) !== 0n,
    corrupt: (incompatible & INCOMPATIBLE_CORRUPT) !== 0n,
    lazyRefcounts: (compatible & COMPATIBLE_LAZY_REFCOUNTS) !== 0n,
    extendedL2,
    hasExternalDataFile,
    externalDataFileIsRaw: hasExternalDataFile && (autoclear & AUTOCLEAR_DATA_FILE_RAW) !== 0n,
    externalDataFileName: hasExternalDataFile ? dataFileName : undefined,
    backingFileName,
    backingFormat: backingFileName === undefined ? undefined : backingFormat,
  });
}

const TABLE_OFFSETS: readonly (readonly [field: string, at: number])[] = [
  ['l1_table_offset', 40],
  ['refcount_table_offset', 48],
  ['snapshots_offset', 64],
];

function walkExtensions(
  start: Buffer,
  from: number,
  end: number,
): Result<Extensions, Qcow2HeaderFault> {
  let backingFormat: string | undefined;
  let dataFileName: string | undefined;
  let bitmapCount = 0;
  let encryptionHeaderBytes = 0;
  let at = from;
  // Each turn moves on by 8 bytes or more within the buffer, whatever the lengths say.
  while (at + 8 <= end) {
    if (at + 8 > start.length) return refused('truncated', `extension at ${at}`);
    const type = start.readUInt32BE(at);
    const length = start.readUInt32BE(at + 4);
    at += 8;
    if (type === EXTENSION_END) break;
    if (length > end - at) return refused('invalid', `extension of ${length} bytes at ${at - 8}`);
    if (at + length > start.length) return refused('truncated', `extension at ${at - 8}`);
    if (type === EXTENSION_BACKING_FORMAT) {
      if (length > MAX_BACKING_FORMAT_BYTES) {
        return refused('invalid', `backing format of ${length} bytes`);
      }
      backingFormat = text(start, at, length);
    } else if (type === EXTENSION_DATA_FILE) {
      if (length > MAX_DATA_FILE_NAME_BYTES) {
        return refused('invalid', `data file name of ${length} bytes`);
      }
      dataFileName = text(start, at, length);
    } else if (type === EXTENSION_BITMAPS) {
      if (length < 4) return refused('invalid', `bitmaps extension of ${length} bytes`);
      bitmapCount = start.readUInt32BE(at);
    } else if (type === EXTENSION_ENCRYPTION_HEADER) {
      if (length < 16) return refused('invalid', `encryption extension of ${length} bytes`);
      const bytes = start.readBigUInt64BE(at + 8);
      if (bytes > MAX_ENCRYPTION_HEADER_BYTES) {
        return refused('invalid', `encryption header of ${bytes} bytes`);
      }
      encryptionHeaderBytes = Number(bytes);
    }
    at += Math.ceil(length / 8) * 8;
  }
  return found({ backingFormat, dataFileName, bitmapCount, encryptionHeaderBytes });
}

/** A C string of at most `length` bytes; an empty one counts as absent. */
function text(start: Buffer, at: number, length: number): string | undefined {
  const bytes = start.subarray(at, at + length);
  const nul = bytes.indexOf(0);
  const value = bytes.toString('utf8', 0, nul === -1 ? length : nul);
  return value === '' ? undefined : value;
}

function refused(problem: Qcow2HeaderProblem, detail: string): Failure<Qcow2HeaderFault> {
  return failedWith({ problem, detail });
}
