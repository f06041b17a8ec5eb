/** The demo host as the readers of /proc and /sys would show it. */

import type { OutcomeLog } from '../model/outcome-log.ts';

import {
  HOST_OWN,
  hostMemory,
  KSM_PAGES_TO_SCAN,
  KSM_SLEEP_SECONDS,
  MEMORY_BYTES,
  computeResident,
  computeSaved,
  computeSwapped,
} from './memory.ts';
import { CORES, SWAP_BYTES, UPTIME_AT_START_SECONDS, type State } from './state.ts';
import { GIB, MIB, PAGE_BYTES, sum, whole } from './units.ts';
import {
  emptyHost,
  type FileHandles,
  type Host,
  type HostFacts,
  type KernelThread,
} from '../model/host.ts';
import type { CpuTime, CpuTopology, HostCpuTime } from '../model/host-cpu.ts';
import type { Ksm, Meminfo, NumaNode, SwapArea, Vmstat } from '../model/host-memory.ts';
import type { Pressure, PressureResource } from '../model/pressure.ts';

const CPUS = Array.from({ length: CORES }, (_, cpu) => cpu);
/** Mappings per merged page. */
const SHARERS = 9;
/** Bytes ksmd keeps per page it looks at (struct ksm_rmap_item). */
export const KSM_ITEM_BYTES = 64;

export function toHost(state: State, startedAtSeconds: number, log: OutcomeLog): Host {
  const { host } = state;
  return {
    ...emptyHost(PAGE_BYTES),
    cpuTime: log.run('cpu', () => cpuTime(state, startedAtSeconds)),
    cpuTopology: log.run('cpu', () => TOPOLOGY),
    load: log.run('cpu', () => ({
      oneMinute: host.load.one,
      fiveMinutes: host.load.five,
      fifteenMinutes: host.load.fifteen,
    })),
    softnetDrops: log.run('network', () => 0),
    kvmModule: log.run('cpu', () => ({
      vendor: 'intel',
      secondLevelPaging: true,
      accessedDirtyBits: true,
      nested: false,
      haltPollSeconds: 200e-6,
      tdpMmu: true,
    })),
    meminfo: log.run('memory', () => meminfo(state)),
    hugePages: log.run('memory', () => []),
    transparentHugePages: log.run('memory', () => ({
      enabled: 'madvise',
      defrag: 'madvise',
      sharedMemoryEnabled: 'never',
      pageBytes: 2 * MIB,
      khugepaged: {
        defrag: true,
        pagesToScan: 4096,
        scanSleepSeconds: 10,
        pagesCollapsed: 0,
        fullScans: Math.floor(state.seconds / 60),
        maxEmptyPages: 511,
      },
    })),
    memorySysctl: log.run('memory', () => ({
      overcommitMode: 0,
      overcommitRatioPercent: 50,
      overcommitBytes: undefined,
      swappiness: 60,
      minFreeBytes: 66 * MIB,
      numaBalancing: 0,
      schedulerStatistics: false,
    })),
    multiGenLru: log.run('memory', () => ({
      enabled: true,
      leafAgeing: true,
      nonLeafAgeing: true,
      minimumAgeSeconds: undefined,
    })),
    vmstat: log.run('vmstat', () => vmstat(state)),
    swapAreas: log.run('swap', () => swapAreas(state)),
    zfsArc: undefined,
    zswap: log.run('swap', () => ({
      enabled: false,
      compressor: 'lzo',
      maxPoolPercent: 20,
      acceptThresholdPercent: 90,
      shrinkerEnabled: false,
      debug: undefined,
    })),
    pressure: log.run('pressure', () => pressure(state)),
    ksm: log.run('ksm', () => toKsm(state)),
    numaNodes: log.run('numa', () => [numaNode(state)]),
    kernelThreads: log.run('kernelthreads', () => kernelThreads(state)),
    inventory: log.run('inventory', () => INVENTORY),
    fileHandles: log.run('inventory', () => FILE_HANDLES),
  };
}

const TOPOLOGY: CpuTopology = {
  present: CPUS,
  online: CPUS,
  offline: [],
  isolated: [],
  tickless: [],
  cpus: CPUS.map((cpu) => ({ cpu, siblings: [cpu], package: 0, node: 0 })),
  coreCount: CORES,
  packageCount: 1,
  threadsPerCpu: 1,
};

