import { findLimit, type Policy } from '../config/policy.ts';
import type { LimitDeclaration, LimitKey } from '../config/policy-defaults.ts';

/**
 * How risky over-commitment of one resource is on one host right now. The table below is the only
 * place that says so: the recording rules `instance_resource:kvm_risk:level`, docs/risk-model.md
 * and the exporter's landing page all come from it.
 *
 * It starts from the inherent risk Karl Rister gives each resource ("Resource Over-Commitment for
 * KVM Virtualization Environments", Linux Foundation Collaboration Summit, April 2012: CPU low,
 * network low, storage medium, memory high), which counts as soon as more is promised than there
 * is, and rises with what is measured.
 */
export type RiskLevel = 0 | 1 | 2 | 3;

/** Rister's words for risk, and one beyond: what he called high is not yet a loss. */
export const RISK_LEVEL_NAMES: Readonly<Record<RiskLevel, string>> = {
  0: 'Low',
  1: 'Medium',
  2: 'High',
  3: 'Critical',
};

/** What a level asks of whoever runs the host. */
export const RISK_LEVEL_ACTIONS: Readonly<Record<RiskLevel, string>> = {
  0: 'nothing',
  1: 'plan',
  2: 'act today',
  3: 'act now',
};

export const RISK_LEVEL_MEANINGS: Readonly<Record<RiskLevel, string>> = {
  0: 'Nothing is promised that could not be given, or the worst that can happen is that guests run slower.',
  1: 'The promise can be broken: guests that want it at the same time will not get it.',
  2: 'The promise is about to be broken, or breaking it would stop guests rather than slow them.',
  3: 'Service or data is being lost now.',
};

export const RISK_RESOURCES = ['cpu', 'memory', 'storage', 'network'] as const;
export type RiskResource = (typeof RISK_RESOURCES)[number];

/** The level a resource has merely because it is over-committed. */
export const INHERENT_LEVELS = {
  cpu: 0,
  memory: 2,
  storage: 1,
  network: 0,
} as const satisfies Readonly<Record<RiskResource, RiskLevel>>;

/**
 * The series of a host that is there exactly when the exporter knows what guests were promised of a
 * resource. Without it no level is 0: a quiet host whose libvirt is down only looks safe.
 */
export const PROMISE_SERIES: Readonly<Record<RiskResource, string>> = {
  cpu: 'kvm_cpu_promised_vcpus',
  memory: 'kvm_memory_promised_bytes',
  storage: 'kvm_storage_promised_bytes',
  // The promise itself has one series per uplink, and a host may have none.
  network: 'kvm_network_nics_without_uplink',
};

export type SignalId =
  | 'cpu_promise'
  | 'cpu_start_all'
  | 'cpu_pressure'
  | 'cpu_delay'
  | 'memory_overcommitted_at_most'
  | 'memory_overcommitted'
  | 'memory_exposure'
  | 'memory_ksm_unmerge'
  | 'memory_available'
  | 'memory_swap_used'
  | 'memory_pressure'
  | 'memory_swap_storm'
  | 'memory_oom_kills'
  | 'storage_overcommitted'
  | 'storage_promise'
  | 'storage_pressure'
  | 'storage_pool_used'
  | 'storage_fill'
  | 'storage_available'
  | 'storage_thin_data'
  | 'storage_thin_metadata'
  | 'network_promise'
  | 'network_guarantee'
  | 'network_utilisation'
  | 'network_drops'
  | LossId;

/** What is lost, each with a critical alert of its own. */
export type LossId =
  | 'cpu_loss_host'
  | 'cpu_loss_guests'
  | 'memory_loss_swap_storm'
  | 'memory_loss_oom_kill'
  | 'memory_loss_host_low'
  | 'memory_loss_host_stalled'
  | 'memory_loss_guests_exhausted'
  | 'memory_loss_guests_limited'
  | 'storage_loss_full_imminent'
  | 'storage_loss_full'
  | 'storage_loss_inodes'
  | 'storage_loss_unresponsive'
  | 'storage_loss_read_only'
  | 'storage_loss_paused_guests'
  | 'storage_loss_corrupt_images'
  | 'storage_loss_thin_pools'
  | 'network_loss_saturated'
  | 'network_loss_drops'
  | 'network_loss_down';

