/** The demo host's guests as libvirt, their QEMU processes and their cgroups would show them. */

import type {
  Balloon,
  DiskCounters,
  Domain,
  GuestCgroupFacts,
  GuestProcess,
  NicCounters,
} from '../model/domain.ts';
import type { OutcomeLog } from '../model/outcome-log.ts';
import type { DomainConfig } from '../model/domain-config.ts';

import { balloonTarget } from './activity.ts';
import { EMULATOR_USER_RATIO, VCPU_GUEST_RATIO } from './cpu.ts';
import { GUEST_DISK_BYTES, GUEST_MEMORY_BYTES, STATS_PERIOD_SECONDS } from './guest-xml.ts';
import { GUESTS } from './guests.ts';
import { KSM_ITEM_BYTES, ksmPages } from './host-view.ts';
import { computePeakResident, computeResident, computeSwapped } from './memory.ts';
import type { Moment } from './schedule.ts';
import {
  QEMU_BYTES,
  THREADS,
  UPTIME_AT_START_SECONDS,
  type RunningGuest,
  type State,
  type Thread,
} from './state.ts';
import { IMAGE_DEVICE } from './storage-view.ts';
import { computeAllocated } from './storage.ts';
import { MIB, nanoseconds, PAGE_BYTES, sum, whole, wholePages } from './units.ts';
import type { ProcessKsm, ProcessThread, ThreadRole } from '../model/process.ts';

const USER_HZ = 100;
const QEMU_TEXT_BYTES = 24 * MIB;
const QEMU_VIRTUAL_BYTES = 900 * MIB;
/** Part of a guest's memory that its own kernel and balloon pages keep out of MemTotal. */
const GUEST_KERNEL_RATIO = 0.015;
/** Part of what a guest uses that is its page cache, which it can do without. */
const GUEST_CACHE_RATIO = 0.3;
/** The parsed XML of a guest in this run of it, asked for so much memory. */
export type ToConfig = (guest: RunningGuest, id: number, askedBytes: number) => DomainConfig;

export interface GuestViewInput {
  readonly state: State;
  readonly moment: Moment;
  /** Unix time at which the story began. */
  readonly startedAtSeconds: number;
  readonly toConfig: ToConfig;
}

export function toDomains(input: GuestViewInput, log: OutcomeLog): readonly Domain[] {
  return input.state.guests.map((guest) => toDomain(guest, input, log));
}

function toDomain(guest: RunningGuest, input: GuestViewInput, log: OutcomeLog): Domain {
  const { moment, startedAtSeconds, toConfig } = input;
  const { name, uuid, autostart } = guest.guest;
  const paused = guest.pausedAt !== undefined;
  const isAsked = log.wants('balloon') || log.wants('block');
  return {
    name,
    uuid,
    state: paused ? 'paused' : 'running',
    reason: paused ? 'ioerror' : 'booted',
    active: true,
    persistent: true,
    autostart,
    config: toConfig(guest, toId(guest), balloonTarget(moment)),
    monitor: isAsked ? 'responsive' : 'unasked',
    unaskedReason: undefined,
    balloon: log.run('balloon', () => showBalloon(guest, moment, startedAtSeconds)),
    disks: log.run('block', () => [diskCounters(guest)]),
    nics: log.run('nic', () => [nicCounters(guest)]),
    libvirtCpu: undefined,
    kvm: undefined,
    process: log.run('process', () => toProcess(guest, input, log)),
    cgroup: log.run('cgroup', () => toCgroup(guest)),
    job: undefined,
    perf: log.run('perf', () => ({ events: new Map(), bandwidth: [] })),
  };
}

/** libvirt numbers each start of a guest; here so that no two starts share a number. */
function toId({ guest, starts }: RunningGuest): number {
  return guest.index + 1 + (starts - 1) * GUESTS.length;
}

function toPid(guest: RunningGuest): number {
  return 2000 + toId(guest) * 10;
}

