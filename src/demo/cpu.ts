/** Four cores for 32 guests: who wants to run, who does, who waits. */

import type { Activity } from './activity.ts';
import { CORES, THREADS, type RunningGuest, type State, type Thread } from './state.ts';
import { sum } from './units.ts';

/** The rest of the host: daemons and this exporter. */
const SERVICES_CPUS = 0.03;
const KSMD_CPUS = 0.04;
/** kswapd and direct reclaim: CPU time per byte swapped, either way. */
const RECLAIM_SECONDS_PER_BYTE = 4e-9;
const MOST_RECLAIM_CPUS = 0.6;
/** Work that has waited for so long is given up by whoever asked for it. */
const PATIENCE_SECONDS = 0.25;
/** Part of its running time a thread waits although a CPU is free, per busy part of the host. */
const WAKEUP_WAIT = 0.01;
const TIMESLICE_SECONDS = 0.003;
/** Part of a vCPU's time spent in the guest; the rest is KVM's. */
export const VCPU_GUEST_RATIO = 0.97;
/** Part of its main loop's time that QEMU does not spend in system calls. */
export const EMULATOR_USER_RATIO = 0.5;
const IO_SECONDS_PER_BYTE = 2.5e-9;
const VHOST_SECONDS_PER_BYTE = 8e-10;
const SOFT_IRQ_SECONDS_PER_BYTE = 4e-10;

type Demand = Readonly<Record<Thread, number>>;

/**
 * Advances CPU times by `dt` seconds.
 *
 * @param memoryStall part of the time in which nobody gets on for want of memory.
 * @param ioStall the same for the disk.
 */
export function stepCpu(
  { guests, host }: State,
  activities: readonly Activity[],
  memoryStall: number,
  ioStall: number,
  dt: number,
): void {
  const reclaimCpus = Math.min(
    MOST_RECLAIM_CPUS,
    (host.swapTraffic.in + host.swapTraffic.out) * RECLAIM_SECONDS_PER_BYTE,
  );
  const traffic = sum(activities, (one) => one.receiveBytesPerSecond + one.transmitBytesPerSecond);
  const softIrqCpus = traffic * SOFT_IRQ_SECONDS_PER_BYTE;
  const hostCpus = SERVICES_CPUS + KSMD_CPUS + reclaimCpus + softIrqCpus;

  const demands = guests.map((guest, i) => computeDemand(guest, activities[i], memoryStall));
  const wanted = demands.map((demand) => sum(THREADS, (thread) => demand[thread]));
  const granted = shareOut(
    wanted,
    guests.map(({ guest }) => guest.cpuWeight),
    CORES - hostCpus,
  );
  const busyRatio = Math.min(1, (sum(granted, (cpus) => cpus) + hostCpus) / CORES);

  let guestCpus = 0;
  let guestModeCpus = 0;
  let emulatorCpus = 0;
  let waiting = 0;
  for (const [i, guest] of guests.entries()) {
    const demand = demands[i];
    const want = wanted[i] ?? 0;
    if (demand === undefined || want === 0) {
      guest.delayRatio = 0;
      continue;
    }
    const ratio = ((granted[i] ?? 0) / want) * (1 - WAKEUP_WAIT * busyRatio);
    for (const thread of THREADS) {
      const times = guest.threads[thread];
      const run = demand[thread] * ratio;
      const delay = demand[thread] - run;
      times.runSeconds += run * dt;
      times.delaySeconds += delay * dt;
      times.timeslices += (run * dt) / TIMESLICE_SECONDS;
      host.contextSwitches += (2 * run * dt) / TIMESLICE_SECONDS;
      guestCpus += run;
      waiting += delay;
    }
    guestModeCpus += demand.vcpu * ratio * VCPU_GUEST_RATIO;
    emulatorCpus += demand.emulator * ratio;
    guest.delayRatio = demand.vcpu * (1 - ratio);
    const arriving = (activities[i]?.cpus ?? 0) * (1 - memoryStall);
    const backlog = guest.backlogSeconds + (arriving - demand.vcpu * ratio) * dt;
    guest.backlogSeconds = Math.min(PATIENCE_SECONDS, Math.max(0, backlog));
  }

  const user = guestModeCpus + emulatorCpus * EMULATOR_USER_RATIO + SERVICES_CPUS / 2;
  const busy = guestCpus + hostCpus;
  const idle = Math.max(0, CORES - busy);
  host.guestSeconds += guestModeCpus * dt;
  host.userSeconds += user * dt;
  host.softIrqSeconds += softIrqCpus * dt;
  host.systemSeconds += (busy - user - softIrqCpus) * dt;
  host.ioWaitSeconds += idle * ioStall * dt;
  host.idleSeconds += idle * (1 - ioStall) * dt;
  host.ksmdSeconds += KSMD_CPUS * dt;
  host.kswapdSeconds += (reclaimCpus / 2) * dt;
  host.pressure.cpuSome += Math.min(0.99, waiting) * dt;

  host.runnable = sum(wanted, (cpus) => cpus) + hostCpus;
  host.blocked = Math.round(memoryStall * guests.length);
  const tasks = host.runnable + host.blocked;
  host.load.one += ((tasks - host.load.one) * dt) / 60;
  host.load.five += ((tasks - host.load.five) * dt) / 300;
  host.load.fifteen += ((tasks - host.load.fifteen) * dt) / 900;
}

/** CPUs each thread would use if it never had to wait; a vCPU that waits for memory wants none. */
function computeDemand(
  { backlogSeconds, pausedAt }: RunningGuest,
  activity: Activity | undefined,
  memoryStall: number,
): Demand {
  if (activity === undefined || pausedAt !== undefined) {
    return { emulator: 0, iothread: 0, vcpu: 0, vhost: 0 };
  }
  const io = activity.readBytesPerSecond + activity.writeBytesPerSecond;
  const network = activity.receiveBytesPerSecond + activity.transmitBytesPerSecond;
  return {
    emulator: 0.004 + 0.2 * io * IO_SECONDS_PER_BYTE,
    iothread: io * IO_SECONDS_PER_BYTE,
    // What was left over is worked off within the next second, as far as one vCPU can.
    vcpu: Math.min(1, activity.cpus * (1 - memoryStall) + backlogSeconds),
    vhost: network * VHOST_SECONDS_PER_BYTE,
  };
}

/** Weighted fair shares of `capacity`; nobody gets more than wanted. */
function shareOut(
  wanted: readonly number[],
  weights: readonly number[],
  capacity: number,
): readonly number[] {
  const shares = wanted.map(() => 0);
  const byNeed = [...wanted.keys()].sort((a, b) => toNeed(a) - toNeed(b));
  let left = capacity;
  let weightLeft = sum(weights, (weight) => weight);
  for (const i of byNeed) {
    const weight = weights[i] ?? 0;
    const share = Math.min(wanted[i] ?? 0, (left * weight) / weightLeft);
    shares[i] = share;
    left -= share;
    weightLeft -= weight;
  }
  return shares;

  function toNeed(i: number): number {
    return (wanted[i] ?? 0) / (weights[i] ?? 1);
  }
}