/** All that a promise, a prediction or a measured value gives by itself. */
type LevelWithoutLoss = Exclude<RiskLevel, 3>;

/** A limit of the policy, with the level that passing it at each severity gives. */
export interface PolicyThreshold {
  readonly kind: 'policy';
  readonly key: LimitKey;
  readonly bad: LimitDeclaration['bad'];
  readonly warning: LevelWithoutLoss | undefined;
  readonly critical: LevelWithoutLoss | undefined;
}

/** Over-committed by definition: no policy can move it. */
interface Definition {
  readonly kind: 'definition';
  readonly above: 1;
  readonly level: LevelWithoutLoss;
}

/**
 * Level 3, wherever the expression of a critical alert has a result, how long it has had one aside. The
 * value is the number of results: of hosts that is 1, else of guests, filesystems, pools or uplinks.
 */
export interface Loss {
  readonly kind: 'loss';
  readonly alert: `Kvm${string}`;
  /** Why the page of the exporter cannot know it; undefined where it does. */
  readonly takesPrometheus: string | undefined;
}

interface SignalBase {
  readonly resource: RiskResource;
  /** What the value is; the worst filesystem, pool, uplink or guest of a host stands for it. */
  readonly meaning: string;
  /** The recording rule that holds the value, one series per host. */
  readonly record: string;
}

interface ValueSignal extends SignalBase {
  readonly id: Exclude<SignalId, LossId>;
  readonly threshold: PolicyThreshold | Definition;
}

export interface LossSignal extends SignalBase {
  readonly id: LossId;
  readonly threshold: Loss;
}

export type RiskSignal = ValueSignal | LossSignal;

export function isLoss(signal: RiskSignal): signal is LossSignal {
  return signal.threshold.kind === 'loss';
}

type Levels = Pick<PolicyThreshold, 'warning' | 'critical'>;

const above = (key: LimitKey, levels: Levels): PolicyThreshold => limit(key, 'above', levels);
const below = (key: LimitKey, levels: Levels): PolicyThreshold => limit(key, 'below', levels);

const defined = (over: 1, level: LevelWithoutLoss): Definition => ({
  kind: 'definition',
  above: over,
  level,
});

function loss(
  id: LossId,
  alert: Loss['alert'],
  meaning: string,
  takesPrometheus?: string,
): LossSignal {
  return {
    id,
    resource: resourceOf(id),
    meaning,
    record: `instance:kvm_${id}:count`,
    threshold: { kind: 'loss', alert, takesPrometheus },
  };
}

