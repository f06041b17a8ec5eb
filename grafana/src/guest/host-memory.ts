import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { of, rate, THIS_GUEST } from '../common/promql.ts';
import type { Tile } from '../common/tile.ts';

export const MEMORY_OF_HOST: readonly Tile[] = [
  graph({
    title: 'Promised, resident and swapped out',
    description:
      'What the guest was promised, what it holds of RAM, and what the host has swapped ' +
      'out. The gap between promise and the rest is what it may still claim. Good: nothing ' +
      'swapped out.',
    unit: 'bytes',
    queries: [
      {
        expr: of('kvm_domain_memory_maximum_bytes', THIS_GUEST),
        legend: 'promised at most',
      },
      {
        expr: of('kvm_domain_balloon_current_bytes', THIS_GUEST),
        legend: 'promised now',
      },
      {
        expr: `sum by (cluster, job, instance) (${of('kvm_domain_resident_bytes', THIS_GUEST)})`,
        legend: 'resident',
      },
      { expr: of('kvm_domain_swap_bytes', THIS_GUEST), legend: 'swapped out' },
      {
        expr: of('kvm_domain_memory_claimable_bytes', THIS_GUEST),
        legend: 'claimable',
      },
    ],
    width: 8,
  }),
];

export const MEMORY_DETAILS: Row = {
  title: 'Memory in detail',
  folded: true,
  tiles: [
    graph({
      title: 'What its RAM is',
      description:
        'Resident memory by kind, huge pages among it, and what is shared with other guests by ' +
        'merging. Good: mostly anonymous (or shared for memfd guests), with huge pages.',
      unit: 'bytes',
      queries: [
        { expr: of('kvm_domain_resident_bytes', THIS_GUEST), legend: '{{kind}}' },
        {
          expr: of('kvm_domain_anonymous_huge_bytes', THIS_GUEST),
          legend: 'in huge pages',
        },
        {
          expr: of('kvm_domain_ksm_merging_bytes', THIS_GUEST),
          legend: 'in merged pages',
        },
        { expr: of('kvm_domain_hugetlb_bytes', THIS_GUEST), legend: 'hugetlb' },
        { expr: of('kvm_domain_locked_bytes', THIS_GUEST), legend: 'locked' },
      ],
    }),
    graph({
      title: 'Page faults of its QEMU process',
      description:
        'Major faults had to read from a device, mostly from swap: the guest stood still ' +
        'meanwhile and cannot know. Good: no major faults.',
      unit: 'cps',
      queries: [
        { expr: rate('kvm_domain_major_faults_total', THIS_GUEST), legend: 'major' },
        { expr: rate('kvm_domain_minor_faults_total', THIS_GUEST), legend: 'minor' },
      ],
      width: 8,
    }),
    graph({
      title: 'Its memory on NUMA nodes',
      description:
        'Memory of the guest on each node of the host. Good: on the node its vCPUs run on.',
      unit: 'bytes',
      queries: [
        {
          expr: of('kvm_domain_numa_resident_bytes', THIS_GUEST),
          legend: 'node {{node}}',
        },
      ],
      stacked: true,
      width: 8,
    }),
    graph({
      title: 'Is merging worth it',
      description:
        'Merged memory less the records kept for it. Good: positive; negative means that looking ' +
        'for equal pages in this guest costs more than it saves.',
      unit: 'bytes',
      queries: [
        { expr: of('kvm_domain_ksm_profit_bytes', THIS_GUEST), legend: 'profit' },
        {
          expr: of('kvm_domain_ksm_zero_bytes', THIS_GUEST),
          legend: 'empty pages merged',
        },
      ],
      signed: true,
      width: 8,
    }),
    graph({
      title: 'Memory limits of its cgroup',
      description:
        'What its cgroup holds, page cache included, beside its limits. Good: no limit, as ' +
        'libvirt advises; else usage well below it.',
      unit: 'bytes',
      queries: [
        { expr: of('kvm_domain_cgroup_memory_bytes', THIS_GUEST), legend: 'used' },
        {
          expr: of('kvm_domain_cgroup_memory_limit_bytes', THIS_GUEST),
          legend: 'limit',
        },
        { expr: of('kvm_domain_cgroup_swap_bytes', THIS_GUEST), legend: 'swap' },
      ],
    }),
    graph({
      title: 'Times it met its memory limits',
      description:
        'Events of its cgroup: slowed down, reclaimed from, out of memory, killed. Good: none.',
      unit: 'cps',
      queries: [
        {
          expr: rate('kvm_domain_cgroup_memory_events_total', THIS_GUEST),
          legend: '{{event}}',
        },
      ],
    }),
  ],
};
