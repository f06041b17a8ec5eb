import { counter, type Metric } from './metric.ts';

const NUMBERED = /\d+$/;

/** What the host's own memory management costs. */
export const hostKernelThreadMetrics: readonly Metric[] = [
  counter(
    'kvm_host_kernel_thread_cpu_seconds_total',
    'CPU time of kernel threads that make room in memory, over all NUMA nodes (/proc/<pid>/stat).',
    {
      note:
        'thread is ksmd (merges), kswapd (reclaims), kcompactd (moves) or khugepaged (makes ' +
        'huge pages).',
      labels: ['thread'],
    },
    ({ snapshot }, sample) => {
      const sums = new Map<string, number>();
      for (const { comm, cpuSeconds } of snapshot.host.kernelThreads ?? []) {
        const name = comm.replace(NUMBERED, '');
        sums.set(name, (sums.get(name) ?? 0) + Math.round(cpuSeconds * 100));
      }
      for (const [name, hundredths] of sums) sample(`{thread="${name}"}`, hundredths / 100);
    },
  ),
];
