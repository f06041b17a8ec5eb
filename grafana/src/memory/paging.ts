import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { fromSeries } from '../common/links.ts';
import { memoryPressure } from '../common/pressure.ts';
import { highest, of, rate } from '../common/promql.ts';
import { CHOSEN_GUESTS } from './guests.ts';

export const PAGING: Row = {
  title: 'Paging',
  tiles: [
    graph({
      title: 'Swap traffic',
      description:
        'Memory swapped in and out, zswap included. Good: none, or one way only: out is cold ' +
        'memory leaving, in is the host recovering. Both at once is a swap storm, and guests ' +
        'stand still.',
      unit: 'Bps',
      queries: [
        { expr: of('instance:kvm_host_swap_in_bytes:rate5m'), legend: 'in' },
        { expr: of('instance:kvm_host_swap_out_bytes:rate5m'), legend: 'out' },
        {
          expr: of('instance:kvm_host_swap_storm_bytes:rate5m'),
          legend: 'both ways',
        },
      ],
      limit: 'memory.swap_bytes_per_second',
      width: 8,
    }),
    graph({
      title: 'Guests with most memory in swap',
      description:
        'Memory of the five guests the host has swapped out most of. Swapped shared memory is ' +
        'not in here. Good: none; they will be slow when they need it.',
      unit: 'bytes',
      queries: [
        {
          expr: highest(of('kvm_domain_swap_bytes', CHOSEN_GUESTS)),
          legend: '{{domain}}',
        },
      ],
      link: fromSeries('kvm-guest', ['instance', 'domain']),
      width: 8,
    }),
    memoryPressure(8),
  ],
};

export const PAGING_DETAILS: Row = {
  title: 'Paging in detail',
  folded: true,
  tiles: [
    graph({
      title: 'Swap in use',
      description:
        'Used per size of swap on disks; swap in RAM (zram) is left out. Good: below 80 %.',
      unit: 'percentunit',
      queries: [{ expr: of('instance:kvm_host_swap_used:ratio'), legend: '{{instance}}' }],
      limit: 'memory.swap_used_ratio',
      width: 8,
    }),
    graph({
      title: 'Major page faults',
      description:
        'Page faults that had to wait for a disk, of swapped memory and of files. Good: below ' +
        'the limit of the policy.',
      unit: 'cps',
      queries: [{ expr: of('instance:kvm_host_major_page_faults:rate5m'), legend: '{{instance}}' }],
      limit: 'memory.major_faults_per_second',
      width: 8,
    }),
    graph({
      title: 'Memory that came back after eviction',
      description:
        'Memory needed again soon after it was evicted: anonymous from swap, file from the page ' +
        'cache. Good: near 0; a lasting rate means that the working set does not fit.',
      unit: 'Bps',
      queries: [
        {
          expr: rate('kvm_host_workingset_refault_bytes_total'),
          legend: '{{kind}}',
        },
      ],
      width: 8,
    }),
    graph({
      title: 'Who frees memory',
      description:
        'Memory freed by kswapd in the background, and directly by whoever asked for some, who ' +
        'waits meanwhile. Good: kswapd alone.',
      unit: 'Bps',
      queries: [{ expr: rate('kvm_host_reclaim_freed_bytes_total'), legend: '{{by}}' }],
      stacked: true,
      width: 8,
    }),
    graph({
      title: 'How hard it is to free memory',
      description:
        'Memory freed per memory scanned. Good: near 100 %, or no line: nothing needs to be ' +
        'freed. Near 0 the kernel scans and frees nothing.',
      unit: 'percentunit',
      queries: [
        { expr: of('instance:kvm_host_reclaim_freed_per_scanned:ratio'), legend: '{{instance}}' },
      ],
      width: 8,
    }),
    graph({
      title: 'Allocations that had to wait',
      description:
        'Allocations that had to free memory themselves first. Good: none; kswapd should have ' +
        'freed some before anybody asks.',
      unit: 'cps',
      queries: [{ expr: of('instance:kvm_host_allocation_stalls:rate5m'), legend: '{{instance}}' }],
      limit: 'memory.allocation_stalls_per_second',
      width: 8,
    }),
    graph({
      title: 'OOM kills',
      description:
        'Processes the kernel killed for want of memory in ten minutes; the largest is a guest. ' +
        'Good: none.',
      unit: 'short',
      queries: [{ expr: of('instance:kvm_host_oom_kills:increase10m'), legend: '{{instance}}' }],
      limit: 'memory.oom_kills',
      width: 8,
    }),
    graph({
      title: 'Swap areas',
      description:
        'Used part of each swap area. Good: slow areas empty: they fill only when the fast ' +
        'ones are full.',
      unit: 'percentunit',
      queries: [
        {
          expr: `${of('kvm_host_swap_area_used_bytes')} / (${of('kvm_host_swap_area_size_bytes')} > 0)`,
          legend: '{{path}} ({{kind}})',
        },
      ],
      width: 8,
    }),
    graph({
      title: 'Compressed memory: zswap and zram',
      description:
        'What lies compressed in RAM, before and after. Good: stored far above the RAM it takes. ' +
        'No line: neither is in use.',
      unit: 'bytes',
      queries: [
        { expr: of('kvm_host_zswap_stored_bytes'), legend: 'zswap stored' },
        { expr: of('kvm_host_zswap_pool_bytes'), legend: 'zswap takes' },
        {
          expr: of('kvm_host_zram_original_bytes'),
          legend: 'zram stored {{path}}',
        },
        { expr: of('kvm_host_zram_memory_bytes'), legend: 'zram takes {{path}}' },
      ],
      width: 8,
    }),
    graph({
      title: 'zswap traffic',
      description:
        'Memory compressed, decompressed and written on to disk. Good: little written on; if ' +
        'much, the pool is too small for what is swapped.',
      unit: 'Bps',
      queries: [
        { expr: rate('kvm_host_zswap_out_bytes_total'), legend: 'compressed' },
        { expr: rate('kvm_host_zswap_in_bytes_total'), legend: 'decompressed' },
        {
          expr: rate('kvm_host_zswap_writeback_bytes_total'),
          legend: 'written on to disk',
        },
      ],
      width: 8,
    }),
  ],
};
