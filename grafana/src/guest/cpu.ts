import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { of, rate, THIS_GUEST } from '../common/promql.ts';

export const CPU: Row = {
  title: 'CPU',
  tiles: [
    graph({
      title: 'Got and entitled to',
      description:
        'CPUs the guest uses, what its weight entitles it to when all want to run, and its ' +
        'cap. Good: used below entitled; more is fine while nobody waits.',
      unit: 'short',
      queries: [
        {
          expr: of('instance_domain:kvm_domain_cpu_seconds:rate5m', THIS_GUEST),
          legend: 'used',
        },
        {
          expr: of('kvm_domain_cpu_guaranteed_cpus', THIS_GUEST),
          legend: 'entitled',
        },
        { expr: of('kvm_domain_cpu_cap_cpus', THIS_GUEST), legend: 'cap' },
        { expr: of('kvm_domain_vcpus', THIS_GUEST), legend: 'vCPUs' },
      ],
      width: 8,
    }),
    graph({
      title: 'Each vCPU runs',
      description:
        'Share of time each vCPU had a CPU, which includes polling while idle. Good: room ' +
        'below 100 %.',
      unit: 'percentunit',
      queries: [
        {
          expr: rate('kvm_domain_vcpu_seconds_total', THIS_GUEST),
          legend: 'vCPU {{vcpu}}',
        },
      ],
      width: 8,
    }),
    graph({
      title: 'Each vCPU waits for a CPU',
      description:
        'Share of time each vCPU could have run and had no CPU: the guest sees it as steal. Good: ' +
        'below 5 %.',
      unit: 'percentunit',
      queries: [
        {
          expr: rate('kvm_domain_vcpu_delay_seconds_total', THIS_GUEST),
          legend: 'vCPU {{vcpu}}',
        },
      ],
      limit: 'cpu.delay_ratio',
      width: 8,
    }),
  ],
};

export const CPU_DETAILS: Row = {
  title: 'CPU in detail',
  folded: true,
  tiles: [
    graph({
      title: 'Threads that are not vCPUs',
      description:
        'CPU time of emulator, I/O and network threads. They do the work the guest asks of ' +
        'its devices. Good: far below one CPU each; a thread at 100 % holds its devices up.',
      unit: 'percentunit',
      queries: [
        {
          expr: rate('kvm_domain_thread_seconds_total', THIS_GUEST),
          legend: '{{thread}}',
        },
      ],
      width: 8,
    }),
    graph({
      title: 'Those threads wait for a CPU',
      description:
        'A starved emulator or vhost thread slows the guest down, and the guest sees no steal. ' +
        'Good: near 0.',
      unit: 'percentunit',
      queries: [
        {
          expr: rate('kvm_domain_thread_delay_seconds_total', THIS_GUEST),
          legend: '{{thread}}',
        },
      ],
      width: 8,
    }),
    graph({
      title: 'Stopped by its quota',
      description:
        'Share of scheduling periods in which the guest had used up its quota. Good: below 25 ' +
        '%, unless the cap is what was bought. No line: no quota.',
      unit: 'percentunit',
      queries: [
        {
          expr: of('instance_domain:kvm_domain_cpu_throttled_periods:ratio', THIS_GUEST),
          legend: '{{instance}}',
        },
      ],
      limit: 'cpu.throttled_ratio',
      width: 8,
    }),
    graph({
      title: 'The guest waits for a resource',
      description:
        'Share of time in which some task of the guest waited (PSI of its cgroup). Good: near 0; ' +
        'the resource with the highest line is its bottleneck.',
      unit: 'percentunit',
      queries: [
        {
          expr: rate('kvm_domain_pressure_waiting_seconds_total', THIS_GUEST),
          legend: '{{resource}}',
        },
      ],
    }),
    graph({
      title: 'The guest is stalled by a resource',
      description:
        'Share of time in which no task of the guest could run because all waited (PSI full of ' +
        'its cgroup). Good: 0.',
      unit: 'percentunit',
      queries: [
        {
          expr: rate('kvm_domain_pressure_stalled_seconds_total', THIS_GUEST),
          legend: '{{resource}}',
        },
      ],
    }),
  ],
};
