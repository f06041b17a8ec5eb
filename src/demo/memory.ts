/** 16 GiB for 32 guests of 1 GiB: what is resident, merged, swapped, and what that costs. */

import { ALIKE_RATIO, balloonTarget, HOT_SWAP_RATIO, type Activity } from './activity.ts';
import { approach, type Moment } from './schedule.ts';
import { QEMU_BYTES, SWAP_BYTES, type RunningGuest, type State } from './state.ts';
import { GIB, MIB, PAGE_BYTES, sum, wholePages } from './units.ts';

export const MEMORY_BYTES = 16 * GIB;

/** What the host needs for itself. Page cache is what is left. */
export const HOST_OWN = {
  anonymousBytes: 380 * MIB,
  slabReclaimableBytes: 120 * MIB,
  slabUnreclaimableBytes: 140 * MIB,
  pageTableBytes: 90 * MIB,
  kernelStackBytes: 10 * MIB,
  buffersBytes: 40 * MIB,
  otherBytes: 220 * MIB,
} as const;
const HOST_OWN_BYTES = sum(Object.values(HOST_OWN), (bytes) => bytes);

/** Less than this is left: guests are swapped out. Twice as much: they are brought back. */
const LOW_BYTES = 400 * MIB;
/** Kept free by the kernel whatever happens. */
const WATERMARK_BYTES = 100 * MIB;
const MOST_PAGE_CACHE_BYTES = 3 * GIB;

/** How fast a guest's driver takes or gives pages. */
const BALLOON_BYTES_PER_SECOND = 16 * MIB;
/** Levels follow what guests want after about so many seconds. */
const GUEST_MEMORY_SECONDS = 40;
const KSM_SECONDS = 60;
const SWAP_BACK_SECONDS = 90;
const BOOT_MEMORY_BYTES = 120 * MIB;

/** Swap traffic at which nearly everybody waits for it all the time, bytes per second. */
const PARALYSING_TRAFFIC = 20 * MIB;
const MOST_FULL_STALL = 0.8;

const BASE_FAULTS_PER_SECOND = 400;
/** Pages that come back from swap with one fault. */
const READAHEAD_PAGES = 4;
/** What ksmd looks at: pages_to_scan in each sleep. */
export const KSM_PAGES_TO_SCAN = 1000;
export const KSM_SLEEP_SECONDS = 0.02;

export interface HostMemory {
  readonly freeBytes: number;
  readonly pageCacheBytes: number;
  readonly availableBytes: number;
  readonly anonymousBytes: number;
  readonly swapFreeBytes: number;
}

/** Whole pages in swap: VmSwap. */
export function computeSwapped({ swappedBytes }: RunningGuest): number {
  return wholePages(swappedBytes);
}

/** Whole pages that were in memory at once, at most. */
export function computePeakResident({ peakResidentBytes }: RunningGuest): number {
  return wholePages(peakResidentBytes);
}

/** Whole pages in memory: RssAnon. A merged page counts here for each guest that has it. */
export function computeResident({ touchedBytes, swappedBytes }: RunningGuest): number {
  return wholePages(touchedBytes - swappedBytes);
}

/** Whole pages that merging saves: pages_sharing. */
export function computeSaved({ host }: State): number {
  return wholePages(host.ksmSavedBytes);
}

export function hostMemory(state: State): HostMemory {
  const anonymousBytes =
    sum(state.guests, computeResident) - computeSaved(state) + HOST_OWN.anonymousBytes;
  const leftBytes = MEMORY_BYTES - HOST_OWN_BYTES + HOST_OWN.anonymousBytes - anonymousBytes;
  const pageCacheBytes = wholePages(
    Math.min(MOST_PAGE_CACHE_BYTES, Math.max(0, leftBytes - 1.5 * WATERMARK_BYTES) * 0.85),
  );
  return {
    freeBytes: leftBytes - pageCacheBytes,
    pageCacheBytes,
    availableBytes: Math.max(0, leftBytes - WATERMARK_BYTES),
    anonymousBytes,
    swapFreeBytes: SWAP_BYTES - sum(state.guests, computeSwapped),
  };
}

/** Memory a settled guest has in use, for the beginning of the story. */
export function settledMemory(activity: Activity): number {
  return activity.memoryBytes + QEMU_BYTES;
}

export function bootMemory(): number {
  return BOOT_MEMORY_BYTES;
}

/**
 * Part of the time in which nobody gets on for want of memory, from the traffic of the last step.
 * Both directions count only where they meet: mere swapping out, or back in, hurts little.
 */
export function computeMemoryStall({ host }: State): number {
  const both = Math.min(host.swapTraffic.in, host.swapTraffic.out);
  const either = Math.max(host.swapTraffic.in, host.swapTraffic.out);
  const load = both + 0.03 * (either - both);
  return MOST_FULL_STALL * (1 - Math.exp(-load / PARALYSING_TRAFFIC));
}

