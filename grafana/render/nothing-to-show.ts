/**
 * Panels that may be empty, each with a query that has a result only if the host has nothing of that
 * kind. `$host` and `$guest` stand for the matchers of what is looked at, `$range` for how long.
 */
export const NOTHING_TO_SHOW: ReadonlyMap<string, string> = new Map([
  [
    'kvm-fleet / Collectors that fail',
    'sum(min_over_time(kvm_scrape_collector_success{$host}[$range]) == bool 0) == 0',
  ],
  ['kvm-host / vCPUs per CPU by CPU set', 'max(kvm_cpu_dedicated_cpus{$host}) == 0'],
  [
    'kvm-host / Fairness among guests that wait',
    'max(max_over_time(instance_domain:kvm_domain_vcpu_delay:ratio{$host}[$range])) < 0.05',
  ],
  ['kvm-memory / Huge page pools', 'absent_over_time(kvm_host_hugepages_size_bytes{$host}[$range])'],
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
    'kvm-guest / Available inside',
    // Statistics older than three of their periods say nothing of now.
    'max(kvm_domain_balloon_stats_age_seconds{$host, $guest} / kvm_domain_balloon_stats_period_seconds{$host, $guest}) > 3',
  ],
  [
    'kvm-guest / Stopped by its quota',
    'absent_over_time(kvm_domain_cpu_cap_cpus{$host, $guest}[$range])',
  ],
  [
    'kvm-storage / Guests that wait for I/O',
    'absent_over_time(kvm_domain_pressure_waiting_seconds_total{$host, resource="io"}[$range])',
  ],
  // Nothing fills up while there is more space than there was.
  [
    'kvm-storage / Time until full, pace of six hours',
    'min(deriv(kvm_filesystem_avail_bytes{$host}[6h])) >= 0',
  ],
  [
    'kvm-storage / Time until full, pace of ten minutes',
    'min(deriv(kvm_filesystem_avail_bytes{$host}[10m])) >= 0',
  ],
  [
    'kvm-storage / Thin pools of LVM',
    'absent_over_time(kvm_thin_pool_size_bytes{$host}[$range])',
  ],
  [
    'kvm-network / Limits of interfaces',
    'absent_over_time(kvm_domain_nic_limit_bytes_per_second{$host}[$range])',
  ],
]);
