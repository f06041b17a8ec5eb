import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { of, rate } from '../common/promql.ts';

export const COST: Row = {
  title: 'What memory management costs in CPU',
  folded: true,
  tiles: [
    graph({
      title: 'CPU time of kernel threads that make room',
      description:
        'CPUs taken by ksmd (merging), kswapd (reclaim), kcompactd (moving) and khugepaged (huge ' +
        'pages). Good: together well below one CPU.',
      unit: 'short',
      queries: [
        {
          expr: rate('kvm_host_kernel_thread_cpu_seconds_total'),
          legend: '{{thread}}',
        },
      ],
      stacked: true,
    }),
    graph({
      title: 'Memory management and waiting vCPUs',
      description:
        'CPU time for memory beside the share of time vCPUs wait. Good: not rising together; ' +
        'if they do, memory is over-committed at the cost of CPU.',
      unit: 'percentunit',
      queries: [
        {
          expr: of('instance:kvm_host_memory_thread_cpu_seconds:rate5m'),
          legend: 'CPUs for memory',
        },
        {
          expr: of('instance:kvm_domain_vcpu_delay:ratio'),
          legend: 'vCPUs wait',
        },
      ],
    }),
  ],
};
