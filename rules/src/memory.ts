import { atLeast, namesOrNone, only, top, value } from './annotations.ts';
import { beyond, within } from './limit.ts';
import { promql, prose, type Subject } from './rule.ts';

const MEMORY = { uid: 'kvm-memory', variables: ['cluster', 'job', 'instance'] } as const;
const GUEST = { uid: 'kvm-guest', variables: ['cluster', 'job', 'instance', 'domain'] } as const;

const CLAIMS = top('kvm_domain_memory_claimable_bytes{@}', 'bytes');
const SWAPPED = top('kvm_domain_swap_bytes{@}', 'bytes');
/** Whose memory has to be brought back: the rate of it, where VmSwap is a level. */
const HIT_HARDEST = top('instance_domain:kvm_domain_swap_in_bytes:rate5m{@}', 'bytes per second');
const RESIDENT = top('sum without (kind) (kvm_domain_resident_bytes{@})', 'bytes');

/** Guests whose memory is in no sum. */
export const AT_LEAST = atLeast('kvm_memory_domains_unknown{@} > 0');

/** Ran ten minutes ago, and was not shut down in good order since. */
const GONE = namesOrNone(
  'last_over_time(kvm_domain_state{@,state="running"}[1h] offset 10m) unless on (domain) (kvm_domain_state{@,state!="shutoff"} or kvm_domain_state{@,reason!="crashed"})',
);

