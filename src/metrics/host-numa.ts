import type { HugePagePool } from '../sources/hugepages.ts';
import type { NumaNode } from '../sources/numa.ts';
import { counter, gauge, type Metric } from './metric.ts';

/** NUMA nodes of the host. */
export const hostNumaMetrics: readonly Metric[] = [
  perNode(
    'kvm_host_numa_memory_size_bytes',
    'RAM of a NUMA node (node<n>/meminfo MemTotal).',
    ({ memory }) => memory.totalBytes,
  ),
  perNode(
    'kvm_host_numa_memory_free_bytes',
    'Unused RAM of a NUMA node (node<n>/meminfo MemFree).',
    ({ memory }) => memory.freeBytes,
  ),
  perNode(
    'kvm_host_numa_memory_anonymous_bytes',
    'Anonymous memory on a NUMA node (node<n>/meminfo AnonPages).',
    ({ memory }) => memory.anonymousBytes,
  ),
  perNode(
    'kvm_host_numa_cpus',
    'Online CPUs of a NUMA node; 0 for nodes that have memory only (node<n>/cpulist).',
    ({ cpus }) => cpus.length,
  ),
  hugepages('size', 'Huge pages of a NUMA node', 'nr_hugepages', ({ total }) => total),
  hugepages(
    'free',
    'Free huge pages of a NUMA node, the only ones for a guest bound to it',
    'free_hugepages',
    ({ free }) => free,
  ),
  counter(
    'kvm_host_numa_allocations_total',
    'Pages allocated, seen from a NUMA node, by result (node<n>/numastat).',
    {
      note:
        'result is hit (wanted and got here), miss (wanted elsewhere and got here) or foreign ' +
        '(wanted here and got elsewhere).',
      labels: ['node', 'result'],
    },
    ({ snapshot }, sample) => {
      for (const { node, allocations } of snapshot.host.numaNodes ?? []) {
        sample(`{node="${node}",result="hit"}`, allocations?.hit);
        sample(`{node="${node}",result="miss"}`, allocations?.miss);
        sample(`{node="${node}",result="foreign"}`, allocations?.foreign);
      }
    },
  ),
];

function hugepages(
  name: string,
  meaning: string,
  file: string,
  pagesOf: (pool: HugePagePool) => number,
): Metric {
  return gauge(
    `kvm_host_numa_hugepages_${name}_bytes`,
    `${meaning}, by page size in bytes (node<n>/hugepages/hugepages-<size>kB/${file}).`,
    { labels: ['node', 'page_size'] },
    ({ snapshot }, sample) => {
      for (const { node, hugePages } of snapshot.host.numaNodes ?? []) {
        for (const pool of hugePages ?? []) {
          const labels = `{node="${node}",page_size="${pool.pageBytes}"}`;
          sample(labels, pagesOf(pool) * pool.pageBytes);
        }
      }
    },
  );
}

function perNode(
  name: string,
  help: string,
  valueOf: (node: NumaNode) => number | undefined,
): Metric {
  return gauge(name, help, { labels: ['node'] }, ({ snapshot }, sample) => {
    for (const node of snapshot.host.numaNodes ?? []) {
      sample(`{node="${node.node}"}`, valueOf(node));
    }
  });
}