/** Advances memory by `dt` seconds. */
export function stepMemory(
  state: State,
  activities: readonly Activity[],
  moment: Moment,
  stall: number,
  dt: number,
): void {
  const { guests, host } = state;
  const swapped = sum(guests, (one) => one.swappedBytes);
  mergePages(state, moment, dt);
  for (const [i, guest] of guests.entries()) {
    const activity = activities[i];
    if (activity !== undefined && guest.pausedAt === undefined) {
      useMemory(guest, activity, moment, state, dt);
    }
  }
  const resident = sum(guests, ({ touchedBytes, swappedBytes }) => touchedBytes - swappedBytes);
  const exchanged = HOT_SWAP_RATIO[moment.phase] * swapped * dt;
  const left = MEMORY_BYTES - HOST_OWN_BYTES - (resident - host.ksmSavedBytes);
  const lacking = Math.max(0, LOW_BYTES - left);
  const returning =
    Math.min(swapped, Math.max(0, left - 2 * LOW_BYTES)) * approach(dt, SWAP_BACK_SECONDS, moment);
  swapOut(state, exchanged + lacking, resident);
  swapIn(state, exchanged + returning);
  for (const guest of guests) {
    const held = guest.touchedBytes - guest.swappedBytes;
    guest.peakResidentBytes = Math.max(guest.peakResidentBytes, held);
  }
  countReclaim(state, exchanged + lacking);
  host.swapTraffic = { in: (exchanged + returning) / dt, out: (exchanged + lacking) / dt };
  host.pressure.memoryFull += stall * dt;
  host.pressure.memorySome += Math.min(0.98, stall * 1.2) * dt;
}

function mergePages({ guests, host }: State, moment: Moment, dt: number): void {
  const resident = sum(guests, ({ touchedBytes, swappedBytes }) => touchedBytes - swappedBytes);
  const alike = ALIKE_RATIO[moment.phase] * resident;
  const merged = (alike - host.ksmSavedBytes) * approach(dt, KSM_SECONDS, moment);
  host.ksmSavedBytes += merged;
  // Guests wrote to pages that were merged: each got its own copy back.
  host.pages.copiedFromKsm += Math.max(0, -merged) / PAGE_BYTES;
  const scanned = (KSM_PAGES_TO_SCAN / KSM_SLEEP_SECONDS) * dt;
  host.ksmScannedPages += scanned;
  host.ksmFullScans += scanned / (resident / PAGE_BYTES);
}

function useMemory(
  guest: RunningGuest,
  activity: Activity,
  moment: Moment,
  { host }: State,
  dt: number,
): void {
  const lag = balloonTarget(moment) - guest.balloonBytes;
  const most = BALLOON_BYTES_PER_SECOND * moment.speed * dt;
  guest.balloonBytes += Math.sign(lag) * Math.min(Math.abs(lag), most);
  const wanted = Math.min(activity.memoryBytes, guest.balloonBytes) + QEMU_BYTES;
  const change = (wanted - guest.touchedBytes) * approach(dt, GUEST_MEMORY_SECONDS, moment);
  // What a guest gives back (free page reporting) is given back from swap as well.
  if (change < 0) guest.swappedBytes *= 1 + change / guest.touchedBytes;
  guest.touchedBytes += change;
  const faults = BASE_FAULTS_PER_SECOND * activity.cpus * dt + Math.max(0, change) / PAGE_BYTES;
  guest.minorFaults += faults;
  host.pages.faults += faults;
}

/** From all guests alike: the kernel does not know which of them matters. */
function swapOut({ guests, host }: State, bytes: number, resident: number): void {
  for (const guest of guests) {
    const own = guest.touchedBytes - guest.swappedBytes;
    guest.swappedBytes += (bytes * own) / resident;
  }
  host.pages.swapOut += bytes / PAGE_BYTES;
}

function swapIn({ guests, host }: State, bytes: number): void {
  const swapped = sum(guests, (one) => one.swappedBytes);
  if (swapped === 0) return;
  for (const guest of guests) {
    const own = (bytes * guest.swappedBytes) / swapped;
    const faults = own / PAGE_BYTES / READAHEAD_PAGES;
    guest.swappedBytes -= own;
    guest.majorFaults += faults;
    host.pages.majorFaults += faults;
    host.pages.faults += faults;
  }
  host.pages.swapIn += bytes / PAGE_BYTES;
  host.pages.refaulted += bytes / PAGE_BYTES;
}

/** Most is freed by kswapd; when it cannot keep up, whoever needs memory has to help. */
function countReclaim({ host: { pages, swapTraffic } }: State, bytes: number): void {
  const freed = bytes / PAGE_BYTES;
  const isOverwhelmed = Math.min(swapTraffic.out, swapTraffic.in) > PARALYSING_TRAFFIC / 4;
  const direct = isOverwhelmed ? 0.3 : 0;
  pages.kswapdFreed += freed * (1 - direct);
  pages.kswapdScanned += 2 * freed * (1 - direct);
  pages.directFreed += freed * direct;
  pages.directScanned += 4 * freed * direct;
  pages.directReclaims += (freed * direct) / 32;
}
