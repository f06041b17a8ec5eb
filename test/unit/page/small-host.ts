import type { Domain } from '../../../src/model/domain.ts';
import type { Host } from '../../../src/model/host.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { parseMeminfo } from '../../../src/sources/host/meminfo.ts';
import { found, toValue } from '../../../src/runtime/result.ts';

import { exampleConfig, exampleInterface } from '../../support/metrics/example-config.ts';
import { exampleProcess, unknownGuest } from '../../support/metrics/example-guest.ts';
import { exampleHost, unknownHost } from '../../support/metrics/example-host.ts';
import { exampleLink } from '../../support/metrics/example-network.ts';
import { LIBVIRT_UP, unknownSnapshot } from '../../support/metrics/example-snapshot.ts';
import { diskOf, exampleImage, exampleMount } from '../../support/metrics/example-storage.ts';
import type { VmstatCounter } from '../../../src/model/host-memory.ts';

export const GIB = 2 ** 30;

/** Two looks at the host; what only grows is 0 at the first one. */
export interface Moment {
  /** Since the first look. */
  readonly seconds: number;
  readonly host?: Partial<Readonly<Record<keyof typeof NO_COUNTERS, number>>>;
  readonly guests?: readonly GuestAt[];
}

const NO_COUNTERS = {
  busySeconds: 0,
  cpuWaitingSeconds: 0,
  memoryStalledSeconds: 0,
  /** As much as stalled, unless more. */
  memoryWaitingSeconds: 0,
  ioWaitingSeconds: 0,
  swapInPages: 0,
  swapOutPages: 0,
  majorFaults: 0,
  allocationStalls: 0,
  oomKills: 0,
  receivedBytes: 0,
  sentBytes: 0,
  sentPackets: 0,
  sendDrops: 0,
  /** 0: the uplink has no carrier. */
  uplinkUp: 1,
  memoryAvailableGib: 6,
  availableGib: 40,
};

export interface GuestAt {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryGib: number;
  readonly residentGib: number;
  readonly diskGib: number;
  readonly writtenGib: number;
  /** Counters. */
  readonly cpuSeconds?: number;
  /** Of vCPU 0; the others never wait. */
  readonly delaySeconds?: number;
  readonly receivedBytes?: number;
  readonly packets?: number;
  /** Beside those. */
  readonly sentPackets?: number;
  readonly drops?: number;
  /** Anything else that is to be different. */
  readonly overrides?: Partial<Domain>;
}

/** `a` with 4 vCPUs, 5 of 8 GiB in use and 20 of 80 GiB written; `b` with 2, 2 of 8, 30 of 30. */
export const A: GuestAt = {
  name: 'a',
  vcpus: 4,
  memoryGib: 8,
  residentGib: 5,
  diskGib: 80,
  writtenGib: 20,
};
export const B: GuestAt = {
  name: 'b',
  vcpus: 2,
  memoryGib: 8,
  residentGib: 2,
  diskGib: 30,
  writtenGib: 30,
};

/**
 * A host small enough to compute by hand: 4 CPUs; 16 GiB, of which 6 GiB are available and 0.5 GiB
 * are kept by the built-in policy; no swap; 100 GiB of storage, 40 GiB of it free; 1 Gbit/s; and the
 * guests `a` and `b`.
 */
export function smallHost(
  { seconds, host = {}, guests = [A, B] }: Moment = { seconds: 0 },
  overrides: Partial<Snapshot> = {},
): Snapshot {
  const counters = { ...NO_COUNTERS, ...host };
  return unknownSnapshot({
    takenAtSeconds: 1_700_100_000 + seconds,
    host: hostAt(counters),
    libvirt: LIBVIRT_UP,
    domains: guests.map(guestAt),
    storage: {
      disks: guests.map(diskAt),
      filesystems: [
        {
          mount: exampleMount(),
          traits: { network: false, sharedExtents: 'never', compression: 'never' },
          space: found({
            sizeBytes: 100 * GIB,
            freeBytes: counters.availableGib * GIB,
            availableBytes: counters.availableGib * GIB,
            inodes: undefined,
            inodesFree: undefined,
          }),
        },
      ],
      thin: undefined,
      unwatchedThinPools: undefined,
    },
    network: { links: new Map(linksAt(counters, guests).map((link) => [link.name, link])) },
    outcomes: [{ collector: 'domain', success: true, durationSeconds: 0.01, errors: [] }],
    ...overrides,
  });
}

