/**
 * Panels that may be empty, each with a query that has a result only if the host has nothing of that
 * kind. `$host` and `$guest` stand for the matchers of what is shown, `$range` for how long.
 */
export const NOTHING_TO_SHOW: ReadonlyMap<string, string> = new Map([
  [
    'kvm-fleet / Collectors that fail',
    'sum(min_over_time(kvm_scrape_collector_success{$host}[$range]) == bool 0) == 0',
  ],
  // What does not fall is never used up.
  [
    'kvm-capacity / When it will be used up',
    'min(deriv(instance:kvm_memory_headroom:bytes[7d]) or deriv(instance_mountpoint:kvm_storage_headroom:bytes[7d])) >= 0',
  ],
  [
    'kvm-host / Fairness among guests that wait',
    'max(max_over_time(instance_domain:kvm_domain_vcpu_delay:ratio{$host}[$range])) < 0.05',
  ],
  [
    'kvm-memory / Huge page pools',
    'absent_over_time(kvm_host_hugepages_size_bytes{$host}[$range])',
  ],
  ['kvm-memory / zswap traffic per second', 'max(kvm_host_zswap_enabled{$host}) == 0'],
  [
    'kvm-memory / Compaction per second',
    'absent_over_time(kvm_host_compaction_stalls_total{$host}[$range])',
  ],
  [
    'kvm-memory / Faults taken for NUMA balancing per second',
    'count(kvm_host_numa_memory_size_bytes{$host}) == 1',
  ],
  [
    'kvm-memory / How hard it is to free memory',
    'sum(increase(kvm_host_reclaim_scanned_bytes_total{$host}[$range])) == 0',
  ],
  [
    'kvm-memory / Swap there is for the over-commitment',
    'max(max_over_time(instance:kvm_memory_promised_per_capacity:ratio{$host}[$range])) <= 1',
  ],
  [
    'kvm-memory / Guests with least memory available',
    'min(kvm_domain_balloon_stats_age_seconds{$host} / kvm_domain_balloon_stats_period_seconds{$host}) > 3',
  ],
  [
    'kvm-guest / Available inside',
    // Statistics older than three of their periods say nothing of now.
    'max(kvm_domain_balloon_stats_age_seconds{$host, $guest} / kvm_domain_balloon_stats_period_seconds{$host, $guest}) > 3',
  ],
  [
    'kvm-guest / Stopped by its quota',
    'absent_over_time(kvm_domain_cpu_quota_cpus{$host, $guest}[$range])',
  ],
  [
    'kvm-storage / Guests that wait for I/O',
    'absent_over_time(kvm_domain_pressure_waiting_seconds_total{$host, resource="io"}[$range])',
  ],
  // Nothing fills up unless it has shrunk in the last half hour, and in the one before.
  [
    'kvm-storage / Time until full, pace of six hours',
    'absent(kvm_filesystem_avail_bytes{$host} < last_over_time(kvm_filesystem_avail_bytes{$host}[10m] offset 30m) < last_over_time(kvm_filesystem_avail_bytes{$host}[10m] offset 1h))',
  ],
  [
    'kvm-storage / Time until full, pace of ten minutes',
    'min(deriv(kvm_filesystem_avail_bytes{$host}[10m])) >= 0',
  ],
  ['kvm-storage / Thin pools of LVM', 'absent_over_time(kvm_thin_pool_size_bytes{$host}[$range])'],
  [
    'kvm-network / Limits of interfaces',
    'absent_over_time(kvm_domain_nic_limit_bytes_per_second{$host}[$range])',
  ],
]);
