/**
 * What MOM, the Memory Overcommitment Manager of oVirt, would do with this host, computed from its
 * default policy (doc/ksm.rules and doc/balloon.rules of github.com/oVirt/mom). Nothing is ever
 * applied.
 *
 * `mom` measures as MOM does, `corrected` runs the same policy on better measurements:
 *
 * | what               | mom                       | its error                       | corrected    |
 * |--------------------|---------------------------|---------------------------------|--------------|
 * | free host memory   | MemFree + Buffers + Cached | Cached holds Shmem, so the RAM of memfd guests counts as free | MemAvailable |
 * | shareable by KSM   | Σ virtual size of QEMU    | address space, not memory; also of guests KSM cannot merge | Σ resident of mergeable guests |
 * | free guest memory  | guest's MemFree           | a guest full of page cache looks full | guest's MemAvailable |
 */

export type MomVariant = 'mom' | 'corrected';

/**
 * Host measurements. MOM averages free memory over its last 10 samples (sample-history-length,
 * one every 5 s); the caller does the averaging.
 */
export interface MomHost {
  /** /proc/meminfo MemTotal. */
  readonly totalBytes: number;
  readonly averageFreeBytes: number;
  readonly averageBuffersBytes: number;
  readonly averageCachedBytes: number;
  readonly averageAvailableBytes: number;
  /** /sys/kernel/mm/ksm/pages_to_scan as it is now. Undefined: no KSM. */
  readonly ksmPagesToScan: number | undefined;
  /** Σ VmSize of all QEMU processes. */
  readonly guestsVirtualBytes: number | undefined;
  /** Σ RssAnon of guests with private anonymous memory: all that KSM can merge. */
  readonly guestsMergeableBytes: number | undefined;
}

export interface MomGuest {
  readonly name: string;
  /** libvirt `balloon.current`, last sample and average. */
  readonly balloonCurrentBytes: number;
  readonly averageBalloonCurrentBytes: number;
  readonly balloonMaximumBytes: number;
  /** `<memtune><min_guarantee>`, which QEMU does not support: normally 0. */
  readonly balloonMinimumBytes: number;
  /** libvirt `balloon.unused` (guest's MemFree). Undefined: no guest statistics. */
  readonly averageUnusedBytes: number | undefined;
  /** libvirt `balloon.usable` (guest's MemAvailable). Undefined: not reported. */
  readonly averageUsableBytes: number | undefined;
}

/** Free host memory ≥ 20 %, below 20 %, or ≤ 5 %. */
export type MomZone = 'comfortable' | 'pressure' | 'critical';

export const MOM_ZONES: readonly MomZone[] = ['comfortable', 'pressure', 'critical'];

/** What MOM would write to /sys/kernel/mm/ksm. When it stops KSM it leaves the rest as it is. */
export type MomKsm =
  | { readonly run: false }
  | { readonly run: true; readonly pagesToScan: number; readonly sleepMilliseconds: number };

export interface MomTarget {
  readonly name: string;
  /**
   * Balloon size MOM would ask for; the present size where it would ask for none. Undefined: no
   * guest statistics to decide on.
   */
  readonly targetBytes: number | undefined;
}

export interface MomDecision {
  readonly variant: MomVariant;
  readonly hostFreeRatio: number;
  readonly zone: MomZone;
  /** Undefined: no KSM, or the guests' size is unknown. */
  readonly ksm: MomKsm | undefined;
  readonly guests: readonly MomTarget[];
}
