/** What guests would do if the host had enough of everything. */

import { GUEST_MEMORY_BYTES } from './guest-xml.ts';
import type { Guest, Role } from './guests.ts';
import type { Moment, Phase } from './schedule.ts';
import { GIB, KIB, MIB } from './units.ts';

export interface Activity {
  /** CPUs its vCPU wants: 0 to 1. */
  readonly cpus: number;
  /** Memory it wants to have in use, as far as its balloon lets it. */
  readonly memoryBytes: number;
  readonly readBytesPerSecond: number;
  readonly writeBytesPerSecond: number;
  /** Part of what it writes that lands where its image has nothing yet. */
  readonly newlyWrittenRatio: number;
  readonly receiveBytesPerSecond: number;
  readonly transmitBytesPerSecond: number;
}

const MB = 1e6;

const USUAL: Readonly<Record<Role, Omit<Activity, 'newlyWrittenRatio'>>> = {
  web: usual(0.06, 280, 60, 40, 0.6 * MB, 1.8 * MB),
  app: usual(0.08, 370, 80, 100, 0.4 * MB, 0.4 * MB),
  db: usual(0.1, 480, 900, 700, 0.3 * MB, 0.5 * MB),
  build: usual(0.05, 300, 50, 50, 0.1 * MB, 0.1 * MB),
  mail: usual(0.04, 320, 100, 200, 0.2 * MB, 0.2 * MB),
  cache: usual(0.05, 450, 10, 10, 0.8 * MB, 0.9 * MB),
};

function usual(
  cpus: number,
  memoryMib: number,
  readKib: number,
  writeKib: number,
  receiveBytesPerSecond: number,
  transmitBytesPerSecond: number,
): Omit<Activity, 'newlyWrittenRatio'> {
  return {
    cpus,
    memoryBytes: memoryMib * MIB,
    readBytesPerSecond: readKib * KIB,
    writeBytesPerSecond: writeKib * KIB,
    receiveBytesPerSecond,
    transmitBytesPerSecond,
  };
}

const NEWLY_WRITTEN_RATIO = 0.05;

/** Guests that misbehave in their phase. */
const NOISY: ReadonlySet<string> = new Set(['build-01', 'build-02']);
const LOGGING: ReadonlySet<Role> = new Set<Role>(['app', 'mail']);

/** All guests together must be able to fill the disk in a good half of the last phase. */
const FILL_BYTES_PER_SECOND = (60 * GIB) / 180;
const LOGGING_GUESTS = 10;

export function computeActivity(guest: Guest, { seconds, phase, speed }: Moment): Activity {
  const usualActivity = USUAL[guest.role];
  // No two guests are busy at the same time.
  const wave = 1 + 0.3 * Math.sin((2 * Math.PI * seconds) / (90 + 7 * guest.index) + guest.index);
  const activity = {
    ...usualActivity,
    cpus: usualActivity.cpus * wave,
    receiveBytesPerSecond: usualActivity.receiveBytesPerSecond * wave,
    transmitBytesPerSecond: usualActivity.transmitBytesPerSecond * wave,
    newlyWrittenRatio: NEWLY_WRITTEN_RATIO,
  };
  switch (phase) {
    case 'calm':
      return activity;
    case 'noisy neighbour':
      if (!NOISY.has(guest.name)) return activity;
      return {
        ...activity,
        cpus: 1,
        writeBytesPerSecond: 30 * MB,
        transmitBytesPerSecond: 50 * MB,
      };
    case 'swap storm':
      return { ...activity, memoryBytes: 640 * MIB };
    case 'run on the bank':
      return { ...activity, memoryBytes: 0.92 * GUEST_MEMORY_BYTES };
    case 'out of space':
      if (!LOGGING.has(guest.role)) return activity;
      return {
        ...activity,
        writeBytesPerSecond: (FILL_BYTES_PER_SECOND * speed) / LOGGING_GUESTS,
        newlyWrittenRatio: 1,
      };
  }
}

/** What a guest that does not run does. */
export const IDLE: Activity = {
  cpus: 0,
  memoryBytes: 0,
  readBytesPerSecond: 0,
  writeBytesPerSecond: 0,
  newlyWrittenRatio: 0,
  receiveBytesPerSecond: 0,
  transmitBytesPerSecond: 0,
};

/** Balloons are half way up until everybody wants their money back. */
export function balloonTarget({ phase }: Moment): number {
  return phase === 'run on the bank' ? GUEST_MEMORY_BYTES : 0.75 * GUEST_MEMORY_BYTES;
}

/** Part of the swapped-out memory that is needed again, per second. */
export const HOT_SWAP_RATIO: Readonly<Record<Phase, number>> = {
  calm: 0,
  'noisy neighbour': 0,
  'swap storm': 0.006,
  'run on the bank': 0.004,
  'out of space': 0,
};

/** Part of the guests' memory that KSM finds to be alike. */
export const ALIKE_RATIO: Readonly<Record<Phase, number>> = {
  calm: 0.13,
  'noisy neighbour': 0.13,
  'swap storm': 0.09,
  'run on the bank': 0.02,
  'out of space': 0.1,
};
