import type { View } from '../view/view.ts';
import { computeAvailableMemory } from '../model/facts/available-memory.ts';
import { isPausedOnIoError } from '../model/facts/domain-state.ts';
import { computeHostSwap, type HostSwap } from '../model/facts/host-swap.ts';
import type { SignalId } from './risk-model.ts';
import type { StorageContainer } from '../overcommit/storage/storage.ts';
import type { StoragePool } from '../model/storage.ts';
import type { Recently } from './recent-counters.ts';

export type SignalValues = ReadonlyMap<SignalId, number | undefined>;

/**
 * The values the risk model looks at, each as the recording rule of the same signal has it, only
 * over the last minute and not over five. `storage_fill` stays unmeasured: it needs hours of
 * history, which Prometheus has and this exporter has not.
 */
export function computeSignals(view: View, recently: Recently): SignalValues {
  return new Map([
    ...cpuSignals(view, recently),
    ...memorySignals(view, recently),
    ...storageSignals(view, recently),
    ...networkSignals(view, recently),
  ]);
}

type Entries = readonly (readonly [SignalId, number | undefined])[];

function cpuSignals({ assessment }: View, { rates }: Recently): Entries {
  const { cpu, bootStorm } = assessment;
  const shared = cpu?.shared;
  const added = bootStorm?.autostart.added.vcpus;
  return [
    ['cpu_promise', shared && perCapacity(shared.promised.current, shared.capacity.cpus)],
    [
      'cpu_start_all',
      shared === undefined || added === undefined
        ? undefined
        : perCapacity(shared.promised.current + added, shared.capacity.cpus),
    ],
    ['cpu_pressure', rates?.host.cpuWaitingRatio],
    ['cpu_delay', delayOfAllVcpus(rates)],
  ];
}

/** Per vCPU of the host: large guests count for more. */
function delayOfAllVcpus(rates: Recently['rates']): number | undefined {
  let waited = 0;
  let vcpus = 0;
  for (const { delayedVcpus, measuredVcpus } of rates?.guests.values() ?? []) {
    waited += delayedVcpus ?? 0;
    vcpus += measuredVcpus;
  }
  return vcpus === 0 ? undefined : Math.min(1, waited / vcpus);
}

function memorySignals({ snapshot, assessment }: View, { rates, oomKills }: Recently): Entries {
  const { memory } = assessment;
  const { meminfo } = snapshot.host;
  const available = computeAvailableMemory(snapshot.host);
  const swap = computeHostSwap(snapshot.host);
  const exposure = memory && perSupply(memory.current.exposureBytes, memory.current.supplyBytes);
  // Where guests hold all they were promised, little is left because little was meant to be left.
  const isCovered = exposure !== undefined && exposure <= 1;
  const hugepages = (snapshot.host.hugePages ?? []).reduce(
    (sum, pool) => sum + pool.total * pool.pageBytes,
    0,
  );
  const swapIn = rates?.host.swapInBytesPerSecond;
  const swapOut = rates?.host.swapOutBytesPerSecond;
  return [
    [
      'memory_overcommitted_at_most',
      memory && perCapacity(memory.promised.maximumBytes, memory.capacityBytes),
    ],
    [
      'memory_overcommitted',
      memory && perCapacity(memory.promised.currentBytes, memory.capacityBytes),
    ],
    ['memory_exposure', exposure],
    ['memory_ksm_unmerge', memory && perSupply(memory.ksmUnmergeBytes, memory.current.supplyBytes)],
    [
      'memory_available',
      meminfo === undefined || available === undefined || isCovered
        ? undefined
        : perCapacity(available, meminfo.totalBytes - hugepages),
    ],
    ['memory_swap_used', isCovered ? undefined : computeUsedShare(swap)],
    ['memory_pressure', rates?.host.memoryStalledRatio],
    [
      'memory_swap_storm',
      swapIn === undefined || swapOut === undefined ? undefined : Math.min(swapIn, swapOut),
    ],
    ['memory_oom_kills', oomKills],
  ];
}

function storageSignals({ snapshot, domains, assessment }: View, { rates }: Recently): Entries {
  const containers = assessment.storage?.containers ?? [];
  const filesystems = containers.filter(({ kind }) => kind === 'filesystem');
  const thinPools = snapshot.storage?.thin?.storage.pools ?? [];
  return [
    ['storage_overcommitted', highest(containers, computeClaimableRatio)],
    [
      'storage_promise',
      highest(filesystems, ({ promisedBytes, sizeBytes }) =>
        sizeBytes === undefined ? undefined : perCapacity(promisedBytes, sizeBytes),
      ),
    ],
    ['storage_pressure', rates?.host.ioWaitingRatio],
    [
      'storage_pool_used',
      highest(snapshot.pools ?? [], (pool) =>
        pool.reading === undefined || !mayOutgrow(pool, assessment.storage)
          ? undefined
          : perCapacity(Number(pool.reading.allocationBytes), Number(pool.reading.capacityBytes)),
      ),
    ],
    ['storage_available', lowest(filesystems, availableWhereItMatters)],
    [
      'storage_thin_data',
      highest(thinPools, ({ dataUsedBytes, sizeBytes }) => computeShare(dataUsedBytes, sizeBytes)),
    ],
    [
      'storage_thin_metadata',
      highest(thinPools, ({ metadataUsedBytes, metadataSizeBytes }) =>
        computeShare(metadataUsedBytes, metadataSizeBytes),
      ),
    ],
    [
      'storage_paused_guests',
      snapshot.domains === undefined
        ? undefined
        : domains.filter(({ domain }) => isPausedOnIoError(domain)).length,
    ],
  ];
}

