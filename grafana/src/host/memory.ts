import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { fromSeries } from '../common/links.ts';
import { memoryPressure } from '../common/pressure.ts';
import { of } from '../common/promql.ts';

export const MEMORY: Row = {
  title: 'Memory',
  tiles: [
    graph({
      title: 'Memory promised, there, and used',
      description:
        'What guests have now and at most, the memory the host can give, and what is really in ' +
        'use. Good: promised below capacity; if not, see exposure.',
      unit: 'bytes',
      queries: [
        { expr: of('instance:kvm_memory_promised_bytes:sum'), legend: 'promised' },
        {
          expr: of('instance:kvm_memory_promised_maximum_bytes:sum'),
          legend: 'promised with balloons empty',
        },
        { expr: of('kvm_memory_capacity_bytes'), legend: 'capacity' },
        {
          expr: `${of('kvm_host_memory_size_bytes')} - ${of('kvm_host_memory_available_bytes')}`,
          legend: 'used',
        },
      ],
      link: fromSeries('kvm-memory', ['instance']),
      width: 8,
    }),
    graph({
      title: 'Claim and supply',
      description:
        'What guests may still claim, and un-merging would cost, beside available memory and free ' +
        'swap. Good: supply above both claims.',
      unit: 'bytes',
      queries: [
        { expr: of('kvm_memory_exposure_bytes'), legend: 'claim' },
        {
          expr: of('kvm_memory_exposure_maximum_bytes'),
          legend: 'claim with balloons empty',
        },
        { expr: of('kvm_memory_supply_bytes'), legend: 'supply' },
      ],
      link: fromSeries('kvm-memory', ['instance']),
      width: 8,
    }),
    memoryPressure(8),
  ],
};

export const MEMORY_DETAILS: Row = {
  title: 'Memory in detail',
  folded: true,
  tiles: [
    graph({
      title: 'Swap traffic',
      description:
        'Memory swapped in and out, zswap included. Good: none, or out alone, which is cold ' +
        'memory leaving; both at once is a swap storm.',
      unit: 'Bps',
      queries: [
        { expr: of('instance:kvm_host_swap_in_bytes:rate5m'), legend: 'in' },
        { expr: of('instance:kvm_host_swap_out_bytes:rate5m'), legend: 'out' },
      ],
      limit: 'memory.swap_bytes_per_second',
      width: 8,
    }),
    graph({
      title: 'Saved by merging and by balloons',
      description:
        'Memory the host has only because pages are merged, and what balloons took from ' +
        'guests. Good: less than what is available, for both can be asked back at once.',
      unit: 'bytes',
      queries: [
        { expr: of('kvm_ksm_saved_bytes'), legend: 'saved by merging' },
        {
          expr: `sum by (cluster, job, instance) (${of('kvm_domain_memory_maximum_bytes')} - ${of('kvm_domain_balloon_current_bytes')})`,
          legend: 'in balloons',
        },
      ],
      width: 8,
    }),
  ],
};
