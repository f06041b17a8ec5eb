import type {
  Balloon,
  DiskCounters,
  Domain,
  GuestCgroupFacts,
  GuestProcess,
  KvmCounters,
  LibvirtCpu,
  NicCounters,
} from '../../../src/model/domain.ts';
import type { ProcessThread, ThreadRole } from '../../../src/model/process.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** A guest of which libvirt says that it is there, and nothing else is known. */
export function unknownGuest(overrides: Partial<Domain> = {}): Domain {
  return {
    name: 'unknown',
    uuid: '00000000-0000-4000-8000-000000000000',
    state: 'running',
    reason: 'unknown',
    active: true,
    persistent: undefined,
    autostart: undefined,
    config: undefined,
    monitor: 'unasked',
    unaskedReason: undefined,
    balloon: undefined,
    disks: undefined,
    nics: undefined,
    libvirtCpu: undefined,
    kvm: undefined,
    process: undefined,
    cgroup: undefined,
    job: undefined,
    perf: undefined,
    ...overrides,
  };
}

/** A balloon at 2 of 4 GiB in a guest that reports everything. */
export function exampleBalloon(overrides: Partial<Balloon> = {}): Balloon {
  return {
    currentBytes: 2 * GIB,
    maximumBytes: 4 * GIB,
    guestTotalBytes: 1950 * MIB,
    guestFreeBytes: 100 * MIB,
    guestAvailableBytes: 900 * MIB,
    guestDiskCachesBytes: 700 * MIB,
    guestSwapInBytes: 4096,
    guestSwapOutBytes: 8192,
    guestMajorFaults: 1234n,
    guestMinorFaults: 567_890n,
    guestHugetlbAllocations: 3n,
    guestHugetlbFailures: 1n,
    residentBytes: 1500 * MIB,
    lastUpdateSeconds: 1_700_099_990,
    ...overrides,
  };
}

export function exampleDiskCounters(device: string): DiskCounters {
  return {
    device,
    readBytes: 1_000_000n,
    readRequests: 250n,
    readNanoseconds: 1_500_000_000n,
    writtenBytes: 2_000_000n,
    writeRequests: 500n,
    writeNanoseconds: 2_250_000_000n,
    flushRequests: 10n,
    flushNanoseconds: 125_000_000n,
    capacityBytes: 10_737_418_240n,
    highestOffsetBytes: 3_000_000_000n,
    physicalBytes: 2_147_483_648n,
    thresholdBytes: 0n,
    beyondLibvirt: {
      failedReads: 1n,
      failedWrites: 2n,
      failedFlushes: 0n,
      failedDiscards: undefined,
      discardedBytes: 65_536n,
    },
  };
}

export function exampleNicCounters(device: string): NicCounters {
  return {
    device,
    receiveBytes: 11n,
    receivePackets: 12n,
    receiveErrors: 13n,
    receiveDrops: 14n,
    transmitBytes: 21n,
    transmitPackets: 22n,
    transmitErrors: 23n,
    transmitDrops: 24n,
  };
}

/** Ran 10 s per index + 1, waited a tenth of that. */
export function exampleThread(tid: number, role: ThreadRole): ProcessThread {
  const seconds = BigInt(tid % 10) + 1n;
  return {
    tid,
    comm: role.kind === 'vcpu' ? `CPU ${role.index}/KVM` : role.kind,
    role,
    schedule: {
      runNanoseconds: seconds * 10_000_000_000n,
      delayNanoseconds: seconds * 1_000_000_000n,
      timeslices: seconds * 100n,
    },
    state: undefined,
    stillMs: 0,
  };
}

/** QEMU with 2 vCPU threads, holding 1.25 GiB. */
export function exampleProcess(overrides: Partial<GuestProcess> = {}): GuestProcess {
  return {
    pid: 4242,
    startSeconds: 1_700_000_500,
    stat: {
      pid: 4242,
      comm: 'qemu-system-x86',
      state: 'S',
      parentPid: 1,
      kernelThread: false,
      minorFaults: 60_000,
      majorFaults: 70,
      userSeconds: 90.5,
      systemSeconds: 20.25,
      threads: 6,
      startTimeTicks: 50_000,
      virtualBytes: 6 * GIB,
      residentPages: 330_000,
      processor: 3,
      blockIoDelaySeconds: undefined,
      guestSeconds: 60,
    },
    status: {
      virtualBytes: 6 * GIB,
      residentBytes: 1310 * MIB,
      residentAnonymousBytes: GIB + 256 * MIB,
      residentFileBytes: 30 * MIB,
      residentSharedBytes: 0,
      swappedBytes: 128 * MIB,
      hugetlbBytes: 0,
      lockedBytes: 0,
      pinnedBytes: 0,
      threads: 6,
      voluntaryContextSwitches: 900,
      involuntaryContextSwitches: 30,
      allowedCpus: '0-7',
      allowedNodes: '0-1',
    },
    threads: [
      exampleThread(4242, { kind: 'emulator' }),
      exampleThread(4243, { kind: 'monitor' }),
      exampleThread(4244, { kind: 'iothread', id: 1 }),
      exampleThread(4245, { kind: 'vcpu', index: 0 }),
      exampleThread(4246, { kind: 'vcpu', index: 1 }),
      exampleThread(4247, { kind: 'other' }),
    ],
    ksm: {
      rmapItems: 300_000,
      zeroPages: 100,
      mergingPages: 20_000,
      profitBytes: -500,
      mergeAny: false,
      mergeable: true,
    },
    smaps: undefined,
    ...overrides,
  };
}

