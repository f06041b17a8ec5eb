/** 1 TB for 32 disks of 100 GiB: what images take, until there is nothing left to take. */

import type { Activity } from './activity.ts';
import { GUESTS, type Guest } from './guests.ts';
import { approach, type Moment } from './schedule.ts';
import type { RunningGuest, State } from './state.ts';
import { GIB, KIB, MIB, PAGE_BYTES, sum } from './units.ts';

export const FILESYSTEM_BYTES = 1000 * GIB;
export const BASE_IMAGE_ALLOCATED_BYTES = 2 * GIB;
/** ISO images and what else lies there. */
const OTHER_BYTES = 2 * GIB;
const AVAILABLE_AT_START_BYTES = 60 * GIB;

/** A guest that needs new space faster than this does not get by without. */
const NEEDS_SPACE_BYTES_PER_SECOND = MIB;
/** Space a guest gives up (discard) is free after about so many seconds. */
const TRIM_SECONDS = 60;

const READ_BYTES_PER_REQUEST = 16 * KIB;
const WRITE_BYTES_PER_REQUEST = 32 * KIB;
const REQUEST_SECONDS = 0.0006;
const FLUSHES_PER_SECOND = 0.5;
/** What the disk below everything can do, bytes per second. */
const DISK_BYTES_PER_SECOND = 900e6;

/** How much a guest's image takes when the story begins. */
export function allocatedAtStart({ diskWeight }: Guest): number {
  const weights = sum(GUESTS, (guest) => guest.diskWeight);
  const images =
    FILESYSTEM_BYTES - OTHER_BYTES - BASE_IMAGE_ALLOCATED_BYTES - AVAILABLE_AT_START_BYTES;
  return (images * diskWeight) / weights;
}

/** Whole blocks: st_blocks × 512. */
export function computeAllocated({ allocatedBytes }: RunningGuest): number {
  return Math.floor(allocatedBytes / PAGE_BYTES) * PAGE_BYTES;
}

export function availableBytes({ guests }: State): number {
  return Math.max(
    0,
    FILESYSTEM_BYTES - OTHER_BYTES - BASE_IMAGE_ALLOCATED_BYTES - sum(guests, computeAllocated),
  );
}

/** Part of the time in which nobody gets on for want of the disk, swapping included. */
export function computeIoStall({ host }: State, activities: readonly Activity[]): number {
  const bytes =
    sum(activities, (one) => one.readBytesPerSecond + one.writeBytesPerSecond) +
    host.swapTraffic.in +
    host.swapTraffic.out;
  return Math.min(0.9, bytes / DISK_BYTES_PER_SECOND);
}

/** Advances disks by `dt` seconds; pauses guests whose writes find no space. */
export function stepStorage(
  state: State,
  activities: readonly Activity[],
  moment: Moment,
  ioStall: number,
  dt: number,
): void {
  const growths = activities.map((one) => one.writeBytesPerSecond * one.newlyWrittenRatio * dt);
  const available = availableBytes(state);
  const wanted = sum(growths, (bytes) => bytes);
  const granted = wanted > available ? available / wanted : 1;
  for (const [i, guest] of state.guests.entries()) {
    const activity = activities[i];
    if (activity === undefined || guest.pausedAt !== undefined) continue;
    const growth = growths[i] ?? 0;
    guest.allocatedBytes += growth * granted;
    if (moment.phase !== 'out of space') {
      const surplus = Math.max(0, guest.allocatedBytes - allocatedAtStart(guest.guest));
      guest.allocatedBytes -= surplus * approach(dt, TRIM_SECONDS, moment);
    }
    countRequests(guest, activity, granted, ioStall, dt);
    if (granted < 1 && growth / dt > NEEDS_SPACE_BYTES_PER_SECOND) {
      guest.pausedAt = moment.seconds + dt;
    }
  }
  state.host.pressure.ioFull += 0.8 * ioStall * dt;
  state.host.pressure.ioSome += ioStall * dt;
}

function countRequests(
  guest: RunningGuest,
  activity: Activity,
  granted: number,
  ioStall: number,
  dt: number,
): void {
  const read = activity.readBytesPerSecond * dt;
  const written =
    activity.writeBytesPerSecond * dt * (1 - activity.newlyWrittenRatio * (1 - granted));
  const requestSeconds = REQUEST_SECONDS / (1 - ioStall);
  guest.readBytes += read;
  guest.readRequests += read / READ_BYTES_PER_REQUEST;
  guest.readSeconds += (read / READ_BYTES_PER_REQUEST) * requestSeconds;
  guest.writtenBytes += written;
  guest.writeRequests += written / WRITE_BYTES_PER_REQUEST;
  guest.writeSeconds += (written / WRITE_BYTES_PER_REQUEST) * requestSeconds;
  guest.flushes += FLUSHES_PER_SECOND * dt;
}
