import { top, value } from './annotations.ts';
import { increaseOf } from './counter.ts';
import { beyond } from './limit.ts';
import { promql, prose, type Subject } from './rule.ts';

const MEMORY = { uid: 'kvm-memory', variables: ['cluster', 'job', 'instance'] } as const;
const GUEST = { uid: 'kvm-guest', variables: ['cluster', 'job', 'instance', 'domain'] } as const;

const MERGED = top('kvm_domain_ksm_merging_bytes{@}', 'bytes');

/** Merging equal pages: what it saves, what it costs, what comes back when guests write. */
export const ksm: Subject = {
  name: 'ksm',
  recording: [
    {
      record: 'instance:kvm_ksm_unmerge_per_supply:ratio',
      expr: promql`
        # As with the exposure, a supply of 0 must not hide it.
        kvm_memory_ksm_unmerge_bytes
        /
        kvm_memory_supply_bytes
      `,
    },
    {
      record: 'instance:kvm_ksm_lost_bytes:max10m',
      expr: promql`
        # What merging saved at best in the last ten minutes and saves no more.
        max_over_time(kvm_ksm_saved_bytes[10m]) - kvm_ksm_saved_bytes
      `,
    },
    {
      record: 'instance:kvm_ksm_copied_on_write_bytes:increase10m',
      expr: increaseOf('kvm_ksm_copied_on_write_bytes_total', '10m'),
    },
    {
      record: 'instance:kvm_ksm_lost_per_supply:ratio',
      expr: promql`
        # No more than was copied for guests that wrote: a guest that ends loses its merging too, but
        # copies nothing and takes no memory.
        (
          instance:kvm_ksm_copied_on_write_bytes:increase10m < instance:kvm_ksm_lost_bytes:max10m
          or
          instance:kvm_ksm_lost_bytes:max10m
          and on (cluster, job, instance) (
            instance:kvm_ksm_copied_on_write_bytes:increase10m
            or
            # Kernels before 5.18 do not count copies; on them, unless a guest has just ended.
            kvm_domains{state="running"} >= max_over_time(kvm_domains{state="running"}[10m])
          )
        )
        /
        kvm_memory_supply_bytes
      `,
    },
    {
      record: 'instance:kvm_ksm_sharing_per_shared:ratio',
      expr: promql`
        kvm_ksm_sharing_bytes
        /
        (kvm_ksm_shared_bytes > 0)
      `,
    },
    {
      record: 'instance:kvm_ksm_saved_per_scanned:ratio',
      expr: promql`
        # Memory saved per memory scanned in an hour to keep it so.
        kvm_ksm_saved_bytes
        /
        (${increaseOf('kvm_ksm_scanned_bytes_total', '1h')} > 0)
      `,
    },
    {
      record: 'instance:kvm_ksm_thread_cpu_seconds:rate5m',
      expr: promql`
        sum without (thread) (
          rate(kvm_host_kernel_thread_cpu_seconds_total{thread="ksmd"}[5m])
        )
      `,
    },
    {
      record: 'instance:kvm_ksm_profit_per_thread_cpu:bytes',
      expr: promql`
        # Memory saved per CPU that ksmd takes for it.
        kvm_ksm_profit_bytes
        /
        (instance:kvm_ksm_thread_cpu_seconds:rate5m > 0)
      `,
    },
    {
      record: 'instance_domain:kvm_domain_ksm_items_per_merged_page:ratio',
      expr: promql`
        # In pages of 4 KiB; hosts with larger pages see a value that is too low by that factor.
        # Infinite for a guest in which nothing could be merged.
        kvm_domain_ksm_rmap_items * 4096
        /
        kvm_domain_ksm_merging_bytes
      `,
    },
    {
      record: 'instance:kvm_host_thp_splits:rate5m',
      expr: 'rate(kvm_host_thp_splits_total[5m])',
    },
    {
      record: 'instance:kvm_host_thp_deferred_splits:rate5m',
      expr: 'rate(kvm_host_thp_deferred_splits_total[5m])',
    },
    {
      record: 'instance:kvm_domain_balloon_moved_bytes:sum10m',
      expr: promql`
        sum without (domain) (
            max_over_time(kvm_domain_balloon_current_bytes[10m])
          - min_over_time(kvm_domain_balloon_current_bytes[10m])
        )
      `,
    },
  ],
  alerts: [
    {
      name: 'KvmKsmUnmergeExposure',
      summary: 'A host lacks the memory it would need if merged pages were written.',
      description: prose`
        If guests on {{ $labels.instance }} wrote to all merged pages, that would take
        ${value('percent')} of its available memory and free swap, at once. Most merged: ${MERGED}.
        Do not stop KSM with run=2; move a guest away or add swap first.
      `,
      dashboard: MEMORY,
      at: { warning: { for: '10m' } },
      expr: () => promql`
        instance:kvm_ksm_unmerge_per_supply:ratio
        ${beyond('memory.ksm_unmerge_ratio', 'warning')}
      `,
    },
    {
      name: 'KvmKsmCollapse',
      summary: 'Merged memory is coming apart.',
      description: prose`
        On {{ $labels.instance }} pages that were merged ten minutes ago have been written since,
        which took ${value('percent')} of its available memory and free swap. Still merged:
        ${MERGED}. Growing most:
        ${top('sum without (kind) (delta(kvm_domain_resident_bytes{@}[10m]))', 'bytes')}.
      `,
      dashboard: MEMORY,
      at: { warning: { keepFiringFor: '5m' } },
      expr: () => promql`
        instance:kvm_ksm_lost_per_supply:ratio
        ${beyond('memory.ksm_collapse_ratio', 'warning')}
      `,
    },
    {
      name: 'KvmKsmBusyForNothing',
      summary: 'KSM takes CPU time and saves no memory.',
      description: prose`
        ksmd on {{ $labels.instance }} uses ${value('percent')} of a CPU, and what it merges is worth
        less than its records cost. Guests with most records per merged page:
        ${top('instance_domain:kvm_domain_ksm_items_per_merged_page:ratio{@}', 'number')}. Scan less
        or stop KSM with run=0.
      `,
      dashboard: MEMORY,
      at: { warning: { for: '30m' } },
      expr: () => promql`
        (
          instance:kvm_ksm_thread_cpu_seconds:rate5m
          ${beyond('memory.ksmd_cpu_ratio', 'warning')}
        )
        and on (cluster, job, instance)
        kvm_ksm_profit_bytes <= 0
      `,
    },
    {
      name: 'KvmKsmGuestNotWorthIt',
      summary: 'Merging the memory of a guest costs more than it saves.',
      description: prose`
        KSM keeps ${value('number')} records per page it merged of {{ $labels.domain }} on
        {{ $labels.instance }}. <nosharepages/> in its XML takes it out of merging. Most merged there:
        ${MERGED}.
      `,
      dashboard: GUEST,
      at: { info: { for: '1h' } },
      expr: () => promql`
        instance_domain:kvm_domain_ksm_items_per_merged_page:ratio
        ${beyond('memory.ksm_items_ratio', 'warning')}
      `,
    },
    {
      name: 'KvmKsmSplitsHugePages',
      summary: 'KSM takes huge pages apart.',
      description: prose`
        ${value('number')} huge pages per second are split on {{ $labels.instance }} while KSM merges
        more: guests trade speed for memory. Most merged: ${MERGED}. Choose one of the two, for the
        host or per guest with <nosharepages/>.
      `,
      dashboard: MEMORY,
      at: { warning: { for: '15m' } },
      expr: () => promql`
        (
          instance:kvm_host_thp_splits:rate5m
          ${beyond('memory.thp_splits_per_second', 'warning')}
        )
        # Reclaim splits huge pages too; KSM is to blame only while it finds more to merge.
        and on (cluster, job, instance)
        deriv(kvm_ksm_saved_bytes[10m]) > 0
      `,
    },
    {
      name: 'KvmBalloonSplitsHugePages',
      summary: 'Ballooning takes huge pages apart.',
      description: prose`
        ${value('number')} huge pages per second on {{ $labels.instance }} lost a part while balloons
        moved: each balloon page is 4 KiB. Moved most:
        ${top('max_over_time(kvm_domain_balloon_current_bytes{@}[10m]) - min_over_time(kvm_domain_balloon_current_bytes{@}[10m])', 'bytes')}.
        Move balloons in fewer and larger steps.
      `,
      dashboard: MEMORY,
      at: { warning: { for: '15m' } },
      expr: () => promql`
        (
          instance:kvm_host_thp_deferred_splits:rate5m
          ${beyond('memory.thp_splits_per_second', 'warning')}
        )
        and on (cluster, job, instance)
        instance:kvm_domain_balloon_moved_bytes:sum10m > 0
      `,
    },
  ],
};
