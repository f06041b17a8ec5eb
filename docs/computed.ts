/**
 * Metrics of other exporters that no family here says by itself, but an expression does: what is used
 * where ours is free, a share where ours are its parts, a rate where ours is a counter, 1 for bad where
 * ours is 1 for good.
 */
export interface Computed {
  readonly peers: readonly string[];
  /** PromQL. */
  readonly expr: string;
}

export const COMPUTED: readonly Computed[] = [
  {
    peers: ['opennebula_datastore_used_bytes', 'proxmox_node_storage_used_bytes'],
    expr: 'kvm_filesystem_size_bytes - kvm_filesystem_free_bytes',
  },
  {
    // Nova takes off what flavors were promised, not what is on the disk.
    peers: ['openstack_nova_free_disk_bytes'],
    expr: 'kvm_filesystem_size_bytes - kvm_filesystem_promised_bytes',
  },
  {
    peers: ['pve_node_swap_used_bytes'],
    expr: 'kvm_host_swap_size_bytes - kvm_host_swap_free_bytes',
  },
  {
    peers: ['libvirt_domain_memory_stats_used_percent'],
    expr:
      '100 * (1 - kvm_domain_guest_memory_available_bytes / ' +
      'kvm_domain_guest_memory_size_bytes)',
  },
  {
    // Proxmox VE takes what the guest's kernel has free off what it has.
    peers: ['pve_memory_usage_bytes', 'pve_vm_memory_used_bytes'],
    expr: 'kvm_domain_guest_memory_size_bytes - kvm_domain_guest_memory_free_bytes',
  },
  {
    peers: ['pve_kvm_memory_percent'],
    expr:
      '100 * sum by (job, instance, domain) (kvm_domain_resident_bytes) / ' +
      'on (job, instance) group_left kvm_host_memory_size_bytes',
  },
  {
    peers: ['pve_cpu_usage_ratio'],
    expr:
      'sum by (job, instance, domain) (rate(kvm_domain_cpu_seconds_total[5m])) / ' +
      'on (job, instance, domain) kvm_domain_vcpus',
  },
  { peers: ['pve_uptime_seconds'], expr: 'kvm_domain_age_seconds' },
  ...(['cpu', 'memory', 'io'] as const).flatMap((resource) => [
    {
      peers: [`pve_vm_pressure_${resource}_some`],
      expr: `rate(kvm_domain_pressure_waiting_seconds_total{resource="${resource}"}[5m])`,
    },
    {
      peers: [`pve_vm_pressure_${resource}_full`],
      expr: `rate(kvm_domain_pressure_stalled_seconds_total{resource="${resource}"}[5m])`,
    },
  ]),
  { peers: ['libvirt_domain_timed_out'], expr: 'kvm_domain_monitor_responsive == bool 0' },
  { peers: ['libvirt_storage_pool_timed_out'], expr: 'kvm_pool_responsive == bool 0' },
  { peers: ['libvirt_scrape_error'], expr: 'kvm_scrape_collector_success == bool 0' },
  { peers: ['proxmox_node_up'], expr: 'up' },
];
