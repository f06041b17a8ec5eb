import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { of, rate, THIS_GUEST } from '../common/promql.ts';
import type { Tile } from '../common/tile.ts';

/** What the guest sees of its memory. */
export const INSIDE: readonly Tile[] = [
  graph({
    title: 'Memory inside the guest',
    description:
      "The guest's own view. No line: the guest reports no statistics. Good: a fifth of the " +
      'size available; little free memory is healthy.',
    unit: 'bytes',
    queries: [
      {
        expr: of('kvm_domain_guest_memory_size_bytes', THIS_GUEST),
        legend: 'size',
      },
      {
        expr: of('kvm_domain_guest_memory_available_bytes', THIS_GUEST),
        legend: 'available',
      },
      {
        expr: of('kvm_domain_guest_memory_free_bytes', THIS_GUEST),
        legend: 'free',
      },
      {
        expr: of('kvm_domain_guest_disk_caches_bytes', THIS_GUEST),
        legend: 'page cache',
      },
    ],
    width: 8,
  }),
  graph({
    title: 'Paging inside the guest',
    description:
      'Swap traffic and major faults the balloon statistics report. In and out at once: the ' +
      'balloon squeezes the guest, and its paging loads the disks of all. Good: 0.',
    unit: 'Bps',
    queries: [
      {
        expr: rate('kvm_domain_guest_swap_in_bytes_total', THIS_GUEST),
        legend: 'swap in',
      },
      {
        expr: rate('kvm_domain_guest_swap_out_bytes_total', THIS_GUEST),
        legend: 'swap out',
      },
    ],
    limit: 'memory.guest_swap_bytes_per_second',
    width: 8,
  }),
];

export const MEMORY_INSIDE: Row = {
  title: 'Memory inside the guest, in detail',
  folded: true,
  tiles: [
    graph({
      title: 'Major faults inside the guest',
      description: 'Page faults that had to read from a disk. Good: below the limit of the policy.',
      unit: 'cps',
      queries: [
        {
          expr: rate('kvm_domain_guest_major_faults_total', THIS_GUEST),
          legend: '{{instance}}',
        },
      ],
      limit: 'memory.guest_major_faults_per_second',
      width: 8,
    }),
    graph({
      title: 'Balloon: told and done',
      description:
        'What the guest has, what it was told to make do with, and what MOM would tell it. Good: ' +
        'has and told agree; a lasting difference is a balloon that does not obey.',
      unit: 'bytes',
      queries: [
        { expr: of('kvm_domain_balloon_current_bytes', THIS_GUEST), legend: 'has' },
        { expr: of('kvm_domain_balloon_target_bytes', THIS_GUEST), legend: 'told' },
        {
          expr: of('kvm_domain_mom_balloon_target_bytes', THIS_GUEST),
          legend: 'MOM would tell ({{variant}})',
        },
      ],
    }),
    graph({
      title: 'Age of its memory statistics',
      description:
        'Seconds since the guest last reported, beside its period. Good: below three periods; a ' +
        'growing age is a guest without a working balloon driver.',
      unit: 's',
      whole: true,
      queries: [
        {
          expr: of('kvm_domain_balloon_stats_age_seconds', THIS_GUEST),
          legend: 'age',
        },
        {
          expr: of('kvm_domain_balloon_stats_period_seconds', THIS_GUEST),
          legend: 'period',
        },
      ],
    }),
  ],
};
