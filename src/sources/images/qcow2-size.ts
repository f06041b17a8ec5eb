import type { WorstCaseSize } from '../../model/image.ts';

/** What decides how large the host file of a qcow2 image can become. */
export interface Qcow2Geometry {
  readonly virtualSizeBytes: number;
  readonly clusterSizeBytes: number;
  readonly refcountBits: number;
  readonly extendedL2: boolean;
  readonly hasExternalDataFile: boolean;
  readonly internalSnapshotCount: number;
  /** 0 where the image is not LUKS-encrypted. */
  readonly encryptionHeaderBytes: number;
}

const L1_ENTRY_BYTES = 8;
const L2_ENTRY_BYTES = 8;
const EXTENDED_L2_ENTRY_BYTES = 16;
const REFCOUNT_TABLE_ENTRY_BYTES = 8;

/**
 * How large the host file of a qcow2 image gets when the guest has written every cluster.
 *
 * The same sum as `qemu-img measure -O qcow2` ("fully allocated size"; QEMU block/qcow2.c,
 * qcow2_calc_prealloc_size()): one header cluster, the L2 tables, the L1 table, the data, and
 * reference counts for all of these and for themselves. Like measure it leaves out persistent
 * bitmaps and saved VM state, whose size the header does not tell, and QEMU gives no guarantee
 * that an image never outgrows it.
 */
export function qcow2WorstCase(geometry: Qcow2Geometry): WorstCaseSize {
  const { clusterSizeBytes: cluster, internalSnapshotCount: snapshots } = geometry;
  const dataBytes = roundUp(geometry.virtualSizeBytes, cluster);
  const l2EntryBytes = geometry.extendedL2 ? EXTENDED_L2_ENTRY_BYTES : L2_ENTRY_BYTES;
  const l2Entries = roundUp(dataBytes / cluster, cluster / l2EntryBytes);
  const l2Bytes = l2Entries * l2EntryBytes;
  const l1Bytes = roundUp(l2Bytes / cluster, cluster / L1_ENTRY_BYTES) * L1_ENTRY_BYTES;

  // With an external data file the guest's clusters are neither here nor reference-counted.
  const ownDataBytes = geometry.hasExternalDataFile ? 0 : dataBytes;
  const oneState = l2Bytes + l1Bytes + ownDataBytes;
  // Added as measure does it, without reference counts of its own.
  const encryptionBytes = roundUp(geometry.encryptionHeaderBytes, cluster);
  const active =
    withRefcounts(cluster + oneState, cluster, geometry.refcountBits) + encryptionBytes;
  const snapshotTable = cluster;
  const withSnapshotsBytes =
    snapshots === 0
      ? active
      : withRefcounts(
          cluster + snapshotTable + oneState * (1 + snapshots),
          cluster,
          geometry.refcountBits,
        ) + encryptionBytes;
  return {
    fullyAllocatedBytes: active,
    metadataBytes: active - ownDataBytes,
    withSnapshotsBytes,
  };
}

/** A raw image: no metadata, and QEMU does not write past the end the guest sees. */
export function rawWorstCase(capacityBytes: number): WorstCaseSize {
  return {
    fullyAllocatedBytes: capacityBytes,
    metadataBytes: 0,
    withSnapshotsBytes: capacityBytes,
  };
}

const SECTOR_BYTES = 512;

/** QEMU counts a disk in sectors of 512 bytes and rounds up (bdrv_co_getlength() in block.c). */
export function wholeSectors(bytes: number): number {
  return roundUp(bytes, SECTOR_BYTES);
}

/**
 * Adds refcount blocks and table, which count references to themselves as well, so the sum is a
 * fixed point (QEMU block/qcow2-refcount.c, qcow2_refcount_metadata_size()).
 */
function withRefcounts(bytes: number, cluster: number, refcountBits: number): number {
  const blocksPerTableCluster = cluster / REFCOUNT_TABLE_ENTRY_BYTES;
  const refcountsPerBlock = (cluster * 8) / refcountBits;
  const counted = bytes / cluster;
  let blocks = 0;
  let table = 0;
  let total = counted;
  let before: number;
  do {
    before = total;
    blocks = Math.ceil((counted + table + blocks) / refcountsPerBlock);
    table = Math.ceil(blocks / blocksPerTableCluster);
    total = counted + blocks + table;
  } while (total !== before);
  return total * cluster;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
