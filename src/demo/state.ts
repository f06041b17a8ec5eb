/** Everything that changes on the demo host. Plain data, so that a state can be copied. */

import { balloonTarget } from './activity.ts';
import { GUESTS, type Guest } from './guests.ts';
import { MIB } from './units.ts';
import { Schedule } from './schedule.ts';

export const CORES = 4;
export const SWAP_BYTES = 16 * 1024 * MIB;
/** What QEMU itself takes beside the guest's memory. */
export const QEMU_BYTES = 30 * MIB;
/** The host was started so long before the story begins, and its guests a little later. */
export const UPTIME_AT_START_SECONDS = 86_400;
const GUESTS_STARTED_SECONDS = -86_000;

/** Times as schedstat counts them. */
interface ThreadTimes {
  runSeconds: number;
  delaySeconds: number;
  timeslices: number;
}

export const THREADS = ['emulator', 'iothread', 'vcpu', 'vhost'] as const;
export type Thread = (typeof THREADS)[number];

/** Counters start anew with every start of the guest. */
export interface GuestState {
  /** Times it was started, the first time included. */
  starts: number;
  /** On the story's clock. */
  startedAt: number;
  /** Since when it is paused because a write found no space; undefined: it runs. */
  pausedAt: number | undefined;

  threads: Record<Thread, ThreadTimes>;
  /** CPU time of work that arrived and could not be done yet. */
  backlogSeconds: number;
  /** Part of the last second its vCPU stood ready without a CPU. */
  delayRatio: number;

  balloonBytes: number;
  /** Memory in use as the host sees it, swapped out or not. */
  touchedBytes: number;
  swappedBytes: number;
  /** Most of it that was in RAM at once. */
  peakResidentBytes: number;
  minorFaults: number;
  majorFaults: number;

  allocatedBytes: number;
  readBytes: number;
  writtenBytes: number;
  readRequests: number;
  writeRequests: number;
  readSeconds: number;
  writeSeconds: number;
  flushes: number;

  receivedBytes: number;
  receivedPackets: number;
  receiveDrops: number;
  transmittedBytes: number;
  transmittedPackets: number;
}

interface HostState {
  userSeconds: number;
  systemSeconds: number;
  softIrqSeconds: number;
  guestSeconds: number;
  idleSeconds: number;
  ioWaitSeconds: number;
  contextSwitches: number;
  /** Tasks that run or want to, now and on average. */
  runnable: number;
  blocked: number;
  load: { one: number; five: number; fifteen: number };

  ksmSavedBytes: number;
  ksmScannedPages: number;
  ksmFullScans: number;
  ksmdSeconds: number;
  kswapdSeconds: number;
  /** Bytes per second to and from swap in the last step. */
  swapTraffic: { in: number; out: number };

  pressure: {
    cpuSome: number;
    memorySome: number;
    memoryFull: number;
    ioSome: number;
    ioFull: number;
  };
  pages: {
    swapIn: number;
    swapOut: number;
    faults: number;
    majorFaults: number;
    kswapdScanned: number;
    kswapdFreed: number;
    directScanned: number;
    directFreed: number;
    directReclaims: number;
    refaulted: number;
    copiedFromKsm: number;
  };

  uplink: {
    receivedBytes: number;
    receivedPackets: number;
    transmittedBytes: number;
    transmittedPackets: number;
    transmitDrops: number;
  };
}

export interface State {
  /** On the story's clock. */
  seconds: number;
  /** Loop of the story whose beginning has been dealt with. */
  loop: number;
  readonly guests: readonly (GuestState & { readonly guest: Guest })[];
  readonly host: HostState;
}

export type RunningGuest = State['guests'][number];

/** Counters and levels of a guest that was just started. */
export function startedGuest(
  starts: number,
  startedAt: number,
  levels: Pick<GuestState, 'balloonBytes' | 'touchedBytes' | 'allocatedBytes'>,
): GuestState {
  const none = (): ThreadTimes => ({ runSeconds: 0, delaySeconds: 0, timeslices: 0 });
  return {
    starts,
    startedAt,
    pausedAt: undefined,
    threads: { emulator: none(), iothread: none(), vcpu: none(), vhost: none() },
    backlogSeconds: 0,
    delayRatio: 0,
    ...levels,
    swappedBytes: 0,
    peakResidentBytes: levels.touchedBytes,
    minorFaults: 0,
    majorFaults: 0,
    readBytes: 0,
    writtenBytes: 0,
    readRequests: 0,
    writeRequests: 0,
    readSeconds: 0,
    writeSeconds: 0,
    flushes: 0,
    receivedBytes: 0,
    receivedPackets: 0,
    receiveDrops: 0,
    transmittedBytes: 0,
    transmittedPackets: 0,
  };
}

/** The host as the story begins: idle until now, its guests settled. */
export function initialState(
  levelsOf: (guest: Guest) => Pick<GuestState, 'touchedBytes' | 'allocatedBytes'>,
  ksmSavedBytes: number,
): State {
  const balloonBytes = balloonTarget(new Schedule(1).at(0));
  return {
    seconds: 0,
    loop: 0,
    guests: GUESTS.map((guest) => ({
      guest,
      ...startedGuest(1, GUESTS_STARTED_SECONDS + guest.index, {
        balloonBytes,
        ...levelsOf(guest),
      }),
    })),
    host: {
      userSeconds: 0,
      systemSeconds: 0,
      softIrqSeconds: 0,
      guestSeconds: 0,
      idleSeconds: UPTIME_AT_START_SECONDS * CORES,
      ioWaitSeconds: 0,
      contextSwitches: 0,
      runnable: 0,
      blocked: 0,
      load: { one: 0, five: 0, fifteen: 0 },
      ksmSavedBytes,
      ksmScannedPages: 0,
      ksmFullScans: 0,
      ksmdSeconds: 0,
      kswapdSeconds: 0,
      swapTraffic: { in: 0, out: 0 },
      pressure: { cpuSome: 0, memorySome: 0, memoryFull: 0, ioSome: 0, ioFull: 0 },
      pages: {
        swapIn: 0,
        swapOut: 0,
        faults: 0,
        majorFaults: 0,
        kswapdScanned: 0,
        kswapdFreed: 0,
        directScanned: 0,
        directFreed: 0,
        directReclaims: 0,
        refaulted: 0,
        copiedFromKsm: 0,
      },
      uplink: {
        receivedBytes: 0,
        receivedPackets: 0,
        transmittedBytes: 0,
        transmittedPackets: 0,
        transmitDrops: 0,
      },
    },
  };
}