function computeUsedShare({ totalBytes, freeBytes }: HostSwap): number | undefined {
  if (totalBytes === undefined || freeBytes === undefined) return undefined;
  return perCapacity(totalBytes - freeBytes, totalBytes);
}

const CUT_UP_POOLS: ReadonlySet<string> = new Set([
  ...['logical', 'disk', 'iscsi', 'iscsi-direct', 'scsi', 'mpath'],
]);
const DIRECTORY_POOLS: ReadonlySet<string> = new Set(['dir', 'fs', 'netfs']);

/**
 * A volume group that is cut up is as it should be; so is a directory whose images cannot grow by more
 * than their filesystem has left.
 */
function mayOutgrow({ description }: StoragePool, storage: View['assessment']['storage']): boolean {
  const type = description?.type ?? '';
  if (CUT_UP_POOLS.has(type)) return false;
  return !DIRECTORY_POOLS.has(type) || (storage?.host.shortfallBytes ?? 0) > 0;
}

/** What may still be written per room there is. */
export function computeClaimableRatio({
  claimableBytes,
  availBytes,
}: StorageContainer): number | undefined {
  return availBytes === undefined ? undefined : perSupply(claimableBytes, availBytes);
}

/** A filesystem whose images cannot outgrow it may be as full as it likes. */
function availableWhereItMatters(container: StorageContainer): number | undefined {
  const { claimableBytes, availBytes, sizeBytes } = container;
  if (availBytes === undefined || claimableBytes <= availBytes) return undefined;
  return computeShare(availBytes, sizeBytes);
}

function networkSignals({ snapshot, domains, assessment }: View, { rates }: Recently): Entries {
  const uplinks = assessment.network?.uplinks ?? [];
  const running = new Set(
    domains.filter(({ domain }) => domain.state === 'running').map(({ domain }) => domain.uuid),
  );
  return [
    [
      'network_promise',
      highest(uplinks, (uplink) =>
        computeShare(promisedBytesPerSecond(uplink), uplink.speedBytesPerSecond),
      ),
    ],
    [
      'network_guarantee',
      highest(uplinks, ({ floorBytesPerSecond, speedBytesPerSecond }) =>
        computeShare(floorBytesPerSecond, speedBytesPerSecond),
      ),
    ],
    [
      'network_utilisation',
      highest(uplinks, ({ id, speedBytesPerSecond }) => {
        const traffic = rates?.links.get(id);
        return computeShare(
          traffic && Math.max(traffic.receivedBytesPerSecond, traffic.sentBytesPerSecond),
          speedBytesPerSecond,
        );
      }),
    ],
    [
      'network_drops',
      snapshot.domains === undefined
        ? undefined
        : highest([...(rates?.guests ?? [])], ([uuid, { dropRatio }]) =>
            running.has(uuid) ? dropRatio : undefined,
          ),
    ],
  ];
}

type Uplink = NonNullable<View['assessment']['network']>['uplinks'][number];

/** Both directions are there at once: the busier promise counts. */
export function promisedBytesPerSecond({ inbound, outbound }: Uplink): number | undefined {
  if (inbound.promisedBytesPerSecond === undefined) return outbound.promisedBytesPerSecond;
  if (outbound.promisedBytesPerSecond === undefined) return inbound.promisedBytesPerSecond;
  return Math.max(inbound.promisedBytesPerSecond, outbound.promisedBytesPerSecond);
}

/** Undefined where there is no capacity: a ratio to nothing tells nothing. */
function perCapacity(promised: number, capacity: number): number | undefined {
  return capacity > 0 ? promised / capacity : undefined;
}

/** A claim on nothing is infinitely exposed, and must not vanish. */
function perSupply(claim: number, supply: number): number | undefined {
  if (supply > 0) return claim / supply;
  return claim > 0 ? Infinity : undefined;
}

function computeShare(part: number | undefined, whole: number | undefined): number | undefined {
  return part === undefined || whole === undefined ? undefined : perCapacity(part, whole);
}

function highest<T>(all: readonly T[], of: (one: T) => number | undefined): number | undefined {
  const known = all.flatMap((one) => of(one) ?? []);
  return known.length === 0 ? undefined : Math.max(...known);
}

function lowest<T>(all: readonly T[], of: (one: T) => number | undefined): number | undefined {
  const known = all.flatMap((one) => of(one) ?? []);
  return known.length === 0 ? undefined : Math.min(...known);
}
