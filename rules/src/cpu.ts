import { bottom, top, value } from './annotations.ts';
import { beyond, within } from './limit.ts';
import { promql, prose, type Subject } from './rule.ts';

const HOST = { uid: 'kvm-host', variables: ['cluster', 'job', 'instance'] } as const;
const GUEST = { uid: 'kvm-guest', variables: ['cluster', 'job', 'instance', 'domain'] } as const;

/** How long vCPUs wait for a CPU. */
export const vcpus: Subject = {
  name: 'vcpu',
  recording: [
    {
      record: 'instance_domain_vcpu:kvm_domain_vcpu_delay_seconds:rate5m',
      expr: 'rate(kvm_domain_vcpu_delay_seconds_total[5m])',
    },
    {
      record: 'instance_domain:kvm_domain_vcpu_delay_seconds:max_rate5m',
      expr: 'max without (vcpu) (instance_domain_vcpu:kvm_domain_vcpu_delay_seconds:rate5m)',
    },
    {
      record: 'instance_domain:kvm_domain_vcpu_delay_seconds:sum_rate5m',
      expr: 'sum without (vcpu) (instance_domain_vcpu:kvm_domain_vcpu_delay_seconds:rate5m)',
    },
    {
      record: 'instance_domain:kvm_domain_cpu_throttled_seconds:rate5m',
      expr: 'rate(kvm_domain_cpu_throttled_seconds_total[5m])',
    },
    {
      record: 'instance_domain:kvm_domain_vcpu_delay:ratio',
      expr: promql`
        # The vCPU that waits most stands for its guest: a guest is as slow as the vCPU that holds a lock.
        # Kernels up to 6.12 at least count time throttled by a quota as delay, so it is taken off.
        clamp_min(
            instance_domain:kvm_domain_vcpu_delay_seconds:max_rate5m
          - on (cluster, job, instance, domain) group_left ()
            instance_domain:kvm_domain_cpu_throttled_seconds:rate5m,
          0
        )
        or
        instance_domain:kvm_domain_vcpu_delay_seconds:max_rate5m
      `,
    },
    {
      record: 'instance_domain:kvm_domain_vcpu_delay_seconds:rate5m',
      expr: promql`
        # All vCPUs of a guest together, again without throttled time.
        clamp_min(
            instance_domain:kvm_domain_vcpu_delay_seconds:sum_rate5m
          - on (cluster, job, instance, domain) group_left ()
            instance_domain:kvm_domain_cpu_throttled_seconds:rate5m,
          0
        )
        or
        instance_domain:kvm_domain_vcpu_delay_seconds:sum_rate5m
      `,
    },
    {
      record: 'instance_domain:kvm_domain_vcpu_delay:mean',
      expr: promql`
        # The mean over the vCPUs of a guest: one that waits is a nuisance, all that wait are an outage.
        instance_domain:kvm_domain_vcpu_delay_seconds:rate5m
        /
        count without (vcpu) (instance_domain_vcpu:kvm_domain_vcpu_delay_seconds:rate5m)
      `,
    },
    {
      record: 'instance:kvm_domain_vcpu_delay_seconds:rate5m',
      expr: 'sum without (domain) (instance_domain:kvm_domain_vcpu_delay_seconds:rate5m)',
    },
    {
      record: 'instance:kvm_domain_vcpu_delay_seconds:count',
      expr: promql`
        # vCPUs whose wait is measured.
        count without (domain, vcpu) (instance_domain_vcpu:kvm_domain_vcpu_delay_seconds:rate5m)
      `,
    },
    {
      record: 'instance:kvm_domain_vcpu_delay:ratio',
      expr: promql`
        # Per vCPU of the host, not the mean of the guests' ratios: large guests count for more.
        instance:kvm_domain_vcpu_delay_seconds:rate5m
        /
        instance:kvm_domain_vcpu_delay_seconds:count
      `,
    },
  ],
  alerts: [],
};

