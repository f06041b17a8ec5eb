import { names, top, value } from './annotations.ts';
import { beyond, within } from './limit.ts';
import { promql, prose, type Subject } from './rule.ts';

const HOST = { uid: 'kvm-host', variables: ['cluster', 'job', 'instance'] } as const;
const GUEST = { uid: 'kvm-guest', variables: ['cluster', 'job', 'instance', 'domain'] } as const;

/** The host as a whole: pressure, load, starting everything at once, and guests that are gone. */
export const host: Subject = {
  name: 'host',
  recording: [
    {
      record: 'instance:kvm_host_cpu_pressure_waiting:ratio',
      expr: promql`
        sum without (resource) (
          rate(kvm_host_pressure_waiting_seconds_total{resource="cpu"}[5m])
        )
      `,
    },
    {
      record: 'instance:kvm_host_memory_pressure_waiting:ratio',
      expr: promql`
        sum without (resource) (
          rate(kvm_host_pressure_waiting_seconds_total{resource="memory"}[5m])
        )
      `,
    },
    {
      record: 'instance:kvm_host_memory_pressure_stalled:ratio',
      expr: promql`
        sum without (resource) (
          rate(kvm_host_pressure_stalled_seconds_total{resource="memory"}[5m])
        )
      `,
    },
    {
      record: 'instance:kvm_host_io_pressure_waiting:ratio',
      expr: promql`
        sum without (resource) (
          rate(kvm_host_pressure_waiting_seconds_total{resource="io"}[5m])
        )
      `,
    },
    {
      record: 'instance:kvm_host_io_pressure_stalled:ratio',
      expr: promql`
        sum without (resource) (
          rate(kvm_host_pressure_stalled_seconds_total{resource="io"}[5m])
        )
      `,
    },
    {
      record: 'instance:kvm_host_cpu_busy:ratio',
      expr: promql`
        sum without (mode) (rate(kvm_host_cpu_seconds_total{mode!~"idle|iowait"}[5m]))
        /
        (sum without (mode) (rate(kvm_host_cpu_seconds_total[5m])) > 0)
      `,
    },
    {
      record: 'instance:kvm_host_cpu_steal:ratio',
      expr: promql`
        sum without (mode) (rate(kvm_host_cpu_seconds_total{mode="steal"}[5m]))
        /
        (sum without (mode) (rate(kvm_host_cpu_seconds_total[5m])) > 0)
      `,
    },
    {
      record: 'instance:kvm_host_load1_per_cpu:ratio',
      expr: promql`
        kvm_host_load1
        /
        (kvm_host_online_cpus > 0)
      `,
    },
    {
      record: 'instance:kvm_host_memory_thread_cpu_seconds:rate5m',
      expr: promql`
        # CPU time the kernel spends on memory: what over-committing it costs the guests in CPU.
        sum without (thread) (rate(kvm_host_kernel_thread_cpu_seconds_total[5m]))
      `,
    },
    {
      record: 'instance:kvm_cpu_start_all_per_capacity:ratio',
      expr: promql`
        (
            kvm_cpu_promised_vcpus
          + on (cluster, job, instance) group_left ()
            kvm_boot_storm_vcpus{set="autostart",phase="added"}
        )
        /
        (kvm_cpu_capacity_cpus > 0)
      `,
    },
    {
      record: 'instance:kvm_memory_start_all_per_capacity:ratio',
      expr: promql`
        # Guests start with an empty balloon, so with their maximum.
        (
            instance:kvm_memory_promised_maximum_bytes:sum
          + on (cluster, job, instance) group_left ()
            kvm_boot_storm_memory_bytes{set="autostart",phase="added"}
        )
        / on (cluster, job, instance) group_left ()
        (kvm_memory_capacity_bytes > 0)
      `,
    },
    {
      record: 'instance:kvm_domains_started_recently:ratio',
      expr: promql`
        # Guests younger than five minutes per guest: how much of the host is booting right now. By the
        # clock of the host.
        sum without (domain) (kvm_domain_age_seconds < bool 300)
        /
        count without (domain) (kvm_domain_age_seconds)
      `,
    },
  ],
  alerts: [
    {
      name: 'KvmHostCpuSaturated',
      summary: 'More tasks want to run on a host than it has CPUs.',
      description: prose`
        The load of {{ $labels.instance }} is ${value('number')} per CPU. Using most, in CPUs:
        ${top('instance_domain:kvm_domain_cpu_seconds:rate5m{@}', 'cpus')}.
      `,
      dashboard: HOST,
      at: { warning: { for: '15m', keepFiringFor: '5m' } },
      expr: () => promql`
        (
          instance:kvm_host_load1_per_cpu:ratio
          ${beyond('cpu.load_ratio', 'warning')}
        )
        # Tasks that wait for a disk are in the load too, and want no CPU.
        unless on (cluster, job, instance) (
          instance:kvm_host_cpu_pressure_waiting:ratio
          ${within('cpu.pressure_ratio', 'warning')}
        )
      `,
    },
    {
      name: 'KvmHostCpuPressure',
      summary: 'Some task of a host nearly always waits for a CPU.',
      description: prose`
        On {{ $labels.instance }} some task waited for a CPU ${value('percent')} of the time. Using
        most, in CPUs: ${top('instance_domain:kvm_domain_cpu_seconds:rate5m{@}', 'cpus')}.
      `,
      dashboard: HOST,
      at: { warning: { for: '15m', keepFiringFor: '5m' } },
      expr: () => promql`
        # The critical limit: that somebody waits half of the time is usual on a busy host.
        instance:kvm_host_cpu_pressure_waiting:ratio
        ${beyond('cpu.pressure_ratio', 'critical')}
      `,
    },
    {
      name: 'KvmHostCpuSteal',
      summary: 'The hypervisor below a host takes its CPU time.',
      description: prose`
        {{ $labels.instance }} is a guest itself and lost ${value('percent')} of its CPU time to the
        hypervisor it runs on; nothing done on it helps its guests. To be moved first, because they
        use most, in CPUs: ${top('instance_domain:kvm_domain_cpu_seconds:rate5m{@}', 'cpus')}.
      `,
      dashboard: HOST,
      at: { warning: { for: '15m' } },
      expr: () => promql`
        instance:kvm_host_cpu_steal:ratio
        ${beyond('cpu.steal_ratio', 'warning')}
      `,
    },
    {
      name: 'KvmHostIoPressure',
      summary: 'Whoever is awake on a host waits for I/O most of the time.',
      description: prose`
        On {{ $labels.instance }} nobody got on for want of I/O ${value('percent')} of the time. Writing
        most: ${top('instance_domain:kvm_domain_disk_write_bytes:rate5m{@}', 'bytes per second')}.
        Reading most:
        ${top('instance_domain:kvm_domain_disk_read_bytes:rate5m{@}', 'bytes per second')}.
      `,
      dashboard: HOST,
      at: { warning: { for: '15m', keepFiringFor: '5m' } },
      expr: () => promql`
        # That some task waits is what a night of backups looks like, while guests get on.
        instance:kvm_host_io_pressure_stalled:ratio
        ${beyond('storage.pressure_ratio', 'warning')}
      `,
    },
    {
      name: 'KvmBootStormCpu',
      summary: 'A host would have too many vCPUs if all guests with autostart ran.',
      description: prose`
        {{ $labels.instance }} would run ${value('number')} vCPUs per CPU if every guest that starts
        with it ran. Largest guests (vCPUs): ${top('kvm_domain_vcpus{@}', 'number')}. Take autostart
        away from guests, or spread their start.
      `,
      dashboard: HOST,
      at: { warning: { for: '1h' } },
      expr: () => promql`
        instance:kvm_cpu_start_all_per_capacity:ratio
        ${beyond('cpu.start_all_ratio', 'warning')}
      `,
    },
    {
      name: 'KvmBootStormMemory',
      summary: 'A host would lack memory if all guests with autostart ran.',
      description: prose`
        {{ $labels.instance }} would have promised ${value('percent')} of the memory it can give if
        every guest that starts with it ran. Largest guests:
        ${top('kvm_domain_memory_maximum_bytes{@}', 'bytes')}. Take autostart away from guests, or
        the last ones to start may not.
      `,
      dashboard: { uid: 'kvm-memory', variables: ['cluster', 'job', 'instance'] },
      at: { warning: { for: '1h' } },
      expr: () => promql`
        instance:kvm_memory_start_all_per_capacity:ratio
        ${beyond('memory.start_all_ratio', 'warning')}
      `,
    },
    {
      name: 'KvmGuestCrashed',
      summary: 'A guest has crashed.',
      description: prose`
        {{ $labels.domain }} on {{ $labels.instance }} is {{ $labels.state }}:
        ${'{{ if eq $labels.state "shutoff" }}its QEMU process ended by itself or was killed, or its kernel panicked{{ else }}its kernel panicked{{ end }}'}.
        All that crashed there:
        ${names('kvm_domain_state{@,state=~"shutoff|crashed|paused",reason=~"crashed|panicked"}')}.
        Find the cause, then start it again.
      `,
      dashboard: GUEST,
      at: { critical: { for: '1m' } },
      expr: () => promql`
        # A reason means nothing without its state, so both are matched together.
        (
          kvm_domain_state{state="shutoff",reason="crashed"} == 1
          or
          kvm_domain_state{state="crashed"} == 1
          or
          kvm_domain_state{state="paused",reason="crashed"} == 1
        )
        # One that was left off for longer is off on purpose. A guest kept for a look counts until then.
        and on (cluster, job, instance, domain)
        max_over_time(kvm_domain_state{state="running"}[1d])
      `,
    },
    {
      name: 'KvmMigrationStuck',
      summary: 'A migration, backup or dump of a guest does not get on.',
      description: prose`
        {{ $labels.domain }} on {{ $labels.instance }} is being moved, saved or copied, which fails,
        stands still, or moves memory more than twice because the guest writes as fast. Left to move:
        ${top('kvm_domain_job_data_remaining_bytes{@}', 'bytes')}. Writing most to disks:
        ${top('instance_domain:kvm_domain_disk_write_bytes:rate5m{@}', 'bytes per second')}.
        Find out which, then cancel it or slow the guest down.
      `,
      dashboard: GUEST,
      at: { warning: { for: '15m' }, critical: { for: '1m' } },
      expr: (severity) =>
        severity === 'critical'
          ? promql`
              # Half of its memory is on the other host, and the way there is gone.
              kvm_domain_state{state=~"paused|running",reason="postcopy_failed"} == 1
            `
          : promql`
              # Jobs that have nothing to move, such as a backup that others fetch, have a size of 0.
              (kvm_domain_job_data_size_bytes > 0)
              and on (cluster, job, instance, domain) (
                max_over_time(kvm_domain_job_data_processed_bytes[5m])
                  == min_over_time(kvm_domain_job_data_processed_bytes[5m])
                and on (cluster, job, instance, domain)
                # A job that has just begun has not been read twice.
                max_over_time(kvm_domain_job_elapsed_seconds[5m])
                  > min_over_time(kvm_domain_job_elapsed_seconds[5m])
                or
                kvm_domain_job_data_processed_bytes / kvm_domain_job_data_size_bytes > 2
              )
            `,
    },
  ],
};
