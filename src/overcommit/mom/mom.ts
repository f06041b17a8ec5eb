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
type MomKsm =
  | { readonly run: false }
  | { readonly run: true; readonly pagesToScan: number; readonly sleepMilliseconds: number };

interface MomTarget {
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

// balloon.rules and ksm.rules, "Constants".
const PRESSURE_THRESHOLD = 0.2;
const PRESSURE_CRITICAL = 0.05;
const CRITICAL_PUSH = 0.05;
const MIN_GUEST_FREE = 0.2;
const MAX_BALLOON_CHANGE = 0.05;
const MIN_BALLOON_CHANGE = 0.0025;
const KSM_FREE = 0.2;
const KSM_BOOST = 300;
const KSM_DECAY = -50;
const KSM_PAGES_MIN = 64;
const KSM_PAGES_MAX = 1250;
const KSM_SLEEP_BASELINE_MILLISECONDS = 10;
const KSM_SLEEP_BASELINE_KIB = 16_777_216;

/**
 * @returns undefined where the host's total memory is not known (0), since every rule divides
 * by it.
 */
export function momDecision(
  variant: MomVariant,
  host: MomHost,
  guests: readonly MomGuest[],
): MomDecision | undefined {
  if (host.totalBytes <= 0) return undefined;
  const corrected = variant === 'corrected';
  const freeBytes = corrected
    ? host.averageAvailableBytes
    : host.averageFreeBytes + host.averageBuffersBytes + host.averageCachedBytes;
  const shareableBytes = corrected ? host.guestsMergeableBytes : host.guestsVirtualBytes;
  const hostFreeRatio = freeBytes / host.totalBytes;
  return {
    variant,
    hostFreeRatio,
    zone: computeZone(hostFreeRatio),
    ksm: ksmSetting(host, freeBytes, shareableBytes),
    guests: guests.map((guest) => ({
      name: guest.name,
      targetBytes: balloonTarget(
        guest,
        corrected ? guest.averageUsableBytes : guest.averageUnusedBytes,
        hostFreeRatio,
      ),
    })),
  };
}

function computeZone(hostFreeRatio: number): MomZone {
  if (hostFreeRatio <= PRESSURE_CRITICAL) return 'critical';
  return hostFreeRatio < PRESSURE_THRESHOLD ? 'pressure' : 'comfortable';
}

/** ksm.rules: stop when guests fit beside the 20 % that should stay free, and it is free. */
function ksmSetting(
  host: MomHost,
  freeBytes: number,
  shareableBytes: number | undefined,
): MomKsm | undefined {
  if (host.ksmPagesToScan === undefined || shareableBytes === undefined) return undefined;
  const threshold = host.totalBytes * KSM_FREE;
  if (threshold + shareableBytes < host.totalBytes && freeBytes > threshold) return { run: false };
  const step = freeBytes < threshold ? KSM_BOOST : KSM_DECAY;
  const totalKib = host.totalBytes / 1024;
  return {
    run: true,
    pagesToScan: Math.min(KSM_PAGES_MAX, Math.max(KSM_PAGES_MIN, host.ksmPagesToScan + step)),
    // Truncated as MOM's KSM controller does: from 160 GiB on MOM asks ksmd never to sleep.
    sleepMilliseconds: Math.trunc(
      (KSM_SLEEP_BASELINE_MILLISECONDS * KSM_SLEEP_BASELINE_KIB) / totalKib,
    ),
  };
}

/** balloon.rules, shrink_guest and grow_guest. Whole KiB, as MOM's balloon controller asks for. */
function balloonTarget(
  guest: MomGuest,
  averageFreeBytes: number | undefined,
  hostFreeRatio: number,
): number | undefined {
  if (averageFreeBytes === undefined) return undefined;
  const current = guest.balloonCurrentBytes;
  const used = guest.averageBalloonCurrentBytes - averageFreeBytes;
  const size =
    hostFreeRatio < PRESSURE_THRESHOLD ? shrunk(guest, used, hostFreeRatio) : grown(guest, used);
  if (size === undefined || Math.abs(size - current) <= MIN_BALLOON_CHANGE * current) {
    return current;
  }
  return Math.trunc(size / 1024) * 1024;
}

function shrunk(guest: MomGuest, used: number, hostFreeRatio: number): number | undefined {
  const current = guest.balloonCurrentBytes;
  // Critical: not even its used memory is left to the guest, which has to swap.
  const guestFree =
    hostFreeRatio <= PRESSURE_CRITICAL
      ? hostFreeRatio - CRITICAL_PUSH
      : MIN_GUEST_FREE * (hostFreeRatio / PRESSURE_THRESHOLD);
  const floor = Math.max(guest.balloonMinimumBytes, used + guestFree * current);
  const size = Math.max(current * (1 - MAX_BALLOON_CHANGE), floor);
  return size <= current ? size : undefined;
}

function grown(guest: MomGuest, used: number): number | undefined {
  const current = guest.balloonCurrentBytes;
  if (current >= guest.balloonMaximumBytes) return undefined;
  const floor = Math.max(guest.balloonMinimumBytes, used + MIN_GUEST_FREE * current);
  return Math.min(guest.balloonMaximumBytes, Math.max(current * (1 + MAX_BALLOON_CHANGE), floor));
}
