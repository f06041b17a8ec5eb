import {
  PROMISE_SERIES,
  RISK_RESOURCES,
  RISK_SIGNALS,
  type Loss,
  type PolicyThreshold,
  type RiskResource,
  type RiskSignal,
} from '../../src/risk/risk-model.ts';
import { cpu } from './cpu.ts';
import { guestMemory } from './guest-memory.ts';
import { limit, within } from './limit.ts';
import { memory } from './memory.ts';
import { network } from './network.ts';
import { indented, promql, type RecordingRule, type Subject } from './rule.ts';
import { filesystems, images } from './storage.ts';

/** The worst filesystem, pool, uplink or NIC of a host, which stands for the host in its risk. */
const WORST: readonly RecordingRule[] = [
  {
    record: 'instance:kvm_host_memory_available_below_claims:ratio',
    expr: promql`
      # Where guests hold all they were promised, little is left because little was meant to be left.
      instance:kvm_host_memory_available:ratio
      unless on (cluster, job, instance) instance:kvm_memory_exposure_per_supply:ratio <= 1
    `,
  },
  {
    record: 'instance:kvm_host_swap_used_below_claims:ratio',
    expr: promql`
      # Swap full of pages nobody wants back is swap well used, as long as it is not needed for claims.
      instance:kvm_host_swap_used:ratio
      unless on (cluster, job, instance) instance:kvm_memory_exposure_per_supply:ratio <= 1
    `,
  },
  {
    record: 'instance:kvm_host_swap_storm_felt_bytes:rate5m',
    expr: promql`
      # Traffic nobody waits for, of zram for instance, is no storm.
      instance:kvm_host_swap_storm_bytes:rate5m
      unless on (cluster, job, instance) (
        instance:kvm_host_memory_pressure_waiting:ratio
        ${within('memory.pressure_ratio', 'warning')}
      )
    `,
  },
  {
    record: 'instance:kvm_filesystem_promised_per_size:max',
    expr: 'max without (mountpoint) (instance_mountpoint:kvm_filesystem_promised_per_size:ratio)',
  },
  {
    record: 'instance:kvm_storage_claimable_per_avail:max',
    expr: promql`
      max without (mountpoint, vg, pool) (
        instance_mountpoint:kvm_filesystem_claimable_per_avail:ratio
        or
        instance_pool:kvm_thin_pool_claimable_per_avail:ratio
      )
    `,
  },
  {
    record: 'instance:kvm_filesystem_full_seconds:min',
    expr: promql`
      min without (mountpoint) (
        instance_mountpoint:kvm_filesystem_full_seconds:deriv6h
        and on (cluster, job, instance, mountpoint) (
          instance_mountpoint:kvm_filesystem_avail:ratio
          < on (cluster, job, instance) group_left () ${limit('storage.fill_available_ratio', 'warning')}
        )
      )
    `,
  },
  {
    record: 'instance:kvm_filesystem_avail:min',
    expr: promql`
      min without (mountpoint) (
        instance_mountpoint:kvm_filesystem_avail:ratio
        and on (cluster, job, instance, mountpoint)
        kvm_filesystem_claimable_bytes > kvm_filesystem_avail_bytes
      )
    `,
  },
  {
    record: 'instance:kvm_pool_allocated:max',
    expr: 'max without (pool) (instance_pool:kvm_pool_allocated_that_grows:ratio)',
  },
  {
    record: 'instance:kvm_thin_pool_data_used:max',
    expr: 'max without (vg, pool) (instance_pool:kvm_thin_pool_data_used:ratio)',
  },
  {
    record: 'instance:kvm_thin_pool_metadata_used:max',
    expr: 'max without (vg, pool) (instance_pool:kvm_thin_pool_metadata_used:ratio)',
  },
  {
    record: 'instance:kvm_uplink_promised_per_speed:max',
    expr: promql`
      max without (device, direction) (
        instance_device_direction:kvm_uplink_promised_per_speed:ratio
      )
    `,
  },
  {
    record: 'instance:kvm_uplink_guaranteed_per_speed:max',
    expr: 'max without (device) (instance_device:kvm_uplink_guaranteed_per_speed:ratio)',
  },
  {
    record: 'instance:kvm_uplink_utilisation:max',
    expr: 'max without (device) (instance_device:kvm_uplink_utilisation:ratio)',
  },
  {
    record: 'instance:kvm_domain_nic_drops:max',
    expr: 'max without (domain, device) (instance_domain_device:kvm_domain_nic_drops:ratio)',
  },
];

