import { names, only, top, value } from './annotations.ts';
import { beyond } from './limit.ts';
import { promql, prose, type Subject } from './rule.ts';

const GUEST = { uid: 'kvm-guest', variables: ['cluster', 'job', 'instance', 'domain'] } as const;

const LEAST_PRESSED = top('kvm_domain_guest_memory_available_bytes{@,domain!=$domain}', 'bytes');

/** Memory as guests see it, which only their balloon statistics tell. */
export const guestMemory: Subject = {
  name: 'guest-memory',
  recording: [
    {
      record: 'instance_domain:kvm_domain_balloon_stats_age_per_period:ratio',
      expr: promql`
        # QEMU's timer stands still while a guest is paused, so only running guests can be late.
        # By the clock of the host: that of Prometheus may differ, and a scrape is old when it is judged.
        kvm_domain_balloon_stats_age_seconds
        /
        (kvm_domain_balloon_stats_period_seconds > 0)
        and on (cluster, job, instance, domain) kvm_domain_state{state="running"} == 1
      `,
    },
    {
      record: 'instance_domain:kvm_domain_guest_memory_available:ratio',
      expr: promql`
        # Statistics that are no longer refreshed keep their last value for ever: better none.
        kvm_domain_guest_memory_available_bytes
        /
        (kvm_domain_guest_memory_size_bytes > 0)
        unless on (cluster, job, instance, domain) (
          instance_domain:kvm_domain_balloon_stats_age_per_period:ratio
          ${beyond('memory.balloon_stats_age_ratio', 'warning')}
        )
      `,
    },
    {
      record: 'instance_domain:kvm_domain_guest_swap_storm_bytes:rate5m',
      expr: promql`
        # The weaker direction, as for the host.
        rate(kvm_domain_guest_swap_in_bytes_total[5m])
          <= rate(kvm_domain_guest_swap_out_bytes_total[5m])
        or
        rate(kvm_domain_guest_swap_out_bytes_total[5m])
          < rate(kvm_domain_guest_swap_in_bytes_total[5m])
      `,
    },
    {
      record: 'instance_domain:kvm_domain_guest_major_faults:rate5m',
      expr: 'rate(kvm_domain_guest_major_faults_total[5m])',
    },
    {
      record: 'instance_domain:kvm_domain_guest_thrashing:bool',
      expr: promql`
        # 1 for a guest that swaps in both directions, or keeps reading its own programs from disk.
        group without () (
          (
            instance_domain:kvm_domain_guest_swap_storm_bytes:rate5m
            ${beyond('memory.guest_swap_bytes_per_second', 'warning')}
          )
          or
          (
            instance_domain:kvm_domain_guest_major_faults:rate5m
            ${beyond('memory.guest_major_faults_per_second', 'warning')}
          )
        )
      `,
    },
    {
      record: 'instance_domain:kvm_domain_memory_pressure_stalled:ratio',
      expr: promql`
        # Time in which nothing in the cgroup of a guest could run for want of memory.
        sum without (resource) (
          rate(kvm_domain_pressure_stalled_seconds_total{resource="memory"}[5m])
        )
      `,
    },
    {
      record: 'instance_domain:kvm_domain_cgroup_memory_limit_events:rate5m',
      expr: promql`
        # Slowed down by its soft limit, or made to give up memory at its hard one.
        sum without (event) (
          rate(kvm_domain_cgroup_memory_events_total{event=~"max|high"}[5m])
        )
      `,
    },
    {
      record: 'instance_domain:kvm_domain_balloon_taken:ratio',
      expr: promql`
        # The part of a guest's memory its balloon has taken.
        1
        -
        kvm_domain_balloon_current_bytes
        /
        (kvm_domain_memory_maximum_bytes > 0)
      `,
    },
    {
      record: 'instance_domain:kvm_domain_balloon_lag:ratio',
      expr: promql`
        abs(kvm_domain_balloon_current_bytes - kvm_domain_balloon_target_bytes)
        /
        (kvm_domain_balloon_target_bytes > 0)
      `,
    },
    {
      record: 'instance_domain:kvm_domain_virtio_mem_lag:ratio',
      expr: promql`
        # Of the virtio-mem device that is furthest from what was asked of it, as a part of its size.
        max without (device) (
          abs(kvm_domain_virtio_mem_plugged_bytes - kvm_domain_virtio_mem_requested_bytes)
          /
          (kvm_domain_virtio_mem_size_bytes > 0)
        )
      `,
    },
    {
      record: 'instance:kvm_domains_without_balloon_stats:count',
      expr: promql`
        # Running guests nobody asks how much of their memory they need.
        count without (domain, state, reason) (
          (kvm_domain_state{state="running"} == 1)
          unless on (cluster, job, instance, domain) kvm_domain_balloon_stats_period_seconds
        )
      `,
    },
  ],
  alerts: [
    {
      name: 'KvmBalloonSqueezesGuest',
      summary: 'The balloon of a guest leaves it too little memory.',
      description: prose`
        {{ $labels.domain }} on {{ $labels.instance }} has ${value('percent')} of its memory left
        while its balloon holds memory back. Deflate its balloon; guests there that could give
        instead: ${LEAST_PRESSED}.
      `,
      dashboard: GUEST,
      at: { warning: { for: '10m' } },
      expr: () => promql`
        (
          instance_domain:kvm_domain_guest_memory_available:ratio
          ${beyond('memory.guest_available_ratio', 'warning')}
        )
        # Without a balloon in action a small guest is its owner's choice.
        and on (cluster, job, instance, domain)
        instance_domain:kvm_domain_balloon_taken:ratio > 0
      `,
    },
    {
      name: 'KvmGuestThrashing',
      summary: 'A guest spends its time on paging.',
      description: prose`
        {{ $labels.domain }} on {{ $labels.instance }} swaps in and out or keeps reading its programs
        from disk. Its memory: ${top('kvm_domain_balloon_current_bytes{@}', 'bytes', { count: 5 })}
        (largest guests there). Deflate its balloon or give it more memory.
      `,
      dashboard: GUEST,
      at: { warning: { for: '10m', keepFiringFor: '5m' } },
      expr: () => 'instance_domain:kvm_domain_guest_thrashing:bool == 1',
    },
    {
      name: 'KvmGuestOutOfMemory',
      summary: 'A guest is out of memory.',
      description: prose`
        {{ $labels.domain }} on {{ $labels.instance }} has ${value('percent')} of its memory left and
        does nothing but page: its kernel is about to kill a program, or has. Deflate its balloon
        now; guests there that could give instead: ${LEAST_PRESSED}.
      `,
      dashboard: GUEST,
      at: { critical: { for: '5m', keepFiringFor: '5m' } },
      expr: () => promql`
        (
          instance_domain:kvm_domain_guest_memory_available:ratio
          ${beyond('memory.guest_available_ratio', 'critical')}
        )
        and on (cluster, job, instance, domain)
        instance_domain:kvm_domain_guest_thrashing:bool
      `,
    },
    {
      name: 'KvmGuestMemoryLimited',
      summary: 'A guest stalls at the memory limit of its own cgroup.',
      description: prose`
        {{ $labels.domain }} on {{ $labels.instance }} could not run ${value('percent')} of the time
        because it is at the memory limit set for it, whatever the host has left. Its limit:
        ${only('kvm_domain_cgroup_memory_limit_bytes{@,domain=$domain}', 'bytes', 'none, but a soft one')}.
        Raise it above what the guest may have and QEMU needs.
      `,
      dashboard: GUEST,
      at: {
        warning: { for: '5m', keepFiringFor: '5m' },
        critical: { for: '5m', keepFiringFor: '5m' },
      },
      expr: (severity) => promql`
        (
          instance_domain:kvm_domain_memory_pressure_stalled:ratio
          ${beyond('memory.pressure_ratio', severity === 'critical' ? 'critical' : 'warning')}
        )
        and on (cluster, job, instance, domain)
        instance_domain:kvm_domain_cgroup_memory_limit_events:rate5m > 0
      `,
    },
    {
      name: 'KvmBalloonLag',
      summary: 'The balloon or virtio-mem of a guest does not follow what it was told.',
      description: prose`
        What {{ $labels.domain }} on {{ $labels.instance }} has differs by ${value('percent')} from
        what it was told to have: it cannot give the memory up, or has no driver for it. Do not
        count on that memory; ask another guest: ${LEAST_PRESSED}.
      `,
      dashboard: GUEST,
      at: { warning: { for: '10m' } },
      expr: () => promql`
        (
          (
            instance_domain:kvm_domain_balloon_lag:ratio
            ${beyond('memory.balloon_lag_ratio', 'warning')}
          )
          or
          (
            instance_domain:kvm_domain_virtio_mem_lag:ratio
            ${beyond('memory.balloon_lag_ratio', 'warning')}
          )
        )
        and on (cluster, job, instance, domain) kvm_domain_state{state="running"} == 1
      `,
    },
    {
      name: 'KvmBalloonWithoutGain',
      summary: 'A guest gave memory up and the host did not get it.',
      description: prose`
        The balloon of {{ $labels.domain }} on {{ $labels.instance }} has taken ${value('percent')} of
        its memory, but that memory is locked, shared or pinned by a device and stays where it is.
        Deflate the balloon: it only hurts the guest. Guests there that could give instead:
        ${LEAST_PRESSED}.
      `,
      dashboard: GUEST,
      at: { warning: { for: '15m' } },
      expr: () => promql`
        instance_domain:kvm_domain_balloon_taken:ratio > 0
        and on (cluster, job, instance, domain) kvm_domain_memory_backing_info{balloonable="no"} == 1
      `,
    },
    {
      name: 'KvmBalloonStatsStale',
      summary: 'A guest no longer reports its memory statistics.',
      description: prose`
        {{ $labels.domain }} on {{ $labels.instance }} is asked for its memory statistics every
        ${only('kvm_domain_balloon_stats_period_seconds{@,domain=$domain}', 'seconds', 'so often')} and
        its last answer is
        ${only('kvm_domain_balloon_stats_age_seconds{@,domain=$domain}', 'seconds', 'nowhere, or never came, and not')}
        old: its balloon driver is not loaded or hangs, so nobody knows whether it is short of memory.
        Install or start the driver.
      `,
      dashboard: GUEST,
      at: { warning: { for: '15m' } },
      expr: () => promql`
        (
          instance_domain:kvm_domain_balloon_stats_age_per_period:ratio
          ${beyond('memory.balloon_stats_age_ratio', 'warning')}
        )
        or
        # Asked, and never answered: there is no driver.
        (
          # Its value would be an age in periods, had it one.
          group without () (kvm_domain_balloon_stats_period_seconds > 0)
          unless on (cluster, job, instance, domain) kvm_domain_balloon_stats_age_seconds
          unless on (cluster, job, instance, domain)
          kvm_domain_balloon_last_update_timestamp_seconds
          and on (cluster, job, instance, domain) kvm_domain_state{state="running"} == 1
          # QEMU that does not answer has an alert of its own.
          unless on (cluster, job, instance, domain) kvm_domain_monitor_responsive == 0
        )
      `,
    },
    {
      name: 'KvmBalloonStatsMissing',
      summary: 'Running guests are not asked for memory statistics.',
      description: prose`
        ${value('number')} running guests on {{ $labels.instance }} have no <stats period> at their
        memory balloon, so whether they are short of memory is not known:
        ${names('kvm_domain_state{@,state="running"} unless on (cluster, job, instance, domain) kvm_domain_balloon_stats_period_seconds{@}')}.
      `,
      dashboard: { uid: 'kvm-memory', variables: ['cluster', 'job', 'instance'] },
      at: { info: { for: '1h' } },
      // A count of nothing is none at all.
      expr: () => 'instance:kvm_domains_without_balloon_stats:count',
    },
  ],
};
