import { domainCounter, type Metric } from './metric.ts';

const BANDWIDTH_LABELS = ['monitor', 'node'] as const;

/** The one perf event that is no counter: L3 cache in use. Linux 4.14 took it away. */
const NOT_A_COUNTER = 'cmt';

/** Perf events and memory bandwidth, of guests that have them configured. */
export const domainPerfMetrics: readonly Metric[] = [
  domainCounter(
    'kvm_domain_perf_events_total',
    'Hardware and software events of a guest, in units of the kernel (libvirt perf.<event>, ' +
      'for events its XML enables).',
    {
      labels: ['event'],
    },
    ({ domain, labels }, sample) => {
      for (const [event, value] of domain.perf?.events ?? []) {
        if (event !== NOT_A_COUNTER) sample(labels.one('event', event), value);
      }
    },
  ),
  domainCounter(
    'kvm_domain_memory_bandwidth_local_bytes_total',
    'Memory traffic of a guest to the NUMA node of a resctrl monitor ' +
      '(memory.bandwidth.monitor.<i>.node.<j>.bytes.local).',
    { labels: BANDWIDTH_LABELS },
    ({ domain, labels }, sample) => {
      for (const { monitor, node, localBytes } of domain.perf?.bandwidth ?? []) {
        sample(labels.with(BANDWIDTH_LABELS, [monitor, String(node)]), localBytes);
      }
    },
  ),
  domainCounter(
    'kvm_domain_memory_bandwidth_bytes_total',
    'Memory traffic of a guest to all NUMA nodes, as the resctrl monitor of one node counts ' +
      'it (memory.bandwidth.monitor.<i>.node.<j>.bytes.total).',
    { labels: BANDWIDTH_LABELS },
    ({ domain, labels }, sample) => {
      for (const { monitor, node, totalBytes } of domain.perf?.bandwidth ?? []) {
        sample(labels.with(BANDWIDTH_LABELS, [monitor, String(node)]), totalBytes);
      }
    },
  ),
];