function showBalloon(guest: RunningGuest, moment: Moment, startedAtSeconds: number): Balloon {
  const currentBytes = wholePages(guest.balloonBytes);
  const totalBytes = wholePages(currentBytes * (1 - GUEST_KERNEL_RATIO));
  const usedBytes = Math.min(totalBytes, guest.touchedBytes - QEMU_BYTES);
  const cacheBytes = wholePages(usedBytes * GUEST_CACHE_RATIO);
  const freeBytes = wholePages(totalBytes - usedBytes);
  // A paused guest answers no more.
  const askedAt = Math.min(moment.seconds, guest.pausedAt ?? Infinity);
  const reportedAt = Math.floor(askedAt / STATS_PERIOD_SECONDS) * STATS_PERIOD_SECONDS;
  return {
    currentBytes,
    maximumBytes: GUEST_MEMORY_BYTES,
    guestTotalBytes: totalBytes,
    guestFreeBytes: freeBytes,
    guestAvailableBytes: freeBytes + cacheBytes,
    guestDiskCachesBytes: cacheBytes,
    guestSwapInBytes: 0,
    guestSwapOutBytes: 0,
    guestMajorFaults: 0n,
    guestMinorFaults: whole(guest.minorFaults),
    guestHugetlbAllocations: 0n,
    guestHugetlbFailures: 0n,
    residentBytes: computeResident(guest) + QEMU_TEXT_BYTES,
    lastUpdateSeconds: Math.floor(startedAtSeconds + reportedAt),
  };
}

function diskCounters(guest: RunningGuest): DiskCounters {
  return {
    device: 'vda',
    readBytes: whole(guest.readBytes),
    readRequests: whole(guest.readRequests),
    readNanoseconds: nanoseconds(guest.readSeconds),
    writtenBytes: whole(guest.writtenBytes),
    writeRequests: whole(guest.writeRequests),
    writeNanoseconds: nanoseconds(guest.writeSeconds),
    flushRequests: whole(guest.flushes),
    flushNanoseconds: nanoseconds(guest.flushes * 0.002),
    capacityBytes: BigInt(GUEST_DISK_BYTES),
    highestOffsetBytes: whole(guest.writtenBytes),
    physicalBytes: BigInt(computeAllocated(guest)),
    thresholdBytes: 0n,
  };
}

function nicCounters(guest: RunningGuest): NicCounters {
  return {
    device: guest.guest.tap,
    receiveBytes: whole(guest.receivedBytes),
    receivePackets: whole(guest.receivedPackets),
    receiveErrors: 0n,
    receiveDrops: whole(guest.receiveDrops),
    transmitBytes: whole(guest.transmittedBytes),
    transmitPackets: whole(guest.transmittedPackets),
    transmitErrors: 0n,
    transmitDrops: 0n,
  };
}

function toProcess(
  guest: RunningGuest,
  { state, startedAtSeconds }: GuestViewInput,
  log: OutcomeLog,
): GuestProcess {
  const pid = toPid(guest);
  const residentBytes = computeResident(guest);
  const virtualBytes = GUEST_MEMORY_BYTES + QEMU_VIRTUAL_BYTES;
  const { vcpu, emulator } = guest.threads;
  const guestSeconds = vcpu.runSeconds * VCPU_GUEST_RATIO;
  const userSeconds = guestSeconds + emulator.runSeconds * EMULATOR_USER_RATIO;
  const allSeconds = sum(THREADS, (thread) => guest.threads[thread].runSeconds);
  return {
    pid,
    startSeconds: Math.floor(startedAtSeconds) + guest.startedAt,
    stat: {
      pid,
      comm: 'qemu-system-x86',
      state: 'S',
      parentPid: 1,
      kernelThread: false,
      minorFaults: Math.floor(guest.minorFaults),
      majorFaults: Math.floor(guest.majorFaults),
      userSeconds,
      systemSeconds: allSeconds - userSeconds,
      threads: THREADS.length,
      startTimeTicks: Math.floor((guest.startedAt + UPTIME_AT_START_SECONDS) * USER_HZ),
      virtualBytes,
      residentPages: (residentBytes + QEMU_TEXT_BYTES) / PAGE_BYTES,
      processor: guest.guest.index % 4,
      blockIoDelaySeconds: undefined,
      guestSeconds,
    },
    status: {
      virtualBytes,
      residentBytes: residentBytes + QEMU_TEXT_BYTES,
      residentAnonymousBytes: residentBytes,
      residentFileBytes: QEMU_TEXT_BYTES,
      residentSharedBytes: 0,
      swappedBytes: computeSwapped(guest),
      hugetlbBytes: 0,
      lockedBytes: 0,
      pinnedBytes: 0,
      threads: THREADS.length,
      voluntaryContextSwitches: Math.floor(emulator.timeslices),
      involuntaryContextSwitches: Math.floor(emulator.delaySeconds * 100),
      allowedCpus: '0-3',
      allowedNodes: '0',
    },
    threads: THREADS.map((thread, i) => toThread(thread, pid, i, guest)),
    ksm: log.run('guestksm', () => guestKsm(guest, state)),
    smaps: undefined,
  };
}