/** cgroup v2 with a weight, quotas, limits and pressure. */
export function exampleCgroup(): GuestCgroupFacts {
  const group = (periods: number) => ({
    quota: { quotaSeconds: 0.05, periodSeconds: 0.1 },
    throttling: { periods, throttledPeriods: periods / 10, throttledSeconds: periods / 100 },
  });
  return {
    cpu: {
      share: { kind: 'weight', weight: 200 },
      quota: { quotaSeconds: 0.15, periodSeconds: 0.1 },
      usageSeconds: 110.5,
      throttling: { periods: 1000, throttledPeriods: 100, throttledSeconds: 10 },
      vcpus: new Map([
        [0, group(100)],
        [1, group(200)],
      ]),
      iothreads: new Map(),
      emulator: { quota: 'unlimited', throttling: undefined },
    },
    memory: {
      usage: {
        currentBytes: 1500 * MIB,
        peakBytes: 1800 * MIB,
        swapBytes: 130 * MIB,
        zswapBytes: 10 * MIB,
        anonymousBytes: 1280 * MIB,
        fileBytes: 200 * MIB,
        sharedMemoryBytes: 0,
        anonymousHugePageBytes: GIB,
      },
      limits: {
        maxBytes: 5 * GIB,
        highBytes: 4.5 * GIB,
        swapMaxBytes: GIB,
        swapIncludesMemory: false,
        guaranteedBytes: GIB,
      },
      events: { high: 4, max: 3, oom: 2, oomKill: 0 },
      paging: { anonymousRefaults: 5000, fileRefaults: 300, swapIns: 4900, swapOuts: 6000 },
    },
    io: [
      {
        device: 'dm-3',
        readBytes: 3n * 1024n ** 4n,
        writtenBytes: 2n ** 60n + 1n,
        reads: 70_000_000n,
        writes: 90_000_000n,
      },
      // A v1 kernel that has lost the requests.
      {
        device: '259:7',
        readBytes: 4096n,
        writtenBytes: 0n,
        reads: undefined,
        writes: undefined,
      },
    ],
    numa: [
      { node: 0, swapBackedBytes: GIB, fileCacheBytes: 100 * MIB },
      { node: 1, swapBackedBytes: 256 * MIB, fileCacheBytes: 100 * MIB },
    ],
    detail: {
      lowBytes: 512 * MIB,
      lowEvents: 3,
      swapEvents: { high: 0, max: 4, fail: 5 },
      forcedIdleSeconds: 2.5,
      bursts: 7,
      burstSeconds: 1.5,
    },
    pressure: {
      cpu: { someSeconds: 6, fullSeconds: 5 },
      memory: { someSeconds: 4, fullSeconds: 3 },
      io: { someSeconds: 2, fullSeconds: 1 },
    },
  };
}

/** libvirt's own CPU figures, for a guest whose /proc is out of reach. */
export function exampleLibvirtCpu(): LibvirtCpu {
  const vcpu = (index: number) => ({
    index,
    timeNanoseconds: 7_000_000_000n,
    delayNanoseconds: 500_000_000n,
    waitNanoseconds: 0n,
  });
  return {
    totalNanoseconds: 20_000_000_000n,
    userNanoseconds: 15_000_000_000n,
    systemNanoseconds: 5_000_000_000n,
    vcpus: [vcpu(0), vcpu(1)],
  };
}

/** KVM's counters as QEMU 7.2 and libvirt 9.0 tell them. */
export function exampleKvm(): KvmCounters {
  const vcpu = (index: number) => ({
    index,
    exits: 5_468_522n,
    directedYieldsAttempted: 326n,
    directedYieldsSuccessful: 44n,
    preemptions: 43_483n,
  });
  return {
    haltPollSuccessNanoseconds: 250_000_000n,
    haltPollFailNanoseconds: 750_000_000n,
    vcpus: [vcpu(0), vcpu(1)],
  };
}