const ALERTS = [cpu, memory, guestMemory, filesystems, images, network].flatMap(
  ({ alerts }) => alerts,
);

/** Labels that tell the results of a critical alert on one host apart. */
const PER: Readonly<Record<Loss['alert'], readonly string[]>> = {
  KvmGuestCpuStarved: ['domain'],
  KvmGuestOutOfMemory: ['domain'],
  KvmGuestMemoryLimited: ['domain'],
  KvmFilesystemFullImminent: ['mountpoint'],
  KvmFilesystemFull: ['mountpoint'],
  KvmFilesystemInodesLow: ['mountpoint'],
  KvmFilesystemUnresponsive: ['mountpoint'],
  KvmFilesystemReadOnly: ['mountpoint'],
  KvmGuestPausedOnIoError: ['domain', 'state', 'reason'],
  KvmImageCorrupt: ['path'],
  KvmThinPoolBroken: ['vg', 'pool', 'state'],
  KvmUplinkSaturated: ['device'],
  KvmUplinkDrops: ['device'],
  KvmUplinkDown: ['device'],
};

/** Each critical alert of a resource, as a number of the host: its very expression, without `for`. */
const LOSSES: readonly RecordingRule[] = RISK_SIGNALS.flatMap(({ record, threshold }) => {
  if (threshold.kind !== 'loss') return [];
  const alert = ALERTS.find(({ name }) => name === threshold.alert);
  if (alert === undefined) throw new RangeError(`no such alert: ${threshold.alert}`);
  const lost = indented(alert.expr('critical'));
  const labels = PER[threshold.alert] ?? [];
  return [{ record, expr: `count without (${labels.join(', ')}) (\n${lost}\n)` }];
});

/** From the table of src/risk/risk-model.ts; nothing about risk is decided here. */
export const riskSubjects: readonly Subject[] = [
  { name: 'worst', recording: WORST, alerts: [] },
  { name: 'loss', recording: LOSSES, alerts: [] },
  ...RISK_RESOURCES.map((resource): Subject => ({
    name: `risk-${resource}`,
    recording: [...signalsOf(resource).map(signalRule), resourceRule(resource)],
    alerts: [],
  })),
];

function signalsOf(resource: RiskResource): readonly RiskSignal[] {
  return RISK_SIGNALS.filter((signal) => signal.resource === resource);
}

function signalRule({ id, resource, record, threshold }: RiskSignal): RecordingRule {
  return {
    record: 'instance_signal:kvm_risk:level',
    labels: { resource, signal: id },
    expr: levelOf(record, threshold),
  };
}

function levelOf(record: string, threshold: RiskSignal['threshold']): string {
  switch (threshold.kind) {
    case 'loss':
      return levelOfLoss(record);
    case 'definition':
      return `${threshold.level} * (${record} > bool ${threshold.above})`;
    case 'policy':
      return levelOfLimits(record, threshold);
  }
}

/** A loss is counted only where there is one: whatever the number, it is level 3. */
export function levelOfLoss(record: string): string {
  return `group without () (${record}) * 3`;
}

/**
 * The higher of the levels of the two limits. The last arm is for a host whose policy sets neither:
 * measured and past no limit is 0, also when the value is infinite or no number.
 */
function levelOfLimits(record: string, threshold: PolicyThreshold): string {
  const operator = threshold.bad === 'above' ? '>' : '<';
  const arms = (['warning', 'critical'] as const).flatMap((severity) => {
    const level = threshold[severity];
    if (level === undefined) return [];
    const published = limit(threshold.key, severity);
    return [
      promql`
        ${String(level)} * (
          ${record}
          ${operator} bool on (cluster, job, instance) group_left (severity) ${published}
        )
      `,
    ];
  });
  const all = [...arms, `${record} > bool +Inf`].join('\nor\n');
  return `max without (severity) (\n${indented(all)}\n)`;
}

function resourceRule(resource: RiskResource): RecordingRule {
  const levels = `instance_signal:kvm_risk:level{resource="${resource}"}`;
  return {
    record: 'instance_resource:kvm_risk:level',
    labels: { resource },
    expr: promql`
      max without (signal, resource) (
        ${levels} > 0
        or
        # Level 0 takes a known promise: a quiet host whose libvirt is down only looks safe.
        ${levels}
        and on (cluster, job, instance) ${PROMISE_SERIES[resource]}
      )
    `,
  };
}
