import { LOCAL_GUEST_KEY } from '../common/columns.ts';
import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { fromSeries } from '../common/links.ts';
import { BY_GUEST, lowest, of } from '../common/promql.ts';
import { worseBelow } from '../common/risk.ts';
import { table } from '../common/table.ts';
import { CHOSEN_GUESTS } from './guests.ts';

export const BALLOON: Row = {
  title: 'Balloons',
  folded: true,
  tiles: [
    table({
      title: 'Balloons and what they do to guests',
      description:
        'What the balloon took, whether it obeys, and what is left inside the guest. Good: ' +
        'left inside above 20 %, no lag, statistics not older than three of their periods.',
      keys: [LOCAL_GUEST_KEY],
      values: [
        {
          title: 'Taken',
          expr: `max ${BY_GUEST} (${of('instance_domain:kvm_domain_balloon_taken:ratio', CHOSEN_GUESTS)})`,
          unit: 'percentunit',
          cell: 'bar',
        },
        {
          title: 'Has',
          expr: `max ${BY_GUEST} (${of('kvm_domain_balloon_current_bytes', CHOSEN_GUESTS)})`,
          unit: 'bytes',
        },
        {
          title: 'Lag',
          expr: `max ${BY_GUEST} (${of('instance_domain:kvm_domain_balloon_lag:ratio', CHOSEN_GUESTS)})`,
          unit: 'percentunit',
        },
        {
          title: 'Left inside',
          expr: `max ${BY_GUEST} (${of('instance_domain:kvm_domain_guest_memory_available:ratio', CHOSEN_GUESTS)})`,
          unit: 'percentunit',
          thresholds: worseBelow(0.2, 0.05),
        },
        {
          title: 'Swaps',
          expr: `max ${BY_GUEST} (${of('instance_domain:kvm_domain_guest_swap_storm_bytes:rate5m', CHOSEN_GUESTS)})`,
          unit: 'Bps',
        },
        {
          title: 'Age',
          expr: `max ${BY_GUEST} (${of('instance_domain:kvm_domain_balloon_stats_age_per_period:ratio', CHOSEN_GUESTS)})`,
          unit: 'none',
        },
      ],
      sortBy: 'Left inside',
      ascending: true,
      width: 16,
      height: 10,
    }),
    graph({
      title: 'Memory in balloons, and guests nobody asks',
      description:
        'Memory balloons have taken from guests. Good: less than what is available, for the ' +
        'host must give it back when a guest boots or its balloon deflates.',
      unit: 'bytes',
      queries: [
        {
          expr: `sum by (cluster, job, instance) (${of('kvm_domain_memory_maximum_bytes')} - ${of('kvm_domain_balloon_current_bytes')})`,
          legend: 'taken',
        },
        {
          expr: of('instance:kvm_domain_balloon_moved_bytes:sum10m'),
          legend: 'moved in ten minutes',
        },
      ],
      width: 8,
      height: 10,
    }),
    graph({
      title: 'Guests with least memory available',
      description:
        'Memory usable without swapping inside the five guests worst off. Good: above 20 %.',
      unit: 'percentunit',
      queries: [
        {
          expr: lowest(
            of('instance_domain:kvm_domain_guest_memory_available:ratio', CHOSEN_GUESTS),
          ),
          legend: '{{domain}}',
        },
      ],
      limit: 'memory.guest_available_ratio',
      link: fromSeries('kvm-guest', ['instance', 'domain']),
    }),
    graph({
      title: 'Guests that page because of their balloon',
      description:
        'Guests that swap in both directions or keep reading their programs from disk. Good: ' +
        'none. Their paging is disk traffic for the whole host. No line: no guest reports statistics.',
      unit: 'short',
      queries: [
        {
          expr: `sum by (cluster, job, instance) (${of('instance_domain:kvm_domain_guest_thrashing:bool', CHOSEN_GUESTS)}) or 0 * count by (cluster, job, instance) (${of('kvm_domain_guest_memory_size_bytes', CHOSEN_GUESTS)})`,
          legend: 'thrashing',
        },
        {
          expr: of('instance:kvm_domains_without_balloon_stats:count'),
          legend: 'without statistics',
        },
      ],
    }),
  ],
};