const INVENTORY: HostFacts = {
  cpuModel: 'Simulated CPU',
  cpuVendor: 'GenuineIntel',
  osName: 'Debian GNU/Linux',
  osRelease: '12',
  kernel: '6.12.0-demo',
  hostname: 'demo-host',
};

/** A hundred or so for each guest; the limit is what systemd makes of it. */
const FILE_HANDLES: FileHandles = { allocated: 4_288, limit: 2 ** 63 };

function cpuTime({ host }: State, startedAtSeconds: number): HostCpuTime {
  const total: CpuTime = {
    userSeconds: host.userSeconds,
    niceSeconds: 0,
    systemSeconds: host.systemSeconds,
    idleSeconds: host.idleSeconds,
    ioWaitSeconds: host.ioWaitSeconds,
    irqSeconds: 0,
    softIrqSeconds: host.softIrqSeconds,
    stealSeconds: 0,
    guestSeconds: host.guestSeconds,
    guestNiceSeconds: 0,
  };
  const each: CpuTime = {
    ...total,
    userSeconds: host.userSeconds / CORES,
    systemSeconds: host.systemSeconds / CORES,
    idleSeconds: host.idleSeconds / CORES,
    ioWaitSeconds: host.ioWaitSeconds / CORES,
    softIrqSeconds: host.softIrqSeconds / CORES,
    guestSeconds: host.guestSeconds / CORES,
  };
  return {
    total,
    cpus: new Map(CPUS.map((cpu) => [cpu, each])),
    contextSwitches: Math.floor(host.contextSwitches),
    bootTimeSeconds: Math.floor(startedAtSeconds) - UPTIME_AT_START_SECONDS,
    processesCreated: undefined,
    runningTasks: Math.ceil(host.runnable),
    blockedTasks: host.blocked,
  };
}

function meminfo(state: State): Meminfo {
  const memory = hostMemory(state);
  const promised = state.guests.length * GIB;
  return {
    totalBytes: MEMORY_BYTES,
    freeBytes: memory.freeBytes,
    availableBytes: memory.availableBytes,
    buffersBytes: HOST_OWN.buffersBytes,
    cachedBytes: memory.pageCacheBytes,
    swapCachedBytes: 0,
    dirtyBytes: MIB,
    writebackBytes: 0,
    anonymousBytes: memory.anonymousBytes,
    sharedMemoryBytes: 0,
    unevictableBytes: 0,
    lockedBytes: 0,
    slabReclaimableBytes: HOST_OWN.slabReclaimableBytes,
    slabUnreclaimableBytes: HOST_OWN.slabUnreclaimableBytes,
    kernelStackBytes: HOST_OWN.kernelStackBytes,
    pageTableBytes: HOST_OWN.pageTableBytes,
    secondaryPageTableBytes: undefined,
    swapTotalBytes: SWAP_BYTES,
    swapFreeBytes: memory.swapFreeBytes,
    zswapBytes: 0,
    zswappedBytes: 0,
    commitLimitBytes: MEMORY_BYTES / 2 + SWAP_BYTES,
    committedBytes: promised + HOST_OWN.anonymousBytes,
    anonymousHugePageBytes: 0,
    sharedMemoryHugePageBytes: 0,
    sharedMemoryHugePageMappedBytes: 0,
    hardwareCorruptedBytes: 0,
    defaultHugePages: { pageBytes: 2 * MIB, total: 0, free: 0, reserved: 0, surplus: 0 },
    hugetlbBytes: 0,
  };
}

function vmstat({ host: { pages } }: State): Vmstat {
  const directReclaims = whole(pages.directReclaims);
  return {
    counters: new Map([
      ['pswpin', whole(pages.swapIn)],
      ['pswpout', whole(pages.swapOut)],
      ['pgfault', whole(pages.faults)],
      ['pgmajfault', whole(pages.majorFaults)],
      ['oom_kill', 0n],
      ['pgscan_kswapd', whole(pages.kswapdScanned)],
      ['pgscan_direct', whole(pages.directScanned)],
      ['pgsteal_kswapd', whole(pages.kswapdFreed)],
      ['pgsteal_direct', whole(pages.directFreed)],
      ['workingset_refault_anon', whole(pages.refaulted)],
      ['workingset_refault_file', 0n],
      ['thp_fault_alloc', 0n],
      ['thp_split_page', 0n],
      ['numa_pages_migrated', 0n],
      ['cow_ksm', whole(pages.copiedFromKsm)],
    ]),
    directReclaimsByZone: new Map([['normal', directReclaims]]),
    directReclaims,
  };
}

