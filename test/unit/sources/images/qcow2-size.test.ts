import { describe, expect, it } from 'vitest';

import { qcow2WorstCase, rawWorstCase } from '../../../../src/sources/images/qcow2-size.ts';

const GIB = 1024 ** 3;
const CLUSTER = 65_536;
const DEFAULTS = {
  virtualSizeBytes: GIB,
  clusterSizeBytes: CLUSTER,
  refcountBits: 16,
  extendedL2: false,
  hasExternalDataFile: false,
  internalSnapshotCount: 0,
  encryptionHeaderBytes: 0,
};

describe('the largest size of a qcow2 file', () => {
  it('of 1 GiB: header, 2 clusters of L2, 1 of L1, 1 of refcounts, 1 of their table', () => {
    expect(qcow2WorstCase(DEFAULTS)).toEqual({
      fullyAllocatedBytes: 1_074_135_040,
      metadataBytes: 393_216,
      withSnapshotsBytes: 1_074_135_040,
    });
  });

  it('of 100 GiB: 16646144 bytes of overhead', () => {
    const { fullyAllocatedBytes, metadataBytes } = qcow2WorstCase({
      ...DEFAULTS,
      virtualSizeBytes: 100 * GIB,
    });
    expect(fullyAllocatedBytes).toBe(107_390_828_544);
    expect(metadataBytes).toBe(16_646_144);
  });

  it('doubles the L2 tables for extended entries', () => {
    const { metadataBytes } = qcow2WorstCase({ ...DEFAULTS, extendedL2: true });
    expect(metadataBytes).toBe(393_216 + 2 * CLUSTER);
  });

  it('of an empty disk is a header, refcounts and their table', () => {
    const { fullyAllocatedBytes } = qcow2WorstCase({ ...DEFAULTS, virtualSizeBytes: 0 });
    expect(fullyAllocatedBytes).toBe(3 * CLUSTER);
  });

  it('is metadata only where the data is in another file', () => {
    const { fullyAllocatedBytes } = qcow2WorstCase({ ...DEFAULTS, hasExternalDataFile: true });
    expect(fullyAllocatedBytes).toBe(393_216);
  });

  it('counts the LUKS header in whole clusters', () => {
    const { fullyAllocatedBytes } = qcow2WorstCase({
      ...DEFAULTS,
      encryptionHeaderBytes: 2_068_480,
    });
    expect(fullyAllocatedBytes).toBe(1_074_135_040 + 32 * CLUSTER);
  });

  it('with snapshots is told apart: each may keep a whole disk, its L2 and its L1 tables', () => {
    const worst = qcow2WorstCase({ ...DEFAULTS, internalSnapshotCount: 2 });
    expect(worst.fullyAllocatedBytes).toBe(1_074_135_040);
    // 3 disks of 16384 + 3 clusters, header, snapshot table: 49163, so 2 of refcounts, 1 table.
    expect(worst.withSnapshotsBytes).toBe((3 * 16_387 + 2 + 2 + 1) * CLUSTER);
  });
});

describe('the largest size of a raw image', () => {
  it('is its capacity', () => {
    expect(rawWorstCase(GIB)).toEqual({
      fullyAllocatedBytes: GIB,
      metadataBytes: 0,
      withSnapshotsBytes: GIB,
    });
  });
});
