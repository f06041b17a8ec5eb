import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { of, rate } from '../common/promql.ts';

export const NUMA: Row = {
  title: 'NUMA',
  folded: true,
  tiles: [
    graph({
      title: 'Free memory by node',
      description:
        'Free part of each node. Good: alike; a full node makes its guests allocate far away ' +
        'while the host has memory left.',
      unit: 'percentunit',
      queries: [
        {
          expr: `${of('kvm_host_numa_memory_free_bytes')} / (${of('kvm_host_numa_memory_size_bytes')} > 0)`,
          legend: 'node {{node}}',
        },
      ],
      width: 8,
    }),
    graph({
      title: 'Allocations by where they went',
      description:
        'Pages allocated on the wanted node (hit), on another instead (miss), and here instead of ' +
        'elsewhere (foreign). Good: hits only.',
      unit: 'cps',
      queries: [
        {
          expr: rate('kvm_host_numa_allocations_total'),
          legend: 'node {{node}} {{result}}',
        },
      ],
      width: 8,
    }),
    graph({
      title: 'Memory moved by NUMA balancing',
      description:
        'Memory moved between nodes. Good: near 0; each move unmaps memory of a guest, and ' +
        'high rates show as stalls.',
      unit: 'Bps',
      queries: [{ expr: rate('kvm_host_numa_migrated_bytes_total'), legend: '{{instance}}' }],
      width: 8,
    }),
    graph({
      title: 'Faults taken for NUMA balancing',
      description:
        'Page faults taken to find out which memory is used from where. Good: mostly local.',
      unit: 'cps',
      queries: [{ expr: rate('kvm_host_numa_hint_faults_total'), legend: '{{locality}}' }],
      width: 8,
    }),
  ],
};