function swapAreas({ guests }: State): readonly SwapArea[] {
  return [
    {
      path: '/dev/dm-1',
      kind: 'partition',
      sizeBytes: SWAP_BYTES,
      usedBytes: sum(guests, computeSwapped),
      priority: -2,
      zram: undefined,
    },
  ];
}

function pressure({ host }: State): ReadonlyMap<PressureResource, Pressure> {
  const { cpuSome, memorySome, memoryFull, ioSome, ioFull } = host.pressure;
  return new Map([
    ['cpu', { someSeconds: cpuSome, fullSeconds: undefined }],
    ['memory', { someSeconds: memorySome, fullSeconds: memoryFull }],
    ['io', { someSeconds: ioSome, fullSeconds: ioFull }],
  ]);
}

/** KSM pages which exist, and how many more mappings they have. */
export function ksmPages(state: State): { readonly shared: number; readonly sharing: number } {
  const sharing = computeSaved(state) / PAGE_BYTES;
  return { shared: Math.floor(sharing / SHARERS), sharing };
}

function toKsm(state: State): Ksm {
  const { host, guests } = state;
  const { shared, sharing } = ksmPages(state);
  const merged = shared + sharing;
  const others = sum(guests, computeResident) / PAGE_BYTES - merged;
  const unshared = Math.floor(others * 0.7);
  const volatile = Math.floor(others * 0.1);
  return {
    run: 1,
    pagesToScan: KSM_PAGES_TO_SCAN,
    sleepSeconds: KSM_SLEEP_SECONDS,
    mergeAcrossNodes: true,
    useZeroPages: false,
    maxPageSharing: 256,
    stableNodeChainsPruneSeconds: 2,
    smartScan: false,
    pagesShared: shared,
    pagesSharing: sharing,
    pagesUnshared: unshared,
    pagesVolatile: volatile,
    pagesScanned: Math.floor(host.ksmScannedPages),
    pagesSkipped: 0,
    zeroPages: 0,
    fullScans: Math.floor(host.ksmFullScans),
    stableNodeChains: 0,
    stableNodeDuplicates: 0,
    generalProfitBytes: sharing * PAGE_BYTES - (merged + unshared + volatile) * KSM_ITEM_BYTES,
    advisorMode: 'none',
    advisorMaxCpuPercent: 70,
    advisorMinPagesToScan: 500,
    advisorMaxPagesToScan: 30_000,
    advisorTargetScanSeconds: 200,
  };
}

function numaNode(state: State): NumaNode {
  const memory = hostMemory(state);
  const allocated = whole(state.host.pages.faults);
  return {
    node: 0,
    cpus: CPUS,
    memory: {
      totalBytes: MEMORY_BYTES,
      freeBytes: memory.freeBytes,
      fileBytes: memory.pageCacheBytes,
      anonymousBytes: memory.anonymousBytes,
      sharedMemoryBytes: 0,
      anonymousHugePageBytes: 0,
      dirtyBytes: MIB,
      unevictableBytes: 0,
      lockedBytes: 0,
      slabReclaimableBytes: HOST_OWN.slabReclaimableBytes,
      slabUnreclaimableBytes: HOST_OWN.slabUnreclaimableBytes,
    },
    hugePages: [],
    allocations: { hit: allocated, miss: 0n, foreign: 0n, local: allocated, other: 0n },
  };
}

function kernelThreads({ host }: State): readonly KernelThread[] {
  return [
    { pid: 38, comm: 'kcompactd0', cpuSeconds: 0 },
    { pid: 39, comm: 'ksmd', cpuSeconds: host.ksmdSeconds },
    { pid: 40, comm: 'khugepaged', cpuSeconds: 0 },
    { pid: 61, comm: 'kswapd0', cpuSeconds: host.kswapdSeconds },
  ];
}
