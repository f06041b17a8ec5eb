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
    'Online CPUs of a NUMA node (node<n>/cpulist); 0 for nodes that have memory only.',
    ({ cpus }) => cpus.length,
  ),
  counter(
    'kvm_host_numa_allocations_total',
    'Pages allocated, seen from a node (node<n>/numastat): hit was wanted and got here, miss was ' +
      'wanted elsewhere and got here, foreign was wanted here and got elsewhere.',
    { labels: ['node', 'result'] },
    ({ snapshot }, sample) => {
      for (const { node, allocations } of snapshot.host.numaNodes ?? []) {
        sample(`{node="${node}",result="hit"}`, allocations?.hit);
        sample(`{node="${node}",result="miss"}`, allocations?.miss);
        sample(`{node="${node}",result="foreign"}`, allocations?.foreign);
      }
    },
  ),
];

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
