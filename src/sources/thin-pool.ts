/**
 * - `rw`: in order. `ro`: metadata failed or filled up. `out-of-data-space`: no free data block,
 *   writes wait or fail. `failed`: neither reads nor writes. `unknown`: inactive, or not said.
 */
export type ThinPoolState = 'rw' | 'ro' | 'out-of-data-space' | 'failed' | 'unknown';

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

export interface ThinStorage {
  readonly pools: readonly ThinPool[];
  readonly volumes: readonly ThinVolume[];
}
