/** What decides how large the host file of a qcow2 image can become. */
export interface Qcow2Geometry {
  readonly virtualSizeBytes: number;
  readonly clusterSizeBytes: number;
  readonly refcountBits: number;
  readonly extendedL2: boolean;
  readonly hasExternalDataFile: boolean;
  readonly internalSnapshotCount: number;
}

export interface Qcow2WorstCase {
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
