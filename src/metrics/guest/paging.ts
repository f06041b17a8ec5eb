import type { CgroupDetail, CgroupPaging } from '../../model/cgroup.ts';
import { domainCounter, domainGauge, type Metric } from '../metric.ts';

/** What paging costs each guest, and what the collector `cgroupdetail` adds to its cgroup. */
export const domainPagingMetrics: readonly Metric[] = [
  domainCounter(
    'kvm_domain_refault_bytes_total',
    'Memory of a guest that had been thrown out of RAM and was wanted again, by kind ' +
      '(memory.stat workingset_refault_anon and workingset_refault_file of its cgroup, times the page ' +
      'size).',
    {
      note:
        'kind is anonymous (swapped in, from whatever kind of swap) or file (page cache of its disks). ' +
        'As a rate the victim of memory over-commitment in one number.',
      labels: ['kind'],
    },
    ({ domain, labels, pageBytes }, sample) => {
      const paging = domain.cgroup?.memory?.paging;
      sample(labels.one('kind', 'anonymous'), times(paging?.anonymousRefaults, pageBytes));
      sample(labels.one('kind', 'file'), times(paging?.fileRefaults, pageBytes));
    },
  ),
  swapped('in', 'from', ({ swapIns }) => swapIns),
  swapped('out', 'to', ({ swapOuts }) => swapOuts),
  domainGauge(
    'kvm_domain_cgroup_memory_min_bytes',
    'Memory of a guest that is never reclaimed: the least of memory.min of its cgroup and of those ' +
      'around it (cgroup v2).',
    { note: 'With --collector.cgroupdetail. Absent where it keeps all.' },
    ({ domain, labels }, sample) => {
      if (domain.cgroup?.detail === undefined) return;
      const kept = domain.cgroup.memory?.limits.guaranteedBytes;
      if (kept !== 'unlimited') sample(labels.only, kept);
    },
  ),
  domainGauge(
    'kvm_domain_cgroup_memory_low_bytes',
    'Memory of a guest that is not reclaimed while there is something else to reclaim (memory.low of ' +
      'its cgroup).',
    { note: 'With --collector.cgroupdetail. Absent where it keeps all.' },
    ({ domain, labels }, sample) => {
      const low = domain.cgroup?.detail?.lowBytes;
      if (low !== 'unlimited') sample(labels.only, low);
    },
  ),
  detail(
    'kvm_domain_cgroup_memory_low_events_total',
    'Times a guest was reclaimed from below its memory.low, since floors are over-committed ' +
      '(memory.events low of its cgroup).',
    ({ lowEvents }) => lowEvents,
  ),
  domainCounter(
    'kvm_domain_cgroup_swap_events_total',
    'Times the cgroup of a guest was kept from swap, by event (memory.swap.events).',
    {
      note:
        'With --collector.cgroupdetail. event is high (slowed down), max (at its limit) or fail (no ' +
        'swap to be had): a guest that may not swap is next to be killed.',
      labels: ['event'],
    },
    ({ domain, labels }, sample) => {
      const events = domain.cgroup?.detail?.swapEvents;
      sample(labels.one('event', 'high'), events?.high);
      sample(labels.one('event', 'max'), events?.max);
      sample(labels.one('event', 'fail'), events?.fail);
    },
  ),
  detail(
    'kvm_domain_cpu_forced_idle_seconds_total',
    'Time the other threads of cores were kept idle for a guest by core scheduling (cpu.stat ' +
      'core_sched.force_idle_usec of its cgroup).',
    ({ forcedIdleSeconds }) => forcedIdleSeconds,
  ),
  detail(
    'kvm_domain_cpu_bursts_total',
    'Periods in which a guest used CPU time it had saved up of its quota (cpu.stat nr_bursts of its ' +
      'cgroup).',
    ({ bursts }) => bursts,
  ),
  detail(
    'kvm_domain_cpu_burst_seconds_total',
    'CPU time a guest used beyond its quota out of what it had saved up (cpu.stat burst_usec of its ' +
      'cgroup).',
    ({ burstSeconds }) => burstSeconds,
  ),
];

function swapped(
  direction: 'in' | 'out',
  preposition: string,
  pagesOf: (paging: CgroupPaging) => number | undefined,
): Metric {
  return domainCounter(
    `kvm_domain_swap_${direction}_bytes_total`,
    `Memory of a guest swapped ${direction} ${preposition} a swap device (memory.stat pswp${direction} ` +
      'of its cgroup, times the page size).',
    { note: 'cgroup v2 from Linux 6.13 on; without what zswap serves.' },
    ({ domain, labels, pageBytes }, sample) => {
      const paging = domain.cgroup?.memory?.paging;
      sample(labels.only, times(paging && pagesOf(paging), pageBytes));
    },
  );
}

function detail(
  name: string,
  help: string,
  valueOf: (detail: CgroupDetail) => number | undefined,
): Metric {
  const note = 'With --collector.cgroupdetail.';
  return domainCounter(name, help, { note }, ({ domain, labels }, sample) => {
    const facts = domain.cgroup?.detail;
    sample(labels.only, facts && valueOf(facts));
  });
}

function times(pages: number | undefined, pageBytes: number): number | undefined {
  return pages === undefined ? undefined : pages * pageBytes;
}
