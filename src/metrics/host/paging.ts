import { labelText } from '../../exposition/labels.ts';

import { counter, type Metric } from '../metric.ts';
import type { View } from '../../view/view.ts';
import type { VmstatCounter } from '../../model/host-memory.ts';

/** What the kernel did to find memory: swapping, reclaim, compaction, huge pages, NUMA. */
export const hostPagingMetrics: readonly Metric[] = [
  bytes(
    'kvm_host_swap_in_bytes_total',
    'pswpin',
    'Memory read back from swap devices, without hits in zswap and all-zero pages',
  ),
  bytes(
    'kvm_host_swap_out_bytes_total',
    'pswpout',
    'Memory written to swap devices, without what went to zswap',
  ),
  bytes('kvm_host_zswap_in_bytes_total', 'zswpin', 'Memory brought back from zswap'),
  bytes('kvm_host_zswap_out_bytes_total', 'zswpout', 'Memory compressed into zswap'),
  bytes(
    'kvm_host_zswap_writeback_bytes_total',
    'zswpwb',
    'Memory zswap passed on to a swap device',
  ),
  bytes(
    'kvm_host_swap_zero_in_bytes_total',
    'swpin_zero',
    'All-zero pages brought back from swap without a read',
  ),
  bytes(
    'kvm_host_swap_zero_out_bytes_total',
    'swpout_zero',
    'All-zero pages swapped out without a write',
  ),
  count('kvm_host_page_faults_total', 'pgfault', 'Page faults of all processes'),
  count(
    'kvm_host_major_page_faults_total',
    'pgmajfault',
    'Page faults that had to read from a device',
  ),
  count('kvm_host_oom_kills_total', 'oom_kill', 'Processes killed by the OOM killer'),
  counter(
    'kvm_host_allocation_stalls_total',
    'Times a task had to reclaim memory itself before it got any, by zone (/proc/vmstat ' +
      'allocstall_*).',
    { labels: ['zone'] },
    ({ snapshot }, sample) => {
      for (const [zone, stalls] of snapshot.host.vmstat?.directReclaimsByZone ?? []) {
        sample(labelText(['zone'], [zone]), stalls);
      }
    },
  ),
  reclaim('kvm_host_reclaim_scanned_bytes_total', 'pgscan', 'Memory scanned for reclaim'),
  reclaim('kvm_host_reclaim_freed_bytes_total', 'pgsteal', 'Memory reclaimed'),
  count(
    'kvm_host_reclaim_throttles_total',
    'pgscan_direct_throttle',
    'Times a task was held back because reserves of memory were nearly used up',
  ),
  counter(
    'kvm_host_workingset_refault_bytes_total',
    'Memory that had been reclaimed and was needed again, by kind (/proc/vmstat ' +
      'workingset_refault_anon, workingset_refault_file).',
    { labels: ['kind'] },
    (view, sample) => {
      sample('{kind="anonymous"}', pageBytes(view, 'workingset_refault_anon'));
      sample('{kind="file"}', pageBytes(view, 'workingset_refault_file'));
    },
  ),
  count(
    'kvm_host_thp_fault_allocations_total',
    'thp_fault_alloc',
    'Page faults served with a transparent huge page',
  ),
  count(
    'kvm_host_thp_fault_fallbacks_total',
    'thp_fault_fallback',
    'Page faults that wanted a huge page and got a small one',
  ),
  count(
    'kvm_host_thp_collapses_total',
    'thp_collapse_alloc',
    'Huge pages khugepaged allocated to replace small ones',
  ),
  count(
    'kvm_host_thp_collapse_failures_total',
    'thp_collapse_alloc_failed',
    'Times khugepaged could not allocate a huge page',
  ),
  count(
    'kvm_host_thp_splits_total',
    'thp_split_page',
    'Huge pages split into small ones, for instance by KSM, ballooning or swapping',
  ),
  count(
    'kvm_host_thp_split_failures_total',
    'thp_split_page_failed',
    'Huge pages that could not be split, mostly because they are pinned',
  ),
  count(
    'kvm_host_thp_deferred_splits_total',
    'thp_deferred_split_page',
    'Huge pages queued to be split when memory gets short',
  ),
  count(
    'kvm_host_thp_pmd_splits_total',
    'thp_split_pmd',
    'Mappings of huge pages split, after which the page itself may stay huge',
  ),
  count('kvm_host_thp_swap_outs_total', 'thp_swpout', 'Huge pages swapped out in one piece'),
  count(
    'kvm_host_compaction_stalls_total',
    'compact_stall',
    'Times a task had to move pages itself to get a huge page',
  ),
  count(
    'kvm_host_compaction_failures_total',
    'compact_fail',
    'Compactions by a task that gave no huge page',
  ),
  count(
    'kvm_host_compaction_successes_total',
    'compact_success',
    'Compactions by a task that gave a huge page',
  ),
  counter(
    'kvm_host_numa_hint_faults_total',
    'Faults NUMA balancing provoked to see who uses a page, by where the page was ' +
      '(/proc/vmstat numa_hint_faults, numa_hint_faults_local).',
    { labels: ['locality'] },
    (view, sample) => {
      const all = value(view, 'numa_hint_faults');
      const local = value(view, 'numa_hint_faults_local');
      sample('{locality="local"}', local);
      if (all === undefined || local === undefined) return;
      const epoch = view.snapshot.host.cpuTime?.bootTimeSeconds ?? 0;
      const remote = Number(all > local ? all - local : 0n);
      sample(
        '{locality="remote"}',
        view.rising.of('kvm_host_numa_hint_faults_total', epoch, remote),
      );
    },
  ),
  bytes(
    'kvm_host_numa_migrated_bytes_total',
    'numa_pages_migrated',
    'Memory NUMA balancing moved to another node',
  ),
];

function value({ snapshot }: View, field: VmstatCounter): bigint | undefined {
  return snapshot.host.vmstat?.counters.get(field);
}

function pageBytes(view: View, field: VmstatCounter): bigint | undefined {
  const pages = value(view, field);
  return pages === undefined ? undefined : pages * BigInt(view.snapshot.host.pageBytes);
}

function count(name: string, field: VmstatCounter, meaning: string): Metric {
  return counter(name, `${meaning} (/proc/vmstat ${field}).`, {}, (view, sample) => {
    sample('', value(view, field));
  });
}

function bytes(name: string, field: VmstatCounter, meaning: string): Metric {
  const help = `${meaning} (/proc/vmstat ${field}, times the page size).`;
  return counter(name, help, {}, (view, sample) => {
    sample('', pageBytes(view, field));
  });
}

function reclaim(name: string, prefix: 'pgscan' | 'pgsteal', meaning: string): Metric {
  return counter(
    name,
    `${meaning}, by who did it (/proc/vmstat ${prefix}_*, times the page size).`,
    {
      note:
        'by is kswapd (in the background), direct (a task for itself), khugepaged, or proactive ' +
        '(on request; older kernels count it as direct).',
      labels: ['by'],
    },
    (view, sample) => {
      sample('{by="kswapd"}', pageBytes(view, `${prefix}_kswapd`));
      sample('{by="direct"}', pageBytes(view, `${prefix}_direct`));
      sample('{by="khugepaged"}', pageBytes(view, `${prefix}_khugepaged`));
      sample('{by="proactive"}', pageBytes(view, `${prefix}_proactive`));
    },
  );
}
