import { limit } from './limit.ts';
import { promql, type RecordingRule, type Subject } from './rule.ts';

const SEVERITIES = ['warning', 'critical'] as const;
type Severity = (typeof SEVERITIES)[number];

/** The same for each severity of a limit. */
function untilLimit(record: string, exprOf: (severity: Severity) => string): RecordingRule[] {
  return SEVERITIES.map((severity) => ({ record, expr: exprOf(severity), labels: { severity } }));
}

/**
 * How much more could be promised until the policy's limits are met; negative when a limit is behind,
 * absent where the policy sets none. And whether each guest got the CPU it wanted, so that a day or a
 * week of it is one average.
 */
export const capacity: Subject = {
  name: 'capacity',
  recording: [
    ...untilLimit(
      'instance:kvm_cpu_headroom:vcpus',
      (severity) => promql`
        kvm_cpu_capacity_cpus
          * on (cluster, job, instance) group_left () ${limit('cpu.promised_ratio', severity)}
        - on (cluster, job, instance) kvm_cpu_promised_vcpus
      `,
    ),
    ...untilLimit(
      'instance:kvm_memory_headroom:bytes',
      (severity) => promql`
        kvm_memory_capacity_bytes
          * on (cluster, job, instance) group_left () ${limit('memory.promised_ratio', severity)}
        - on (cluster, job, instance) instance:kvm_memory_promised_bytes:sum
      `,
    ),
    ...untilLimit(
      'instance_mountpoint:kvm_storage_headroom:bytes',
      (severity) => promql`
        kvm_filesystem_size_bytes
          * on (cluster, job, instance) group_left () ${limit('storage.promised_ratio', severity)}
        - on (cluster, job, instance, mountpoint) kvm_filesystem_promised_bytes
      `,
    ),
    ...untilLimit(
      'instance_device:kvm_network_headroom_bytes_per_second:min',
      (severity) => promql`
        # The direction that is promised more often.
        kvm_uplink_speed_bytes_per_second
          * on (cluster, job, instance) group_left () ${limit('network.promised_ratio', severity)}
        - on (cluster, job, instance, device)
          max without (direction) (kvm_uplink_promised_bytes_per_second)
      `,
    ),
    {
      record: 'instance_domain:kvm_domain_vcpu_delay_kept:bool',
      expr: promql`
        # 1 while its worst vCPU waits no longer than the policy allows.
        instance_domain:kvm_domain_vcpu_delay:ratio
        <= bool on (cluster, job, instance) group_left ()
        ${limit('cpu.delay_ratio', 'warning')}
      `,
    },
  ],
  alerts: [],
};