/** vCPUs against CPUs: what was promised, who waits, who takes. */
export const cpu: Subject = {
  name: 'cpu',
  recording: [
    {
      record: 'instance:kvm_cpu_promised_per_capacity:ratio',
      expr: promql`
        kvm_cpu_promised_vcpus
        /
        (kvm_cpu_capacity_cpus > 0)
      `,
    },
    {
      record: 'instance:kvm_cpu_promised_per_core:ratio',
      expr: promql`
        kvm_cpu_promised_vcpus
        /
        (kvm_cpu_capacity_cores > 0)
      `,
    },
    {
      record: 'instance:kvm_cpu_promised_maximum_per_capacity:ratio',
      expr: promql`
        kvm_cpu_promised_maximum_vcpus
        /
        (kvm_cpu_capacity_cpus > 0)
      `,
    },
    {
      record: 'instance_node:kvm_cpu_promised_per_capacity:ratio',
      expr: promql`
        kvm_cpu_node_promised_vcpus
        /
        (kvm_cpu_node_capacity_cpus > 0)
      `,
    },
    {
      record: 'instance_cpuset:kvm_cpu_promised_per_capacity:ratio',
      expr: promql`
        kvm_cpu_set_promised_vcpus
        /
        (kvm_cpu_set_capacity_cpus > 0)
      `,
    },
    {
      record: 'instance_domain:kvm_domain_vcpus_per_allowed_cpu:ratio',
      expr: promql`
        kvm_domain_vcpus
        /
        (kvm_domain_cpu_allowed_cpus > 0)
      `,
    },
    {
      record: 'instance_domain:kvm_domain_cpu_throttled_periods:ratio',
      expr: promql`
        rate(kvm_domain_cpu_throttled_periods_total[5m])
        /
        (rate(kvm_domain_cpu_periods_total[5m]) > 0)
      `,
    },
    {
      record: 'instance_domain:kvm_domain_cpu_seconds:rate5m',
      expr: 'sum without (mode) (rate(kvm_domain_cpu_seconds_total[5m]))',
    },
    {
      record: 'instance_domain:kvm_domain_cpu_share:ratio',
      expr: promql`
        # Of all CPU time the host has, not only of what is in use.
        instance_domain:kvm_domain_cpu_seconds:rate5m
        / on (cluster, job, instance) group_left ()
        (kvm_host_online_cpus > 0)
      `,
    },
    {
      record: 'instance_domain:kvm_domain_cpu_obtained_per_guaranteed:ratio',
      expr: promql`
        instance_domain:kvm_domain_cpu_seconds:rate5m
        / on (cluster, job, instance, domain) group_left ()
        (kvm_domain_cpu_guaranteed_cpus > 0)
      `,
    },
    {
      record: 'instance_domain:kvm_domain_cpu_wanted_seconds:rate5m',
      expr: promql`
        # What a guest took and what it waited for: nobody is owed more than that.
          instance_domain:kvm_domain_cpu_seconds:rate5m
        + on (cluster, job, instance, domain) group_left ()
          instance_domain:kvm_domain_vcpu_delay_seconds:rate5m
      `,
    },
    {
      record: 'instance_domain:kvm_domain_cpu_obtained_per_entitled:ratio',
      expr: promql`
        # Entitled to what its weight guarantees, or to what it wants, where that is less: one busy thread
        # of a guest with eight vCPUs misses nothing of the other seven.
        instance_domain:kvm_domain_cpu_seconds:rate5m
        / on (cluster, job, instance, domain) group_left ()
        (
          (
            kvm_domain_cpu_guaranteed_cpus
              <= on (cluster, job, instance, domain)
            instance_domain:kvm_domain_cpu_wanted_seconds:rate5m
            or on (cluster, job, instance, domain)
            instance_domain:kvm_domain_cpu_wanted_seconds:rate5m
            and on (cluster, job, instance, domain)
            kvm_domain_cpu_guaranteed_cpus
          )
          > 0
        )
      `,
    },
    {
      record: 'instance_domain:kvm_domain_cpu_per_fair_share:ratio',
      expr: promql`
        # Its fair share: of the CPU time all guests of the host take, the part its guarantee is of all.
        instance_domain:kvm_domain_cpu_obtained_per_guaranteed:ratio
        / on (cluster, job, instance) group_left ()
        (
          sum without (domain) (
            instance_domain:kvm_domain_cpu_seconds:rate5m
            and on (cluster, job, instance, domain) kvm_domain_cpu_guaranteed_cpus > 0
          )
          /
          sum without (domain) (
            kvm_domain_cpu_guaranteed_cpus
            and on (cluster, job, instance, domain) instance_domain:kvm_domain_cpu_seconds:rate5m
          )
          > 0
        )
      `,
    },
    {
      record: 'instance_domain:kvm_domain_cpu_share_of_delayed:ratio',
      expr: promql`
        # Guests that wait longer than the policy allows; an idle guest wants nothing and misses nothing.
        instance_domain:kvm_domain_cpu_share:ratio
        and on (cluster, job, instance, domain) (
          instance_domain:kvm_domain_vcpu_delay:ratio
          ${beyond('cpu.delay_ratio', 'warning')}
        )
      `,
    },
    {
      record: 'instance:kvm_domain_cpu_share_of_delayed:min',
      expr: 'min without (domain) (instance_domain:kvm_domain_cpu_share_of_delayed:ratio)',
    },
    {
      record: 'instance:kvm_domain_cpu_obtained_per_guaranteed:jain',
      expr: promql`
        # Jain's fairness index over the guests that want more than they get: 1 is fair, 1/n is one for all.
        # Guests that want no CPU would make every host look unfair.
        sum without (domain) (
          instance_domain:kvm_domain_cpu_obtained_per_guaranteed:ratio
          and on (cluster, job, instance, domain) instance_domain:kvm_domain_cpu_share_of_delayed:ratio
        ) ^ 2
        /
        (
            count without (domain) (
              instance_domain:kvm_domain_cpu_obtained_per_guaranteed:ratio
              and on (cluster, job, instance, domain) instance_domain:kvm_domain_cpu_share_of_delayed:ratio
            )
          *
            sum without (domain) (
              instance_domain:kvm_domain_cpu_obtained_per_guaranteed:ratio ^ 2
              and on (cluster, job, instance, domain) instance_domain:kvm_domain_cpu_share_of_delayed:ratio
            )
          > 0
        )
      `,
    },
    {
      record: 'instance_domain:kvm_domain_cpu_seconds:topk_rate5m',
      expr: 'topk by (cluster, job, instance) (5, instance_domain:kvm_domain_cpu_seconds:rate5m)',
    },
    {
      record: 'instance_domain:kvm_domain_vcpu_delay:topk',
      expr: 'topk by (cluster, job, instance) (5, instance_domain:kvm_domain_vcpu_delay:ratio)',
    },
  ],
  alerts: [
    {
      name: 'KvmCpuOverPromised',
      summary: 'More vCPUs are promised per CPU than the policy allows.',
      description: prose`
        {{ $labels.instance }} runs ${value('number')} vCPUs per CPU. Largest guests (vCPUs):
        ${top('kvm_domain_vcpus{@}', 'number')}. Move guests away before they are busy at once.
      `,
      dashboard: HOST,
      at: { warning: { for: '10m' } },
      expr: () => promql`
        instance:kvm_cpu_promised_per_capacity:ratio
        ${beyond('cpu.promised_ratio', 'warning')}
      `,
    },
    {
      name: 'KvmCpuSetOverPromised',
      summary: 'More vCPUs are pinned to a set of CPUs than the policy allows.',
      description: prose`
        CPUs {{ $labels.cpuset }} of {{ $labels.instance }} carry ${value('number')} times as many
        pinned vCPUs, however idle the other CPUs are. Guests that wait most:
        ${top('instance_domain:kvm_domain_vcpu_delay:ratio{@}', 'percent')}. Give them more CPUs or
        move one away.
      `,
      dashboard: HOST,
      at: { warning: { for: '10m' } },
      expr: () => promql`
        (
          instance_cpuset:kvm_cpu_promised_per_capacity:ratio
          ${beyond('cpu.promised_ratio', 'warning')}
        )
        # The set of all CPUs is the host, which has an alert of its own.
        and on (cluster, job, instance, cpuset) (
          kvm_cpu_set_capacity_cpus
          < on (cluster, job, instance) group_left () kvm_cpu_capacity_cpus
        )
      `,
    },
    {
      name: 'KvmVcpuWithoutCpu',
      summary: 'A vCPU is pinned to CPUs that are all offline.',
      description: prose`
        vCPUs of {{ $labels.instance }} whose pinning names only CPUs that are offline:
        ${value('number')}. The kernel runs them somewhere else, or not at all. Guests that wait most:
        ${top('instance_domain:kvm_domain_vcpu_delay:ratio{@}', 'percent')}. Bring the CPUs back or
        change the pinning.
      `,
      dashboard: HOST,
      at: { warning: { for: '10m' } },
      expr: () => 'kvm_cpu_vcpus_without_online_cpu > 0',
    },
    {
      name: 'KvmGuestLargerThanHost',
      summary: 'A guest has more vCPUs than CPUs it may run on.',
      description: prose`
        {{ $labels.domain }} on {{ $labels.instance }} has ${value('number')} vCPUs per CPU it may
        run on: its own vCPUs wait for each other even when it is alone. Waiting most:
        ${top('instance_domain_vcpu:kvm_domain_vcpu_delay_seconds:rate5m{@,domain=$domain}', 'percent', { label: 'vcpu' })}.
        Take vCPUs away or widen its CPU set.
      `,
      dashboard: GUEST,
      at: { warning: { for: '10m' } },
      expr: () => promql`
        instance_domain:kvm_domain_vcpus_per_allowed_cpu:ratio
        ${beyond('cpu.guest_size_ratio', 'warning')}
      `,
    },
    {
      name: 'KvmHostCpuStarved',
      summary: 'The vCPUs of a host wait for CPUs.',
      description: prose`
        vCPUs on {{ $labels.instance }} are ready to run but wait for a CPU ${value('percent')} of
        the time. Waiting most: ${top('instance_domain:kvm_domain_vcpu_delay:ratio{@}', 'percent')}.
        Using most, in CPUs: ${top('instance_domain:kvm_domain_cpu_seconds:rate5m{@}', 'cpus')}:
        move or cap these first.
      `,
      dashboard: HOST,
      at: {
        warning: { for: '10m', keepFiringFor: '5m' },
        critical: { for: '5m', keepFiringFor: '5m' },
      },
      expr: (severity) =>
        severity === 'critical'
          ? promql`
              # Only when the kernel says so too; without PSI the delay alone must do.
              (
                instance:kvm_domain_vcpu_delay:ratio
                ${beyond('cpu.delay_ratio', 'critical')}
              )
              unless on (cluster, job, instance) (
                instance:kvm_host_cpu_pressure_waiting:ratio
                ${within('cpu.pressure_ratio', 'critical')}
              )
            `
          : promql`
              instance:kvm_domain_vcpu_delay:ratio
              ${beyond('cpu.delay_ratio', 'warning')}
            `,
    },
    {
      name: 'KvmGuestCpuStarved',
      summary: 'A guest waits for CPUs.',
      description: prose`
        {{ $labels.domain }} on {{ $labels.instance }} is ready to run but waits ${value('percent')} of
        the time (its vCPU that waits most, or the mean of all where this pages); time throttled by
        its own quota is not in this.
        Using most, in CPUs: ${top('instance_domain:kvm_domain_cpu_seconds:rate5m{@}', 'cpus')}.
        Move or cap one of them, or give {{ $labels.domain }} more weight.
      `,
      dashboard: GUEST,
      at: {
        warning: { for: '10m', keepFiringFor: '5m' },
        critical: { for: '10m', keepFiringFor: '5m' },
      },
      expr: (severity) =>
        severity === 'critical'
          ? promql`
              # Only when the kernel says so too; without PSI the delay alone must do.
              (
                instance_domain:kvm_domain_vcpu_delay:mean
                ${beyond('cpu.delay_ratio', 'critical')}
              )
              unless on (cluster, job, instance) (
                instance:kvm_host_cpu_pressure_waiting:ratio
                ${within('cpu.pressure_ratio', 'warning')}
              )
            `
          : promql`
              instance_domain:kvm_domain_vcpu_delay:ratio
              ${beyond('cpu.delay_ratio', 'warning')}
            `,
    },
    {
      // Whoever set the quota wanted it, so nobody is paged or ticketed.
      name: 'KvmGuestCpuThrottled',
      summary: 'A guest runs into its CPU quota.',
      description: prose`
        {{ $labels.domain }} on {{ $labels.instance }} used up its CPU quota in ${value('percent')}
        of the scheduling periods. It is slow because of its quota, not because of other guests:
        raise the quota if that is not what was sold. Using most there, in CPUs:
        ${top('instance_domain:kvm_domain_cpu_seconds:rate5m{@}', 'cpus')}.
      `,
      dashboard: GUEST,
      at: { info: { for: '15m' } },
      expr: () => promql`
        instance_domain:kvm_domain_cpu_throttled_periods:ratio
        ${beyond('cpu.throttled_ratio', 'warning')}
      `,
    },
    {
      // The label domain names who causes it: that is who can be moved or capped. Whoever suffers
      // has KvmGuestCpuStarved of its own.
      name: 'KvmNoisyNeighbour',
      summary: 'One guest takes the CPU time other guests wait for.',
      description: prose`
        {{ $labels.domain }} on {{ $labels.instance }} takes ${value('number')} times its fair share
        of the CPU time, while these get less and wait for CPUs (their share of the host):
        ${bottom('instance_domain:kvm_domain_cpu_share_of_delayed:ratio{@,domain!=$domain}', 'percent')}.
        Cap {{ $labels.domain }}, lower its weight or move it.
      `,
      dashboard: GUEST,
      at: { warning: { for: '5m', keepFiringFor: '5m' } },
      expr: () => promql`
        (
          instance_domain:kvm_domain_cpu_per_fair_share:ratio > 2
          or
          # Of two guests nobody ever has more than twice a fair share: more than its guarantee, then,
          # while somebody who waits gets far less than he is entitled to.
          instance_domain:kvm_domain_cpu_per_fair_share:ratio
          and on (cluster, job, instance, domain)
          instance_domain:kvm_domain_cpu_obtained_per_guaranteed:ratio > 1
          and on (cluster, job, instance) (
            instance_domain:kvm_domain_cpu_obtained_per_entitled:ratio
            ${beyond('cpu.unfair_share_ratio', 'warning')}
            and on (cluster, job, instance, domain)
            instance_domain:kvm_domain_cpu_share_of_delayed:ratio
          )
        )
        # Somebody who waits gets less than this guest; it cannot be its own victim.
        and on (cluster, job, instance, domain) (
          instance_domain:kvm_domain_cpu_share:ratio
          > on (cluster, job, instance) group_left ()
          instance:kvm_domain_cpu_share_of_delayed:min
        )
        # Together they may run on more CPUs than there are, so on some of the same.
        and on (cluster, job, instance, domain) (
            kvm_domain_cpu_allowed_cpus
          + on (cluster, job, instance) group_left ()
            max without (domain) (
              kvm_domain_cpu_allowed_cpus
              and on (cluster, job, instance, domain)
              instance_domain:kvm_domain_cpu_share_of_delayed:ratio
              and on (cluster, job, instance, domain)
              instance_domain:kvm_domain_cpu_per_fair_share:ratio < 1
            )
          > on (cluster, job, instance) group_left ()
          kvm_host_online_cpus
        )
      `,
    },
    {
      name: 'KvmUnfairCpuShare',
      summary: 'A guest that waits for CPUs gets less than its weight entitles it to.',
      description: prose`
        {{ $labels.domain }} on {{ $labels.instance }} wants CPU time and gets ${value('percent')}
        of what its weight entitles it to. Guests above their guarantee:
        ${top('instance_domain:kvm_domain_cpu_obtained_per_guaranteed:ratio{@} > 1', 'percent')}.
        Processes outside the guests and pinning are the usual reasons.
      `,
      dashboard: GUEST,
      at: { warning: { for: '15m' } },
      expr: () => promql`
        (
          instance_domain:kvm_domain_cpu_obtained_per_entitled:ratio
          ${beyond('cpu.unfair_share_ratio', 'warning')}
        )
        and on (cluster, job, instance, domain)
        instance_domain:kvm_domain_cpu_share_of_delayed:ratio
      `,
    },
  ],
};
