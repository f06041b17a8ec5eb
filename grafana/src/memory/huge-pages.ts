import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { of, rate } from '../common/promql.ts';

export const HUGE_PAGES: Row = {
  title: 'Transparent huge pages, and what breaks them',
  folded: true,
  tiles: [
    graph({
      title: 'Anonymous memory in huge pages',
      description:
        'Part of anonymous memory in huge pages. Good: high and steady: guests lose much of ' +
        'their speed with small pages.',
      unit: 'percentunit',
      queries: [
        {
          expr: `${of('kvm_host_memory_anonymous_huge_bytes')} / (${of('kvm_host_memory_anonymous_bytes')} > 0)`,
          legend: '{{instance}}',
        },
      ],
      width: 8,
    }),
    graph({
      title: 'Merging against huge pages',
      description:
        'Huge pages split, beside memory that becomes merged: KSM splits a huge page before ' +
        'it merges any part of it. Good: few splits; many while huge pages are made again is ' +
        'a tug of war that costs CPU.',
      unit: 'cps',
      queries: [
        { expr: of('instance:kvm_host_thp_splits:rate5m'), legend: 'split' },
        { expr: rate('kvm_host_thp_collapses_total'), legend: 'made again' },
        {
          expr: `clamp_min(deriv(${of('kvm_ksm_sharing_bytes')}[10m]) / on (cluster, job, instance) (${of('kvm_host_thp_size_bytes')} > 0), 0)`,
          legend: 'worth of merging',
        },
      ],
      limit: 'memory.thp_splits_per_second',
      width: 8,
    }),
    graph({
      title: 'Balloons against huge pages',
      description:
        'Huge pages a balloon tore holes into, beside memory balloons moved. Good: few torn; ' +
        'balloons take 4 KiB at a time, so each can cost a huge page.',
      unit: 'cps',
      queries: [
        {
          expr: of('instance:kvm_host_thp_deferred_splits:rate5m'),
          legend: 'torn',
        },
        { expr: rate('kvm_host_thp_pmd_splits_total'), legend: 'mappings split' },
        {
          expr: `sum by (cluster, job, instance) (abs(deriv(${of('kvm_domain_balloon_current_bytes')}[10m]))) / on (cluster, job, instance) (${of('kvm_host_thp_size_bytes')} > 0)`,
          legend: 'worth of ballooning',
        },
      ],
      width: 8,
    }),
    graph({
      title: 'Huge pages given and refused',
      description:
        'Page faults that got a huge page, and that had to do without. Good: few refusals; many ' +
        'mean that memory is fragmented or short.',
      unit: 'cps',
      queries: [
        { expr: rate('kvm_host_thp_fault_allocations_total'), legend: 'given' },
        { expr: rate('kvm_host_thp_fault_fallbacks_total'), legend: 'refused' },
      ],
    }),
    graph({
      title: 'Compaction',
      description:
        'Times somebody waited until memory was moved together for a huge page. Good: rare, and ' +
        'successful.',
      unit: 'cps',
      queries: [
        { expr: rate('kvm_host_compaction_stalls_total'), legend: 'waited' },
        { expr: rate('kvm_host_compaction_failures_total'), legend: 'failed' },
        { expr: rate('kvm_host_compaction_successes_total'), legend: 'worked' },
      ],
    }),
  ],
};
