/** Metrics of other exporters that concern guests or their host and have no equal here, and why. */
export interface NotCovered {
  readonly peers: readonly string[];
  readonly what: string;
  readonly why: string;
}

export const NOT_COVERED: readonly NotCovered[] = [
  {
    peers: [
      'kubevirt_vmi_guest_load_1m',
      'kubevirt_vmi_guest_load_5m',
      'kubevirt_vmi_guest_load_15m',
      'vmi:kubevirt_vmi_guest_queue_length:sum',
      'libvirt_cpu_load1',
      'libvirt_cpu_load5',
      'libvirt_cpu_load15',
      'libvirt_cpu_qga_system_time',
      'libvirt_cpu_qga_user_time',
      'libvirt_cpu_qga_cpu_time',
      'libvirt_cpu_qga_steal_time',
      'libvirt_cpu_qga_iowait',
    ],
    what: 'Load and CPU times as the guest sees them',
    why:
      'Needs the QEMU guest agent, which the read-only socket of libvirt does not reach. Steal is ' +
      'seen from the host: kvm_domain_vcpu_delay_seconds_total.',
  },
  {
    peers: [
      'kubevirt_vmi_filesystem_capacity_bytes',
      'kubevirt_vmi_filesystem_used_bytes',
      'libvirt_disk_size_bytes',
      'libvirt_disk_avail_bytes',
    ],
    what: 'Filesystems inside the guest',
    why: 'Needs the QEMU guest agent.',
  },
  {
    peers: ['libvirt_domain_vcpu_cpu'],
    what: 'CPU a vCPU was last seen on',
    why:
      'Changes many times a second, so a sample every 15 s says nothing. Where it may run is ' +
      'kvm_domain_cpu_allowed_cpus.',
  },
  {
    peers: [
      'libvirt_domain_vcpu_state',
      'libvirtd_domain_vcpu_state',
      'opennebula_libvirt_vcpu_state',
    ],
    what: 'Whether a vCPU is offline, running or blocked at this moment',
    why:
      'Changes many times a second. How many there are is kvm_domain_vcpus, how long each ran ' +
      'and waited kvm_domain_vcpu_seconds_total and kvm_domain_vcpu_delay_seconds_total.',
  },
  {
    peers: ['libvirtd_domain_seconds'],
    what: 'Time since an instance was made in Nova',
    why:
      'Says nothing about over-commitment. When its QEMU process started is ' +
      'kvm_domain_start_time_seconds.',
  },
  {
    peers: ['vcpu.<n>.halted of telegraf and PCP'],
    what: 'Whether a vCPU is halted',
    why: 'Needs the monitor for each vCPU; its CPU time tells the same.',
  },
  {
    peers: ['cpu.cache.monitor.* of telegraf', 'perf.cmt'],
    what: 'L3 cache of a guest',
    why:
      'Linux 4.14 took the perf event away. The resctrl monitor that replaced it is rarely set ' +
      'up and says nothing about over-commitment.',
  },
  {
    peers: ['kubevirt_vmi_dirty_rate_bytes_per_second', 'dirtyrate.* of telegraf'],
    what: 'Rate at which a guest dirties its memory',
    why: 'Somebody has to start the measurement, which takes a connection that may change guests.',
  },
  {
    peers: ['kvm_stat_<name>_count', 'kvm_stat_vcpu_<name>_count'],
    what: 'Counters of KVM for each guest',
    why:
      'They lie in debugfs, which is root only and no stable interface; many are gone in each ' +
      'kernel release.',
  },
  {
    peers: ['block.<n>.errors of telegraf', 'disk_errors of collectd and the Ruby exporter'],
    what: 'Disk errors',
    why:
      'The QEMU driver of libvirt does not report block.<n>.errors, and virDomainGetDiskErrors ' +
      'asks the monitor once more. See kvm_domain_state{reason="ioerror"}.',
  },
  {
    peers: [
      'libvirt_domain_block_stats_limit_burst_total_bytes_length_seconds',
      'libvirt_domain_block_stats_limit_burst_read_bytes_length_seconds',
      'libvirt_domain_block_stats_limit_burst_write_bytes_length_seconds',
      'libvirt_domain_block_stats_limit_burst_length_total_requests_seconds',
      'libvirt_domain_block_stats_limit_burst_length_read_requests_seconds',
      'libvirt_domain_block_stats_limit_burst_length_write_requests_seconds',
      'libvirt_domain_block_stats_size_iops_bytes',
    ],
    what: 'How long a burst of a disk may last, and the size from which a request counts twice',
    why: 'Details of a limit that no rule could use; the limits themselves are there.',
  },
  {
    peers: ['backingIndex and per-layer statistics of telegraf and PCP'],
    what: 'Traffic of each layer of a backing chain',
    why:
      'Makes libvirt ask for each layer. The chain itself is kvm_domain_disk_image_info and ' +
      'kvm_image_*.',
  },
  {
    peers: [
      'pve_kvm_io_read_count_total',
      'pve_kvm_io_write_count_total',
      'pve_kvm_io_read_chars_total',
      'pve_kvm_io_write_chars_total',
    ],
    what: 'System calls of the QEMU process',
    why:
      'They count files and sockets of QEMU itself too, and miss io_uring and vhost. Requests of the ' +
      'guest are kvm_domain_disk_read_requests_total and kvm_domain_disk_write_requests_total.',
  },
  {
    peers: ['ceems_compute_unit_cpus', 'CPU perf counters of CEEMS'],
    what: 'perf counters taken by the exporter itself',
    why: 'Needs CAP_PERFMON. Events that libvirt counts are kvm_domain_perf_events_total.',
  },
  {
    peers: ['CE eBPF ingress and egress bytes and packets'],
    what: 'Traffic by protocol',
    why: 'Needs to load eBPF programs. Traffic of NICs is kvm_domain_nic_*.',
  },
  {
    peers: ['kubevirt_vmi_network_traffic_bytes_total'],
    what: 'Bytes sent and received in one counter',
    why: 'Deprecated there; add kvm_domain_nic_receive_bytes_total and the one for transmit.',
  },
  {
    peers: ['pve_kvm_nic_<statistic>_total'],
    what: 'All 24 statistics of a tap',
    why: 'Bytes, packets, errors and drops are there; the others stay 0 on a tap.',
  },
  {
    peers: [
      'kubevirt_vmi_migration_dirty_memory_rate_bytes',
      'kubevirt_vmi_migration_memory_transfer_rate_bytes',
      'kubevirt_vmi_migration_failed',
      'kubevirt_vmi_migration_succeeded',
      'kubevirt_vmi_migration_start_time_seconds',
      'kubevirt_vmi_migration_end_time_seconds',
      'kubevirt_vmi_migrations_in_running_phase',
    ],
    what: 'Rates and outcome of a migration',
    why:
      'Rates are rate() of kvm_domain_job_data_processed_bytes; the outcome is known to what ' +
      'started it (KubeVirt, Nova), not to libvirt on this host.',
  },
  {
    peers: [
      'kubevirt_vmi_launcher_memory_overhead_bytes',
      'kubevirt_vm_container_memory_request_margin_based_on_rss_bytes',
      'kubevirt_vm_container_memory_request_margin_based_on_working_set_bytes',
      'kubevirt_vmi_non_evictable',
      'kubevirt_vmi_status_addresses',
      'kubevirt_vmi_gpu_info',
      'kubevirt_vm_labels',
      'kubevirt_vm_resource_limits',
      'kubevirt_vm_resource_requests',
      'kubevirt_* about the control plane',
    ],
    what: 'Objects of Kubernetes',
    why: 'Needs the API of Kubernetes; nothing of it is on the host.',
  },
  {
    peers: ['kubevirt_vmi_guest_os_panic_total'],
    what: 'Panics of guest operating systems',
    why: 'An event, not a state. A guest that stopped because of one is kvm_domain_state{state="crashed"}.',
  },
  {
    peers: [
      'opennebula_vm_*',
      'opennebula_host_cpu_usage_ratio',
      'opennebula_host_mem_usage_bytes',
      'opennebula_host_state',
      'openstack_placement_resource_*',
      'cloudstack_*',
      'proxmox_cluster_*',
      'proxmox_guest_snapshot_age_seconds',
      'proxmox_node_disk_smart_status',
      'proxmox_node_days_until_cert_expiration',
      'pve_ha_state',
      'pve_lock_state',
      'pve_replication_*',
      'pve_not_backed_up_*',
      'pve_subscription_*',
      'pve_qdevice_*',
      'pve_cluster_info',
      'pve_node_info',
      'pve_storage_info',
      'pve_storage_shared',
    ],
    what: 'Objects of a cloud or cluster manager',
    why: 'Needs the API or the database of that manager, and is not about this host alone.',
  },
  {
    peers: [
      'nova_instance_boot',
      'nova_instance_console',
      'nova_instance_cpu_topology',
      'nova_instance_features',
      'nova_instance_graphics',
      'nova_instance_input_devices',
      'nova_instance_ip',
      'nova_instance_pci_device',
      'nova_instance_power_management',
      'nova_instance_rng',
      'nova_instance_sysinfo',
      'nova_instance_video',
    ],
    what: 'Further parts of the XML as labels',
    why: 'Inventory that has nothing to do with over-commitment and would cost a series each.',
  },
  {
    peers: [
      'libvirt_networks_total',
      'libvirt_networks_active',
      'libvirt_networks_inactive',
      'libvirt_interfaces_total',
      'libvirt_interfaces_active',
      'libvirt_interfaces_inactive',
      'hv.secrets, hv.nwfilters and hv.devices of PCP',
    ],
    what: 'Counts of other objects of libvirt',
    why: 'Inventory that has nothing to do with what guests take.',
  },
  {
    peers: ['libvirt_virtual_cpus'],
    what: 'Most vCPUs the hypervisor allows one guest',
    why: 'A constant of QEMU (virConnectGetMaxVcpus), not a size of the host.',
  },
  {
    peers: ['node_pressure_irq_stalled_seconds_total'],
    what: 'Time lost to interrupts',
    why: 'Says nothing about guests; node_exporter has it.',
  },
];