/** Memory of the host: what was promised, what can still be claimed, and what paging costs. */
export const memory: Subject = {
  name: 'memory',
  recording: [
    {
      record: 'instance:kvm_memory_promised_bytes:sum',
      expr: promql`
        # Huge pages come from pools of their own.
        sum without (class) (kvm_memory_promised_bytes{class!="hugepages"})
      `,
    },
    {
      record: 'instance:kvm_memory_promised_maximum_bytes:sum',
      expr: 'sum without (class) (kvm_memory_promised_maximum_bytes{class!="hugepages"})',
    },
    {
      record: 'instance:kvm_memory_promised_per_capacity:ratio',
      expr: promql`
        instance:kvm_memory_promised_bytes:sum
        /
        (kvm_memory_capacity_bytes > 0)
        or
        # Huge pages may have taken all there is: what is promised out of nothing is infinitely much.
        (instance:kvm_memory_promised_bytes:sum > 0)
        /
        kvm_memory_capacity_bytes
      `,
    },
    {
      record: 'instance:kvm_memory_promised_maximum_per_capacity:ratio',
      expr: promql`
        instance:kvm_memory_promised_maximum_bytes:sum
        /
        (kvm_memory_capacity_bytes > 0)
        or
        # Huge pages may have taken all there is: what is promised out of nothing is infinitely much.
        (instance:kvm_memory_promised_maximum_bytes:sum > 0)
        /
        kvm_memory_capacity_bytes
      `,
    },
    {
      record: 'instance_page_size:kvm_hugepages_promised_per_capacity:ratio',
      expr: promql`
        kvm_hugepages_promised_bytes
        /
        (kvm_hugepages_capacity_bytes > 0)
      `,
    },
    {
      record: 'instance:kvm_memory_exposure_per_supply:ratio',
      expr: promql`
        # No guard against a supply of 0: a claim on nothing is infinitely exposed, and must not vanish.
        kvm_memory_exposure_bytes
        /
        kvm_memory_supply_bytes
      `,
    },
    {
      record: 'instance:kvm_memory_exposure_maximum_per_supply:ratio',
      expr: promql`
        kvm_memory_exposure_maximum_bytes
        /
        kvm_memory_supply_bytes
      `,
    },
    {
      record: 'instance:kvm_host_memory_available:ratio',
      expr: promql`
        (
            # The cache of ZFS can be given up, and MemAvailable lacks it.
              kvm_host_memory_available_bytes
            + on (cluster, job, instance) group_left ()
              kvm_host_zfs_arc_reclaimable_bytes
          or
            kvm_host_memory_available_bytes
        )
        /
        # Pools of huge pages are set aside: nobody who is short of memory gets any of them.
        (
          (
              kvm_host_memory_size_bytes
            - on (cluster, job, instance) group_left ()
              sum without (page_size) (kvm_host_hugepages_size_bytes)
            or
              kvm_host_memory_size_bytes
          )
          > 0
        )
      `,
    },
    {
      record: 'instance:kvm_host_swap_in_bytes:rate5m',
      expr: promql`
        # Pages that zswap serves are not in pswpin, but the guest waited for them all the same.
          rate(kvm_host_swap_in_bytes_total[5m])
        + on (cluster, job, instance) group_left ()
          rate(kvm_host_zswap_in_bytes_total[5m])
        or
        rate(kvm_host_swap_in_bytes_total[5m])
      `,
    },
    {
      record: 'instance:kvm_host_swap_out_bytes:rate5m',
      expr: promql`
          rate(kvm_host_swap_out_bytes_total[5m])
        + on (cluster, job, instance) group_left ()
          rate(kvm_host_zswap_out_bytes_total[5m])
        or
        rate(kvm_host_swap_out_bytes_total[5m])
      `,
    },
    {
      record: 'instance:kvm_host_swap_storm_bytes:rate5m',
      expr: promql`
        # The weaker direction. Only out: cold memory leaves, harmless. Only in: the host recovers.
        instance:kvm_host_swap_in_bytes:rate5m <= instance:kvm_host_swap_out_bytes:rate5m
        or
        instance:kvm_host_swap_out_bytes:rate5m < instance:kvm_host_swap_in_bytes:rate5m
      `,
    },
    {
      record: 'instance:kvm_host_swap_used:ratio',
      expr: promql`
        1
        -
        kvm_host_swap_free_bytes
        /
        (kvm_host_swap_size_bytes > 0)
      `,
    },
    {
      record: 'instance:kvm_host_swap_per_overcommit:ratio',
      expr: promql`
        kvm_host_swap_size_bytes
        /
        (instance:kvm_memory_promised_bytes:sum - kvm_memory_capacity_bytes > 0)
      `,
    },
    {
      record: 'instance:kvm_host_major_page_faults:rate5m',
      expr: 'rate(kvm_host_major_page_faults_total[5m])',
    },
    {
      record: 'instance:kvm_host_allocation_stalls:rate5m',
      expr: 'sum without (zone) (rate(kvm_host_allocation_stalls_total[5m]))',
    },
    {
      record: 'instance:kvm_host_reclaim_freed_per_scanned:ratio',
      expr: promql`
        # How hard it is to find something to free: near 1 is easy, near 0 is thrashing.
        sum without (by) (rate(kvm_host_reclaim_freed_bytes_total[5m]))
        /
        (sum without (by) (rate(kvm_host_reclaim_scanned_bytes_total[5m])) > 0)
      `,
    },
    {
      record: 'instance:kvm_host_oom_kills:increase10m',
      expr: promql`
        # Against the last value before, however long no scrape came in between, and only where there is
        # one: a host that is seen for the first time has killed nobody just now.
        kvm_host_oom_kills_total - last_over_time(kvm_host_oom_kills_total[1d] offset 10m) >= 0
        or
        # The host began anew.
        (
          kvm_host_oom_kills_total
          and on (cluster, job, instance)
          last_over_time(kvm_host_oom_kills_total[1d] offset 10m)
        )
      `,
    },
    {
      record: 'instance_domain:kvm_domain_swapped:ratio',
      expr: promql`
        # Of the memory the guest really has, not of its promise.
        kvm_domain_swap_bytes
        /
        (kvm_domain_swap_bytes + sum without (kind) (kvm_domain_resident_bytes) > 0)
      `,
    },
    {
      record: 'instance_domain:kvm_domain_memory_claimable_bytes:topk',
      expr: 'topk by (cluster, job, instance) (5, kvm_domain_memory_claimable_bytes)',
    },
    {
      record: 'instance_domain:kvm_domain_swap_bytes:topk',
      expr: 'topk by (cluster, job, instance) (5, kvm_domain_swap_bytes)',
    },
  ],
  alerts: [
    {
      name: 'KvmMemoryOverPromised',
      summary: 'More memory is promised to guests than the policy allows.',
      description: prose`
        Guests on {{ $labels.instance }} are promised
        ${AT_LEAST}${only('instance:kvm_memory_promised_bytes:sum{@}', 'bytes', 'unknown')} and it can give
        ${only('kvm_memory_capacity_bytes{@}', 'bytes', 'unknown')}. May claim most: ${CLAIMS}. Shrink
        guests, move them, or add memory or swap.
      `,
      dashboard: MEMORY,
      at: { warning: { for: '10m' } },
      expr: () => promql`
        instance:kvm_memory_promised_per_capacity:ratio
        ${beyond('memory.promised_ratio', 'warning')}
      `,
    },
    {
      name: 'KvmHugepagesOverPromised',
      summary: 'Guests are promised more huge pages than there are.',
      description: prose`
        Guests on {{ $labels.instance }} are promised ${value('percent')} of its huge pages of
        {{ $labels.page_size | humanize1024 }}B: a guest that touches one too many is killed. Largest
        guests: ${top('kvm_domain_memory_maximum_bytes{@}', 'bytes')}. Move one away or add huge pages.
      `,
      dashboard: MEMORY,
      at: { warning: { for: '10m' } },
      // Huge pages cannot be swapped or merged, so no policy can allow more than there are.
      expr: () => 'instance_page_size:kvm_hugepages_promised_per_capacity:ratio > 1',
    },
    {
      name: 'KvmMemoryRunOnTheBank',
      summary: 'Guests may claim more memory than a host has left.',
      description: prose`
        Guests on {{ $labels.instance }} may claim ${AT_LEAST}${only('kvm_memory_exposure_bytes{@}', 'bytes', 'unknown')}
        and ${only('kvm_memory_supply_bytes{@}', 'bytes', 'unknown')} of memory and swap are left. May
        claim most: ${CLAIMS}. If they do, the host swaps until it kills one of them: move one away or
        add swap.
      `,
      dashboard: MEMORY,
      at: { warning: { for: '10m' } },
      expr: () => promql`
        instance:kvm_memory_exposure_per_supply:ratio
        ${beyond('memory.exposure_per_supply_ratio', 'warning')}
      `,
    },
    {
      name: 'KvmSwapStorm',
      summary: 'A host swaps in and out at the same time.',
      description: prose`
        {{ $labels.instance }} swaps in as well as out, ${value('bytes per second')} in the weaker
        direction: guests throw each other out of memory. Hit hardest: ${HIT_HARDEST}. Most swapped:
        ${SWAPPED}. Largest in memory: ${RESIDENT}. Move, pause or shut down one of them.
      `,
      dashboard: MEMORY,
      at: {
        warning: { for: '1m', keepFiringFor: '5m' },
        critical: { for: '1m', keepFiringFor: '5m' },
      },
      expr: (severity) =>
        severity === 'critical'
          ? promql`
              (
                instance:kvm_host_swap_storm_bytes:rate5m
                ${beyond('memory.swap_bytes_per_second', 'critical')}
              )
              and on (cluster, job, instance) (
                (
                  instance:kvm_host_memory_pressure_stalled:ratio
                  ${beyond('memory.pressure_ratio', 'warning')}
                )
                or
                # Swap in RAM is quick, so that somebody always runs; most of the time others wait.
                (
                  instance:kvm_host_memory_pressure_waiting:ratio
                  ${beyond('memory.pressure_ratio', 'critical')}
                )
                or
                # A kernel without PSI: pages that had to be waited for tell the same.
                (
                  instance:kvm_host_major_page_faults:rate5m
                  ${beyond('memory.major_faults_per_second', 'warning')}
                )
                unless on (cluster, job, instance) instance:kvm_host_memory_pressure_stalled:ratio
              )
            `
          : promql`
              (
                instance:kvm_host_swap_storm_bytes:rate5m
                ${beyond('memory.swap_bytes_per_second', 'warning')}
              )
              # Traffic nobody waits for, of zram for instance, is no storm.
              unless on (cluster, job, instance) (
                instance:kvm_host_memory_pressure_waiting:ratio
                ${within('memory.pressure_ratio', 'warning')}
              )
            `,
    },
    {
      name: 'KvmGuestSwappedByHost',
      summary: 'The host has swapped out much of a guest.',
      description: prose`
        ${value('percent')} of the memory of {{ $labels.domain }} is in the swap of
        {{ $labels.instance }}. The guest cannot see it and will be slow when it needs that memory.
        May claim most there: ${CLAIMS}.
      `,
      dashboard: GUEST,
      at: { warning: { for: '15m' } },
      expr: () => promql`
        instance_domain:kvm_domain_swapped:ratio
        ${beyond('memory.guest_swapped_ratio', 'warning')}
      `,
    },
    {
      name: 'KvmHostMajorFaults',
      summary: 'A host often waits for memory to be read from a disk.',
      description: prose`
        {{ $labels.instance }} has ${value('number')} major page faults per second. Most swapped:
        ${SWAPPED}.
      `,
      dashboard: MEMORY,
      at: { warning: { for: '15m', keepFiringFor: '5m' } },
      expr: () => promql`
        instance:kvm_host_major_page_faults:rate5m
        ${beyond('memory.major_faults_per_second', 'warning')}
      `,
    },
    {
      name: 'KvmAllocationStalls',
      summary: 'Programs on a host must free memory before they get any.',
      description: prose`
        ${value('number')} allocations per second on {{ $labels.instance }} had to free memory
        themselves first; in a vCPU thread that is time the guest loses. Largest in memory:
        ${RESIDENT}.
      `,
      dashboard: MEMORY,
      at: { warning: { for: '10m', keepFiringFor: '5m' } },
      expr: () => promql`
        instance:kvm_host_allocation_stalls:rate5m
        ${beyond('memory.allocation_stalls_per_second', 'warning')}
      `,
    },
    {
      name: 'KvmHostOomKill',
      summary: 'A host killed a process for want of memory.',
      description: prose`
        Processes {{ $labels.instance }} killed in the last ten minutes: ${value('count')}. Guests that
        ran ten minutes ago and are gone or crashed: ${GONE}. Largest that are left: ${RESIDENT}. Free
        memory before a victim is started again.
      `,
      dashboard: MEMORY,
      // No waiting: the process is gone already.
      at: { critical: {}, warning: {} },
      expr: (severity) =>
        severity === 'critical'
          ? promql`
              (
                instance:kvm_host_oom_kills:increase10m
                ${beyond('memory.oom_kills', 'critical')}
              )
              # A program of the host that met its own limit is no guest.
              and on (cluster, job, instance) (
                # What was killed is gone, or off because it crashed; paused by a panic it lives on.
                last_over_time(kvm_domain_state{state="running"}[1h] offset 10m)
                  unless on (cluster, job, instance, domain) (
                    kvm_domain_state{state!="shutoff"} or kvm_domain_state{reason!="crashed"}
                  )
                or
                # Started again at once by whoever watches over it.
                kvm_domain_start_time_seconds
                  > last_over_time(kvm_domain_start_time_seconds[1h] offset 10m)
                or
                rate(kvm_domain_cgroup_memory_events_total{event="oom_kill"}[10m]) > 0
              )
            `
          : promql`
              instance:kvm_host_oom_kills:increase10m
              ${beyond('memory.oom_kills', 'critical')}
            `,
    },
    {
      name: 'KvmHostMemoryLow',
      summary: 'A host has little memory left.',
      description: prose`
        {{ $labels.instance }} has ${value('percent')} of its memory available. Largest in memory:
        ${RESIDENT}. May claim most: ${CLAIMS}.
      `,
      dashboard: MEMORY,
      at: { warning: { for: '15m' }, critical: { for: '5m', keepFiringFor: '5m' } },
      expr: (severity) =>
        severity === 'critical'
          ? promql`
              (
                instance:kvm_host_memory_available:ratio
                ${beyond('memory.available_ratio', 'critical')}
              )
              # Little memory alone harms nobody; waiting for it does.
              and on (cluster, job, instance) (
                instance:kvm_host_allocation_stalls:rate5m
                ${beyond('memory.allocation_stalls_per_second', 'warning')}
              )
            `
          : promql`
              instance:kvm_host_memory_available_below_claims:ratio
              ${beyond('memory.available_ratio', 'warning')}
            `,
    },
    {
      name: 'KvmHostMemoryPressure',
      summary: 'All tasks of a host stall on memory.',
      description: prose`
        On {{ $labels.instance }} nothing could run ${value('percent')} of the time because all
        tasks waited for memory. Most swapped: ${SWAPPED}. Largest in memory: ${RESIDENT}.
      `,
      dashboard: MEMORY,
      at: {
        warning: { for: '5m', keepFiringFor: '5m' },
        critical: { for: '1m', keepFiringFor: '5m' },
      },
      expr: (severity) => promql`
        instance:kvm_host_memory_pressure_stalled:ratio
        ${beyond('memory.pressure_ratio', severity === 'critical' ? 'critical' : 'warning')}
      `,
    },
    {
      name: 'KvmSwapAlmostFull',
      summary: 'The swap of a host is almost used up.',
      description: prose`
        ${value('percent')} of the swap of {{ $labels.instance }} is used. Most swapped: ${SWAPPED}.
        Once it is full the host can only kill.
      `,
      dashboard: MEMORY,
      at: { warning: { for: '10m' } },
      expr: () => promql`
        instance:kvm_host_swap_used_below_claims:ratio
        ${beyond('memory.swap_used_ratio', 'warning')}
      `,
    },
    {
      name: 'KvmSwapTooSmall',
      summary: 'The swap of a host does not cover its memory over-commitment.',
      description: prose`
        The swap of {{ $labels.instance }} covers ${value('percent')} of what it has promised beyond
        its memory. May claim most: ${CLAIMS}. Add swap or promise less.
      `,
      dashboard: MEMORY,
      at: { warning: { for: '1h' } },
      expr: () => promql`
        instance:kvm_host_swap_per_overcommit:ratio
        ${beyond('memory.swap_cover_ratio', 'warning')}
      `,
    },
    {
      name: 'KvmHostMemoryCorrupted',
      summary: 'A host has taken broken memory out of use.',
      description: prose`
        ${value('bytes')} of the memory of {{ $labels.instance }} is broken. A guest that had it has
        been killed or will be when it reads it. Largest in memory: ${RESIDENT}. Move the guests away.
      `,
      dashboard: MEMORY,
      at: { warning: { for: '1m' } },
      expr: () => 'kvm_host_memory_corrupted_bytes > 0',
    },
  ],
};