export const RISK_SIGNALS: readonly RiskSignal[] = [
  {
    id: 'cpu_promise',
    resource: 'cpu',
    meaning: 'vCPUs of running guests per CPU',
    record: 'instance:kvm_cpu_promised_per_capacity:ratio',
    threshold: above('cpu.promised_ratio', { warning: 1, critical: 2 }),
  },
  {
    id: 'cpu_start_all',
    resource: 'cpu',
    meaning: 'vCPUs per CPU once every guest with autostart runs too',
    record: 'instance:kvm_cpu_start_all_per_capacity:ratio',
    threshold: above('cpu.start_all_ratio', { warning: 1, critical: undefined }),
  },
  {
    id: 'cpu_pressure',
    resource: 'cpu',
    meaning: 'share of time some task of the host waited for a CPU (PSI)',
    record: 'instance:kvm_host_cpu_pressure_waiting:ratio',
    threshold: above('cpu.pressure_ratio', { warning: 1, critical: 2 }),
  },
  {
    id: 'cpu_delay',
    resource: 'cpu',
    meaning: 'share of time the vCPUs of the host were ready to run and waited',
    record: 'instance:kvm_domain_vcpu_delay:ratio',
    threshold: above('cpu.delay_ratio', { warning: 2, critical: undefined }),
  },
  loss(
    'cpu_loss_host',
    'KvmHostCpuStarved',
    'the vCPUs of the host wait too long for CPUs, and the kernel says so too',
  ),
  loss(
    'cpu_loss_guests',
    'KvmGuestCpuStarved',
    'guests whose vCPUs together wait too long for CPUs, and the kernel says so too',
  ),
  {
    id: 'memory_overcommitted_at_most',
    resource: 'memory',
    meaning: 'memory promised with all balloons empty per memory the host can give',
    record: 'instance:kvm_memory_promised_maximum_per_capacity:ratio',
    threshold: defined(1, 1),
  },
  {
    id: 'memory_overcommitted',
    resource: 'memory',
    meaning: 'memory promised now per memory the host can give: the inherent risk',
    record: 'instance:kvm_memory_promised_per_capacity:ratio',
    threshold: defined(1, INHERENT_LEVELS.memory),
  },
  {
    id: 'memory_exposure',
    resource: 'memory',
    meaning: 'what guests may still claim per available memory and free swap',
    record: 'instance:kvm_memory_exposure_per_supply:ratio',
    threshold: above('memory.exposure_per_supply_ratio', { warning: 1, critical: 2 }),
  },
  {
    id: 'memory_ksm_unmerge',
    resource: 'memory',
    meaning: 'memory needed if all merged pages were written per available memory and free swap',
    record: 'instance:kvm_ksm_unmerge_per_supply:ratio',
    threshold: above('memory.ksm_unmerge_ratio', { warning: 1, critical: 2 }),
  },
  {
    id: 'memory_available',
    resource: 'memory',
    meaning:
      'available memory per memory of the host without huge page pools, where guests can claim more than that',
    record: 'instance:kvm_host_memory_available_below_claims:ratio',
    threshold: below('memory.available_ratio', { warning: 1, critical: 2 }),
  },
  {
    id: 'memory_swap_used',
    resource: 'memory',
    meaning: 'used swap per swap of the host, where guests can claim more than is available',
    record: 'instance:kvm_host_swap_used_below_claims:ratio',
    threshold: above('memory.swap_used_ratio', { warning: 1, critical: 2 }),
  },
  {
    id: 'memory_pressure',
    resource: 'memory',
    meaning: 'share of time all tasks of the host stalled on memory (PSI)',
    record: 'instance:kvm_host_memory_pressure_stalled:ratio',
    threshold: above('memory.pressure_ratio', { warning: 2, critical: undefined }),
  },
  {
    id: 'memory_swap_storm',
    resource: 'memory',
    meaning:
      'swap traffic of the host in its weaker direction, so in both at once, unless nothing waits for it',
    record: 'instance:kvm_host_swap_storm_felt_bytes:rate5m',
    threshold: above('memory.swap_bytes_per_second', { warning: 2, critical: undefined }),
  },
  {
    id: 'memory_oom_kills',
    resource: 'memory',
    meaning: 'processes the host killed for want of memory in the last ten minutes',
    record: 'instance:kvm_host_oom_kills:increase10m',
    threshold: above('memory.oom_kills', { warning: undefined, critical: 2 }),
  },
  loss(
    'memory_loss_swap_storm',
    'KvmSwapStorm',
    'the host swaps in and out, and its tasks stall on memory',
  ),
  loss(
    'memory_loss_oom_kill',
    'KvmHostOomKill',
    'the host killed a process, and a guest is gone, began anew or was hit itself',
    'which guests ran ten minutes ago',
  ),
  loss(
    'memory_loss_host_low',
    'KvmHostMemoryLow',
    'hardly any memory of the host is available, and programs wait for some',
  ),
  loss(
    'memory_loss_host_stalled',
    'KvmHostMemoryPressure',
    'all tasks of the host stall on memory most of the time',
  ),
  loss(
    'memory_loss_guests_exhausted',
    'KvmGuestOutOfMemory',
    'guests that have no memory left and do nothing but page',
  ),
  loss(
    'memory_loss_guests_limited',
    'KvmGuestMemoryLimited',
    'guests that stall at the memory limit of their own cgroup',
    'how fast the counters of the cgroup of a guest go',
  ),
  {
    id: 'storage_overcommitted',
    resource: 'storage',
    meaning: 'what images may still grow per space available: the inherent risk',
    record: 'instance:kvm_storage_claimable_per_avail:max',
    threshold: defined(1, INHERENT_LEVELS.storage),
  },
  {
    id: 'storage_promise',
    resource: 'storage',
    meaning: 'worst-case size of all images per size of their filesystem',
    record: 'instance:kvm_filesystem_promised_per_size:max',
    threshold: above('storage.promised_ratio', { warning: 1, critical: 2 }),
  },
  {
    id: 'storage_pressure',
    resource: 'storage',
    meaning: 'share of time some task of the host waited for I/O (PSI)',
    record: 'instance:kvm_host_io_pressure_waiting:ratio',
    threshold: above('storage.pressure_ratio', { warning: 1, critical: 2 }),
  },
  {
    id: 'storage_pool_used',
    resource: 'storage',
    meaning: 'allocated per capacity of a libvirt storage pool whose volumes may outgrow it',
    record: 'instance:kvm_pool_allocated:max',
    threshold: above('storage.pool_used_ratio', { warning: 1, critical: 2 }),
  },
  {
    id: 'storage_fill',
    resource: 'storage',
    meaning: 'seconds until a filesystem that is filling is full',
    record: 'instance:kvm_filesystem_full_seconds:min',
    threshold: below('storage.fill_seconds', { warning: 1, critical: 2 }),
  },
  {
    id: 'storage_available',
    resource: 'storage',
    meaning: 'available per size of a filesystem whose images may still outgrow it',
    record: 'instance:kvm_filesystem_avail:min',
    threshold: below('storage.available_ratio', { warning: 1, critical: 2 }),
  },
  {
    id: 'storage_thin_data',
    resource: 'storage',
    meaning: 'used data blocks of a thin pool per all',
    record: 'instance:kvm_thin_pool_data_used:max',
    threshold: above('storage.thin_data_ratio', { warning: 1, critical: 2 }),
  },
  {
    id: 'storage_thin_metadata',
    resource: 'storage',
    meaning: 'used metadata blocks of a thin pool per all',
    record: 'instance:kvm_thin_pool_metadata_used:max',
    threshold: above('storage.thin_metadata_ratio', { warning: 2, critical: undefined }),
  },
  loss(
    'storage_loss_full_imminent',
    'KvmFilesystemFullImminent',
    'filesystems that are full within minutes: the one prediction that counts as loss, because nobody could act later',
    'minutes of history',
  ),
  loss(
    'storage_loss_full',
    'KvmFilesystemFull',
    'filesystems without space, whose images may still grow',
  ),
  loss('storage_loss_inodes', 'KvmFilesystemInodesLow', 'filesystems without a free inode'),
  loss('storage_loss_unresponsive', 'KvmFilesystemUnresponsive', 'filesystems that do not answer'),
  loss(
    'storage_loss_read_only',
    'KvmFilesystemReadOnly',
    'filesystems mounted read-only, whose images may still grow',
  ),
  loss(
    'storage_loss_paused_guests',
    'KvmGuestPausedOnIoError',
    'guests paused because a write failed, where no filesystem or thin pool is known to be the cause',
  ),
  loss('storage_loss_corrupt_images', 'KvmImageCorrupt', 'images marked corrupt'),
  loss(
    'storage_loss_thin_pools',
    'KvmThinPoolBroken',
    'thin pools that are full, in need of a check, or refuse writes',
  ),
  {
    id: 'network_promise',
    resource: 'network',
    meaning: 'bandwidth promised to guests per bandwidth of their uplink',
    record: 'instance:kvm_uplink_promised_per_speed:max',
    threshold: above('network.promised_ratio', { warning: 1, critical: undefined }),
  },
  {
    id: 'network_guarantee',
    resource: 'network',
    meaning: 'bandwidth guaranteed to guests per bandwidth of their uplink',
    record: 'instance:kvm_uplink_guaranteed_per_speed:max',
    threshold: above('network.guaranteed_ratio', { warning: 1, critical: 2 }),
  },
  {
    id: 'network_utilisation',
    resource: 'network',
    meaning: 'traffic of an uplink in its busier direction per its bandwidth',
    record: 'instance:kvm_uplink_utilisation:max',
    threshold: above('network.utilisation_ratio', { warning: 1, critical: 2 }),
  },
  {
    id: 'network_drops',
    resource: 'network',
    meaning: 'packets dropped per packets at the NIC of a running guest',
    record: 'instance:kvm_domain_nic_drops:max',
    threshold: above('network.drop_ratio', { warning: 2, critical: undefined }),
  },
  loss('network_loss_saturated', 'KvmUplinkSaturated', 'uplinks that are full and drop packets'),
  loss('network_loss_drops', 'KvmUplinkDrops', 'uplinks of guests that drop what should go out'),
  loss('network_loss_down', 'KvmUplinkDown', 'uplinks that are down, where a guest has no other'),
];

