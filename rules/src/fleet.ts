import { promql, type Subject } from './rule.ts';

/**
 * All hosts together. `by (cluster)` gives one series per cluster where Prometheus adds that label,
 * and one for everything where it does not. Numerators and denominators are added up separately: a
 * mean of ratios would let an empty host hide a full one. They read nothing finer than a host, so that
 * little need be sent to where all hosts are known. `on (cluster)` looks needless, but MetricsQL takes
 * the one series without a label, of hosts without a cluster, for a number that goes with all others.
 */
export const fleet: Subject = {
  name: 'fleet',
  recording: [
    {
      record: 'cluster:kvm_cpu_promised_per_capacity:ratio',
      expr: promql`
        sum by (cluster) (kvm_cpu_promised_vcpus)
        / on (cluster)
        (sum by (cluster) (kvm_cpu_capacity_cpus) > 0)
      `,
    },
    {
      record: 'cluster:kvm_domain_vcpu_delay:ratio',
      expr: promql`
        sum by (cluster) (instance:kvm_domain_vcpu_delay_seconds:rate5m)
        / on (cluster)
        sum by (cluster) (instance:kvm_domain_vcpu_delay_seconds:count)
      `,
    },
    {
      record: 'cluster:kvm_memory_promised_per_capacity:ratio',
      expr: promql`
        sum by (cluster) (instance:kvm_memory_promised_bytes:sum)
        / on (cluster)
        (sum by (cluster) (kvm_memory_capacity_bytes) > 0)
      `,
    },
    {
      record: 'cluster:kvm_memory_promised_per_capacity_without_largest_host:ratio',
      expr: promql`
        # The same after the loss of the largest host: the capacity left to evacuate to.
        sum by (cluster) (instance:kvm_memory_promised_bytes:sum)
        / on (cluster)
        (
            sum by (cluster) (kvm_memory_capacity_bytes)
          - on (cluster) max by (cluster) (kvm_memory_capacity_bytes)
          > 0
        )
      `,
    },
    {
      record: 'cluster:kvm_memory_exposure_per_supply:ratio',
      expr: promql`
        sum by (cluster) (kvm_memory_exposure_bytes)
        / on (cluster)
        (sum by (cluster) (kvm_memory_supply_bytes) > 0)
      `,
    },
    {
      record: 'cluster:kvm_ksm_saved_bytes:sum',
      expr: 'sum by (cluster) (kvm_ksm_saved_bytes)',
    },
    {
      record: 'cluster:kvm_host_swap_storm_bytes:sum_rate5m',
      expr: 'sum by (cluster) (instance:kvm_host_swap_storm_bytes:rate5m)',
    },
    {
      record: 'cluster:kvm_storage_shortfall_bytes:sum',
      expr: 'sum by (cluster) (kvm_storage_shortfall_bytes)',
    },
    {
      record: 'cluster:kvm_storage_promised_per_allocated:ratio',
      expr: promql`
        # How thin the images are: what they may become per what they are.
        sum by (cluster) (kvm_storage_promised_bytes)
        / on (cluster)
        (sum by (cluster) (kvm_storage_allocated_bytes) > 0)
      `,
    },
    {
      record: 'cluster:kvm_domains:sum',
      expr: 'sum by (cluster, state) (kvm_domains)',
    },
    {
      record: 'cluster_resource:kvm_risk_level:max',
      expr: 'max by (cluster, resource) (instance_resource:kvm_risk:level)',
    },
    {
      record: 'cluster_resource_level:kvm_risk_hosts:count',
      expr: 'count_values by (cluster, resource) ("level", instance_resource:kvm_risk:level)',
    },
  ],
  alerts: [],
};
