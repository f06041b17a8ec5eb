import type { View } from '../view/view.ts';
import { computeAvailableMemory } from '../model/facts/available-memory.ts';
import { computeHostSwap, type HostSwap } from '../model/facts/host-swap.ts';
import { findLimit } from '../config/policy.ts';
import { computeLosses, type SharedValues } from './losses.ts';
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
  const shared = sharedValues(view, recently);
  return new Map([
    ...cpuSignals(view, recently, shared),
    ...memorySignals(view, recently, shared),
    ...storageSignals(view, recently),
    ...networkSignals(view, recently),
    ...computeLosses(view, recently, shared),
  ]);
}

function sharedValues({ snapshot: { host } }: View, { rates }: Recently): SharedValues {
  const available = computeAvailableMemory(host);
  const hugepages = (host.hugePages ?? []).reduce(
    (sum, pool) => sum + pool.total * pool.pageBytes,
    0,
  );
  const swapIn = rates?.host.swapInBytesPerSecond;
  const swapOut = rates?.host.swapOutBytesPerSecond;
  return {
    delayRatio: delayOfAllVcpus(rates),
    availableRatio:
      host.meminfo === undefined || available === undefined
        ? undefined
        : perCapacity(available, host.meminfo.totalBytes - hugepages),
    swapStorm:
      swapIn === undefined || swapOut === undefined ? undefined : Math.min(swapIn, swapOut),
  };
}

type Entries = readonly (readonly [SignalId, number | undefined])[];

function cpuSignals(
  { assessment }: View,
  { rates }: Recently,
  { delayRatio }: SharedValues,
): Entries {
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
    ['cpu_delay', delayRatio],
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

function memorySignals(
  { snapshot, assessment, policy }: View,
  { rates, oomKills }: Recently,
  { availableRatio, swapStorm }: SharedValues,
): Entries {
  const { memory } = assessment;
  const swap = computeHostSwap(snapshot.host);
  const exposure = memory && perSupply(memory.current.exposureBytes, memory.current.supplyBytes);
  // Where guests hold all they were promised, little is left because little was meant to be left.
  const isCovered = exposure !== undefined && exposure <= 1;
  const waiting = rates?.host.memoryWaitingRatio;
  const { warning } = findLimit(policy.policy, 'memory.pressure_ratio');
  // Traffic nobody waits for, of zram for instance, is no storm.
  const isUnfelt = waiting !== undefined && warning !== undefined && waiting <= warning;
  return [
    [
      'memory_overcommitted_at_most',
      memory && promisedOf(memory.promised.maximumBytes, memory.capacityBytes),
    ],
    [
      'memory_overcommitted',
      memory && promisedOf(memory.promised.currentBytes, memory.capacityBytes),
    ],
    ['memory_exposure', exposure],
    ['memory_ksm_unmerge', memory && perSupply(memory.ksmUnmergeBytes, memory.current.supplyBytes)],
    ['memory_available', isCovered ? undefined : availableRatio],
    ['memory_swap_used', isCovered ? undefined : computeUsedShare(swap)],
    ['memory_pressure', rates?.host.memoryStalledRatio],
    ['memory_swap_storm', isUnfelt ? undefined : swapStorm],
    ['memory_oom_kills', oomKills],
  ];
}

function storageSignals({ snapshot, assessment }: View, { rates }: Recently): Entries {
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
  ];
}

function computeUsedShare({ totalBytes, freeBytes }: HostSwap): number | undefined {
  if (totalBytes === undefined || freeBytes === undefined) return undefined;
  return perCapacity(totalBytes - freeBytes, totalBytes);
}

const CUT_UP_POOLS: ReadonlySet<string> = new Set([
  ...['logical', 'disk', 'iscsi', 'iscsi-direct', 'scsi', 'mpath'],
]);
const CLUSTER_POOLS: ReadonlySet<string> = new Set([
  ...['rbd', 'sheepdog', 'gluster', 'zfs', 'vstorage'],
]);

/**
 * A volume group that is cut up is as it should be; so is a directory whose images cannot grow by more
 * than their filesystem has left. What else fills a cluster of many hosts is not known here.
 */
function mayOutgrow({ description }: StoragePool, storage: View['assessment']['storage']): boolean {
  const type = description?.type ?? '';
  if (CLUSTER_POOLS.has(type)) return true;
  return !CUT_UP_POOLS.has(type) && (storage?.host.shortfallBytes ?? 0) > 0;
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

/** What is promised out of nothing is infinitely much: huge pages may have taken all there is. */
function promisedOf(promised: number, capacity: number): number | undefined {
  return capacity > 0 ? promised / capacity : perSupply(promised, 0);
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
