import {
  RISK_RESOURCES,
  RISK_SIGNALS,
  type RiskResource,
  type RiskSignal,
} from '../../src/overcommit/risk-model.ts';
import { limit } from './limit.ts';
import { promql, type RecordingRule, type Subject } from './rule.ts';

/** The worst filesystem, pool, uplink or NIC of a host, which stands for the host in its risk. */
const WORST: readonly RecordingRule[] = [
  {
    record: 'instance:kvm_filesystem_promised_per_size:max',
    expr: 'max without (mountpoint) (instance_mountpoint:kvm_filesystem_promised_per_size:ratio)',
  },
  {
    record: 'instance:kvm_storage_unfunded_per_avail:max',
    expr: promql`
      max without (mountpoint, vg, pool) (
        instance_mountpoint:kvm_filesystem_unfunded_per_avail:ratio
        or
        instance_pool:kvm_thin_pool_unfunded_per_avail:ratio
      )
    `,
  },
  {
    record: 'instance:kvm_filesystem_full_seconds:min',
    expr: promql`
      min without (mountpoint) (
        instance_mountpoint:kvm_filesystem_full_seconds:deriv6h
        and on (job, instance, mountpoint) (
          instance_mountpoint:kvm_filesystem_avail:ratio
          < on (job, instance) group_left () ${limit('storage.fill_available_ratio', 'warning')}
        )
      )
    `,
  },
  {
    record: 'instance:kvm_filesystem_avail:min',
    expr: promql`
      min without (mountpoint) (
        instance_mountpoint:kvm_filesystem_avail:ratio
        and on (job, instance, mountpoint)
        kvm_filesystem_unfunded_bytes > kvm_filesystem_avail_bytes
      )
    `,
  },
  {
    record: 'instance:kvm_pool_allocated:max',
    expr: 'max without (pool) (instance_pool:kvm_pool_allocated:ratio)',
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

/** From the table of src/overcommit/risk-model.ts; nothing about risk is decided here. */
export const riskSubjects: readonly Subject[] = [
  { name: 'worst', recording: WORST, alerts: [] },
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
    expr: [...armsOf(record, threshold), unreached(record)].join('\nor\n'),
  };
}

function armsOf(record: string, threshold: RiskSignal['threshold']): readonly string[] {
  if (threshold.kind === 'definition') {
    return [`${threshold.level} * (${record} > bool ${threshold.above}) > 0`];
  }
  const operator = threshold.bad === 'above' ? '>' : '<';
  return (['critical', 'warning'] as const).flatMap((severity) => {
    const level = threshold[severity];
    if (level === undefined) return [];
    const published = limit(`${threshold.resource}.${threshold.name}`, severity);
    return [
      promql`
        ${String(level)} * (
          ${record}
          ${operator} bool on (job, instance) group_left () ${published}
        ) > 0
      `,
    ];
  });
}

/** Measured and past no limit, or there is none: 0. Comparing gives 0 for infinity and NaN too. */
function unreached(record: string): string {
  return `${record} > bool +Inf`;
}

function resourceRule(resource: RiskResource): RecordingRule {
  return {
    record: 'instance_resource:kvm_risk:level',
    labels: { resource },
    expr: `max without (signal, resource) (instance_signal:kvm_risk:level{resource="${resource}"})`,
  };
}
