import { toLimitInForce } from '../../config/policy.ts';
import { LIMITS, type LimitDeclaration } from '../../config/policy-defaults.ts';
import { labelText } from '../../exposition/labels.ts';
import { gauge, info, type Metric } from '../metric.ts';

/** The policy in force: what alert rules compare with. */
export const policyMetrics: readonly Metric[] = [
  ...LIMITS.map(limitMetric),
  gauge(
    'kvm_policy_reserve_memory_bytes',
    'Memory kept for the host itself (reserves.memory of the policy).',
    {},
    ({ policy }, sample) => {
      sample('', policy.policy.reserves.memoryBytes);
    },
  ),
  gauge(
    'kvm_policy_reserve_cpus',
    'CPUs kept for the host itself (reserves.cpus of the policy).',
    {},
    ({ policy }, sample) => {
      sample('', policy.policy.reserves.cpus);
    },
  ),
  gauge(
    'kvm_policy_reserve_storage_bytes',
    'Space kept free on every filesystem that holds images (reserves.storage of the policy).',
    { note: 'Absent when the policy gives a share instead.' },
    ({ policy }, sample) => {
      const { storage } = policy.policy.reserves;
      if ('bytes' in storage) sample('', storage.bytes);
    },
  ),
  gauge(
    'kvm_policy_reserve_storage_ratio',
    'Share of every filesystem that holds images that is kept free (reserves.storage of the ' +
      'policy).',
    { note: 'Absent when the policy gives an amount instead.' },
    ({ policy }, sample) => {
      const { storage } = policy.policy.reserves;
      if ('ratio' in storage) sample('', storage.ratio);
    },
  ),
  gauge(
    'kvm_policy_supply_zfs_arc',
    'Whether the part of the ZFS cache that can be given up counts as supply ' +
      '(supply.zfs_arc of the policy).',
    {},
    ({ policy }, sample) => {
      sample('', policy.policy.supply.zfsArc ? 1 : 0);
    },
  ),
  gauge(
    'kvm_policy_maintenance_remaining_seconds',
    'Time for which this host is still being worked on, so that its alerts are muted (maintenance of ' +
      'the policy, counted from the writing of its file).',
    { note: '0 while it is not.' },
    ({ policy }, sample) => {
      sample('', policy.maintenanceRemainingSeconds);
    },
  ),
  gauge(
    'kvm_policy_cpu_set_cpus',
    'CPUs set aside for guests, by set (cpu_shared_set and cpu_dedicated_set of nova.conf).',
    {
      note: 'With --policy.from. All other CPUs count as kept for the host.',
      labels: ['set'],
    },
    ({ policy }, sample) => {
      sample('{set="shared"}', policy.policy.cpuSets?.shared?.length);
      sample('{set="dedicated"}', policy.policy.cpuSets?.dedicated?.length);
    },
  ),
  info(
    'kvm_policy_source_info',
    'Where a limit, reserve or selection of the policy came from that is not built in ' +
      '(--policy.file, --policy.from).',
    {
      note:
        'origin is policy_file, which wins, or nova. What nova.conf allows is what its scheduler ' +
        'starts from: placement may have other ratios.',
      labels: ['key', 'origin', 'file'],
    },
    ({ policy }, sample) => {
      for (const { key, origin, file } of policy.policy.origins ?? []) {
        sample(labelText(['key', 'origin', 'file'], [key, origin, file]), 1);
      }
    },
  ),
  gauge(
    'kvm_policy_last_reload_successful',
    'Whether the policy file was valid when it was last read; if not, the policy before it ' +
      'stays in force.',
    {},
    ({ policy }, sample) => {
      sample('', policy.lastReadOk ? 1 : 0);
    },
  ),
  gauge(
    'kvm_policy_last_reload_success_timestamp_seconds',
    'Unix time at which the policy in force was read.',
    {},
    ({ policy }, sample) => {
      sample('', policy.loadedAtSeconds);
    },
  ),
];

function limitMetric(declared: LimitDeclaration): Metric {
  const { resource, name, bad, meaning } = declared;
  return gauge(
    `kvm_policy_${resource}_${name}`,
    `${meaning.replace(/\.$/, '')}: limit ${bad} which alerts fire; docs/policy.md has the default ` +
      'and its source.',
    { labels: ['severity'] },
    ({ policy }, sample) => {
      const limit = toLimitInForce(policy.policy, declared);
      sample('{severity="warning"}', limit.warning);
      sample('{severity="critical"}', limit.critical);
    },
  );
}