export interface RiskReason {
  readonly signal: RiskSignal;
  readonly value: number;
  /** What the value was compared with. */
  readonly limit: number;
  readonly level: RiskLevel;
}

export interface ResourceRisk {
  readonly level: RiskLevel;
  /** Every signal that is past a limit, severest first; empty at level 0. */
  readonly reasons: readonly RiskReason[];
}

/**
 * The risk of each resource: the highest level any of its signals gives. Not knowing is not level 0,
 * so it is undefined where not one signal of a resource was measured, and where none is past a limit
 * while the promise is not known.
 *
 * @param signals values in the unit of the limit they are compared with; undefined: not measured.
 * @param promised resources of which it is known what guests were promised.
 */
export function riskLevels(
  signals: ReadonlyMap<SignalId, number | undefined>,
  policy: Policy,
  promised: ReadonlySet<RiskResource>,
): Readonly<Record<RiskResource, ResourceRisk | undefined>> {
  const of = (resource: RiskResource): ResourceRisk | undefined => {
    const measured = RISK_SIGNALS.flatMap((signal) => {
      const value = signals.get(signal.id);
      return signal.resource !== resource || value === undefined ? [] : [{ signal, value }];
    });
    if (measured.length === 0) return undefined;
    const reasons = measured
      .flatMap(({ signal, value }) => toReason(signal, value, policy) ?? [])
      .sort((one, other) => other.level - one.level);
    if (reasons.length === 0 && !promised.has(resource)) return undefined;
    return { level: reasons[0]?.level ?? 0, reasons };
  };
  return { cpu: of('cpu'), memory: of('memory'), storage: of('storage'), network: of('network') };
}

function toReason(signal: RiskSignal, value: number, policy: Policy): RiskReason | undefined {
  const { threshold } = signal;
  if (threshold.kind === 'loss') {
    return value > 0 ? { signal, value, limit: 0, level: 3 } : undefined;
  }
  if (threshold.kind === 'definition') {
    const { above: limit, level } = threshold;
    return value > limit ? { signal, value, limit, level } : undefined;
  }
  const declared = findLimit(policy, threshold.key);
  // The critical limit first: it gives the higher level.
  for (const severity of ['critical', 'warning'] as const) {
    const limit = declared[severity];
    const level = threshold[severity];
    if (limit === undefined || level === undefined) continue;
    const passed = threshold.bad === 'above' ? value > limit : value < limit;
    if (passed) return { signal, value, limit, level };
  }
  return undefined;
}

function resourceOf(id: SignalId): RiskResource {
  const found = RISK_RESOURCES.find((resource) => id.startsWith(`${resource}_`));
  if (found === undefined) throw new RangeError(`a signal of no resource: ${id}`);
  return found;
}

function limit(key: LimitKey, bad: LimitDeclaration['bad'], levels: Levels): PolicyThreshold {
  return { kind: 'policy', key, bad, ...levels };
}