/** The uuid of the guest at this place in the list. */
export function uuidOf(index: number): string {
  return `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
}

function hostAt(counters: typeof NO_COUNTERS): Host {
  const meminfo = toValue(
    parseMeminfo(
      `MemTotal: ${16 * 2 ** 20} kB\nMemFree: ${2 ** 20} kB\nMemAvailable: ${counters.memoryAvailableGib * 2 ** 20} kB\n` +
        'SwapTotal: 0 kB\nSwapFree: 0 kB\n',
      '/proc/meminfo',
    ),
  );
  const { cpuTime } = exampleHost();
  const total = {
    userSeconds: counters.busySeconds,
    niceSeconds: 0,
    systemSeconds: 0,
    idleSeconds: 0,
    ioWaitSeconds: 0,
    irqSeconds: 0,
    softIrqSeconds: 0,
    stealSeconds: 0,
    guestSeconds: 0,
    guestNiceSeconds: 0,
  };
  const vmstat: readonly (readonly [VmstatCounter, bigint])[] = [
    ['pswpin', BigInt(counters.swapInPages)],
    ['pswpout', BigInt(counters.swapOutPages)],
    ['pgmajfault', BigInt(counters.majorFaults)],
    ['oom_kill', BigInt(counters.oomKills)],
  ];
  return {
    ...unknownHost(),
    cpuTime: cpuTime && { ...cpuTime, total },
    cpuTopology: {
      present: [0, 1, 2, 3],
      online: [0, 1, 2, 3],
      offline: [],
      isolated: [],
      tickless: [],
      cpus: [0, 1, 2, 3].map((cpu) => ({ cpu, siblings: [cpu], package: 0, node: 0 })),
      coreCount: 4,
      packageCount: 1,
      threadsPerCpu: 1,
    },
    meminfo,
    swapAreas: [],
    vmstat: {
      counters: new Map(vmstat),
      directReclaimsByZone: new Map(),
      directReclaims: BigInt(counters.allocationStalls),
    },
    pressure: new Map([
      ['cpu', { someSeconds: counters.cpuWaitingSeconds, fullSeconds: undefined }],
      [
        'memory',
        {
          someSeconds: Math.max(counters.memoryStalledSeconds, counters.memoryWaitingSeconds),
          fullSeconds: counters.memoryStalledSeconds,
        },
      ],
      ['io', { someSeconds: counters.ioWaitingSeconds, fullSeconds: undefined }],
    ]),
  };
}

function guestAt(guest: GuestAt, index: number): Domain {
  const config = exampleConfig();
  const { stat, status } = exampleProcess();
  const uuid = uuidOf(index);
  const residentBytes = guest.residentGib * GIB;
  return unknownGuest({
    name: guest.name,
    uuid,
    reason: 'booted',
    persistent: true,
    autostart: true,
    monitor: 'responsive',
    unaskedReason: undefined,
    config: exampleConfig({
      name: guest.name,
      uuid,
      memory: {
        ...config.memory,
        maximumBytes: guest.memoryGib * GIB,
        currentBytes: guest.memoryGib * GIB,
      },
      vcpu: {
        current: guest.vcpus,
        maximum: guest.vcpus,
        placement: 'static',
        cpus: undefined,
        list: [],
      },
      interfaces: [exampleInterface({ target: `vnet${index}` })],
    }),
    process: exampleProcess({
      pid: 1000 + index,
      stat: { ...stat, userSeconds: guest.cpuSeconds ?? 0, systemSeconds: 0 },
      status: status && {
        ...status,
        residentBytes,
        residentAnonymousBytes: residentBytes,
        residentSharedBytes: 0,
        swappedBytes: 0,
      },
      threads: Array.from({ length: guest.vcpus }, (_, vcpu) => ({
        tid: 2000 + vcpu,
        comm: `CPU ${vcpu}/KVM`,
        role: { kind: 'vcpu' as const, index: vcpu },
        schedule: {
          runNanoseconds: 1n,
          delayNanoseconds: vcpu === 0 ? BigInt(Math.round((guest.delaySeconds ?? 0) * 1e9)) : 0n,
          timeslices: 1n,
        },
        state: undefined,
        stillMs: 0,
      })),
    }),
    nics: [
      {
        device: `vnet${index}`,
        receiveBytes: BigInt(guest.receivedBytes ?? 0),
        receivePackets: BigInt(guest.packets ?? 0),
        receiveErrors: 0n,
        receiveDrops: BigInt(guest.drops ?? 0),
        transmitBytes: 0n,
        transmitPackets: BigInt(guest.sentPackets ?? 0),
        transmitErrors: 0n,
        transmitDrops: 0n,
      },
    ],
    ...guest.overrides,
  });
}

function diskAt({ name, diskGib, writtenGib }: GuestAt, index: number) {
  const path = `/var/lib/libvirt/images/${index}.raw`;
  const bytes = diskGib * GIB;
  return diskOf(
    name,
    uuidOf(index),
    'vda',
    exampleImage({
      path,
      resolvedPath: path,
      identity: `8:1:${index}`,
      fileSizeBytes: bytes,
      allocatedBytes: writtenGib * GIB,
      format: 'raw',
      capacityBytes: bytes,
      qcow2: undefined,
      worstCase: { fullyAllocatedBytes: bytes, metadataBytes: 0, withSnapshotsBytes: bytes },
    }),
  );
}

function linksAt(counters: typeof NO_COUNTERS, guests: readonly GuestAt[]) {
  const taps = guests.map((_, index) => exampleLink(`vnet${index}`, { master: 'br0' }));
  return [
    exampleLink('eno1', {
      kind: 'physical',
      master: 'br0',
      state: {
        operational: counters.uplinkUp === 1 ? 'up' : 'down',
        carrier: counters.uplinkUp === 1,
        speed: { known: true, bitsPerSecond: 1e9 },
      },
      counters: {
        receivedBytes: BigInt(counters.receivedBytes),
        receivedPackets: 0n,
        receiveErrors: 0n,
        receiveDrops: 0n,
        receiveFifoErrors: 0n,
        transmittedBytes: BigInt(counters.sentBytes),
        transmittedPackets: BigInt(counters.sentPackets),
        transmitErrors: 0n,
        transmitDrops: BigInt(counters.sendDrops),
        transmitFifoErrors: 0n,
      },
    }),
    exampleLink('br0', { kind: 'bridge', lower: ['eno1', ...taps.map(({ name }) => name)] }),
    ...taps,
  ];
}