const THREAD_NAMES: Readonly<Record<Thread, { comm: string; role: ThreadRole }>> = {
  emulator: { comm: 'qemu-system-x86', role: { kind: 'emulator' } },
  iothread: { comm: 'IO iothread1', role: { kind: 'iothread', id: 1 } },
  vcpu: { comm: 'CPU 0/KVM', role: { kind: 'vcpu', index: 0 } },
  vhost: { comm: 'vhost', role: { kind: 'vhost' } },
};

function toThread(
  thread: Thread,
  pid: number,
  index: number,
  { threads }: RunningGuest,
): ProcessThread {
  const { runSeconds, delaySeconds, timeslices } = threads[thread];
  const { comm, role } = THREAD_NAMES[thread];
  return {
    tid: pid + index,
    comm: thread === 'vhost' ? `vhost-${pid}` : comm,
    role,
    schedule: {
      runNanoseconds: nanoseconds(runSeconds),
      delayNanoseconds: nanoseconds(delaySeconds),
      timeslices: whole(timeslices),
    },
    state: undefined,
    stillMs: 0,
  };
}

/** Merged pages spread over the guests by their size. */
function guestKsm(guest: RunningGuest, state: State): ProcessKsm {
  const { shared, sharing } = ksmPages(state);
  const residentPages = computeResident(guest) / PAGE_BYTES;
  const ratio = (residentPages * PAGE_BYTES) / sum(state.guests, computeResident);
  const mergingPages = Math.floor((shared + sharing) * ratio);
  const rmapItems = mergingPages + Math.floor((residentPages - mergingPages) * 0.8);
  return {
    rmapItems,
    zeroPages: 0,
    mergingPages,
    profitBytes: mergingPages * PAGE_BYTES - rmapItems * KSM_ITEM_BYTES,
    mergeAny: false,
    mergeable: true,
  };
}

function toCgroup(guest: RunningGuest): GuestCgroupFacts {
  const residentBytes = computeResident(guest);
  return {
    cpu: {
      share: { kind: 'weight', weight: guest.guest.cpuWeight },
      quota: 'unlimited',
      usageSeconds: sum(THREADS, (thread) => guest.threads[thread].runSeconds),
      throttling: { periods: 0, throttledPeriods: 0, throttledSeconds: 0 },
      vcpus: new Map(),
      iothreads: new Map(),
      emulator: undefined,
    },
    memory: {
      usage: {
        currentBytes: residentBytes + QEMU_TEXT_BYTES,
        peakBytes: computePeakResident(guest) + QEMU_TEXT_BYTES,
        swapBytes: computeSwapped(guest),
        zswapBytes: 0,
        anonymousBytes: residentBytes,
        fileBytes: QEMU_TEXT_BYTES,
        sharedMemoryBytes: 0,
        anonymousHugePageBytes: 0,
      },
      limits: {
        maxBytes: 'unlimited',
        highBytes: 'unlimited',
        swapMaxBytes: 'unlimited',
        swapIncludesMemory: false,
      },
      events: { high: 0, max: 0, oom: 0, oomKill: 0 },
    },
    // The images are opened without page cache, and their metadata does not count here.
    io: [
      {
        device: IMAGE_DEVICE,
        readBytes: whole(guest.readBytes),
        writtenBytes: whole(guest.writtenBytes),
        reads: whole(guest.readRequests),
        writes: whole(guest.writeRequests),
      },
    ],
    numa: [{ node: 0, swapBackedBytes: residentBytes, fileCacheBytes: QEMU_TEXT_BYTES }],
    pressure: {
      cpu: {
        someSeconds: guest.threads.vcpu.delaySeconds,
        fullSeconds: guest.threads.vcpu.delaySeconds,
      },
      memory: undefined,
      io: undefined,
    },
  };
}
