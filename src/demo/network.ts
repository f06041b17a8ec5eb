/** 1 Gbit/s for 32 NICs. */

import type { Activity } from './activity.ts';
import type { State } from './state.ts';
import { sum } from './units.ts';

export const UPLINK_BYTES_PER_SECOND = 125e6;
/** The host's own traffic, each way. */
const HOST_BYTES_PER_SECOND = 50e3;
const BYTES_PER_PACKET = 900;
/** Part of its packets a guest misses if it never gets a CPU to fetch them. */
const MISSED_WITHOUT_CPU = 0.15;

/** What of the guests' traffic fits on the wire: from 0 to 1, per direction. */
interface WireShare {
  readonly receive: number;
  readonly transmit: number;
}

function wireShare(activities: readonly Activity[]): WireShare {
  const room = UPLINK_BYTES_PER_SECOND - HOST_BYTES_PER_SECOND;
  return {
    receive: Math.min(1, room / sum(activities, (one) => one.receiveBytesPerSecond)),
    transmit: Math.min(1, room / sum(activities, (one) => one.transmitBytesPerSecond)),
  };
}

/** Advances NICs and the uplink by `dt` seconds. */
export function stepNetwork(
  { guests, host }: State,
  activities: readonly Activity[],
  dt: number,
): void {
  const share = wireShare(activities);
  const { uplink } = host;
  let received = HOST_BYTES_PER_SECOND * dt;
  let transmitted = HOST_BYTES_PER_SECOND * dt;
  let wanted = transmitted;
  for (const [i, guest] of guests.entries()) {
    const activity = activities[i];
    if (activity === undefined || guest.pausedAt !== undefined) continue;
    const arriving = activity.receiveBytesPerSecond * share.receive * dt;
    const leaving = activity.transmitBytesPerSecond * share.transmit * dt;
    const missed = Math.min(1, guest.delayRatio) * MISSED_WITHOUT_CPU;
    guest.receivedBytes += arriving * (1 - missed);
    guest.receivedPackets += (arriving * (1 - missed)) / BYTES_PER_PACKET;
    guest.receiveDrops += (arriving * missed) / BYTES_PER_PACKET;
    guest.transmittedBytes += leaving;
    guest.transmittedPackets += leaving / BYTES_PER_PACKET;
    received += arriving;
    transmitted += leaving;
    wanted += activity.transmitBytesPerSecond * dt;
  }
  uplink.receivedBytes += received;
  uplink.receivedPackets += received / BYTES_PER_PACKET;
  uplink.transmittedBytes += transmitted;
  uplink.transmittedPackets += transmitted / BYTES_PER_PACKET;
  uplink.transmitDrops += (0.02 * (wanted - transmitted)) / BYTES_PER_PACKET;
}
