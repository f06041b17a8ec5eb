import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { fromSeries } from '../common/links.ts';
import { highest, of, rate } from '../common/promql.ts';

export const CPU: Row = {
  title: 'CPU',
  tiles: [
    graph({
      title: 'vCPUs per CPU and per core',
      description: 'The promise as a ratio. Good: below the limits of the policy.',
      unit: 'none',
      queries: [
        {
          expr: of('instance:kvm_cpu_promised_per_capacity:ratio'),
          legend: 'per CPU',
        },
        { expr: of('instance:kvm_cpu_promised_per_core:ratio'), legend: 'per core' },
      ],
      limit: 'cpu.promised_ratio',
      width: 8,
    }),
    graph({
      title: 'What the CPUs do',
      description:
        'CPU time of the host by mode, in CPUs. guest is what guests got; system, irq and softirq ' +
        'are what serving them costs; steal is lost to a hypervisor below this host. Good: idle ' +
        'left over and no steal.',
      unit: 'short',
      queries: [
        {
          expr: `sum by (mode) (${rate('kvm_host_cpu_seconds_total', 'mode!="idle"')})`,
          legend: '{{mode}}',
        },
      ],
      stacked: true,
      width: 8,
    }),
    graph({
      title: 'vCPUs waiting for a CPU',
      description:
        'Share of time a vCPU could have run and had no CPU: the mean over all vCPUs, and the ' +
        'worst guest. Good: below 5 %.',
      unit: 'percentunit',
      queries: [
        { expr: of('instance:kvm_domain_vcpu_delay:ratio'), legend: 'all vCPUs' },
        {
          expr: `max by (cluster, job, instance) (${of('instance_domain:kvm_domain_vcpu_delay:ratio')})`,
          legend: 'worst guest',
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
      title: 'vCPUs promised and CPUs there are',
      description:
        'vCPUs of running guests beside the CPUs and cores they share. Threads of a core are ' +
        'not cores: four threads on two cores do the work of little more than two. Good: ' +
        'promised within a few times the cores.',
      unit: 'short',
      queries: [
        { expr: of('kvm_cpu_promised_vcpus'), legend: 'promised' },
        { expr: of('kvm_cpu_promised_maximum_vcpus'), legend: 'with hot-plug' },
        { expr: of('kvm_cpu_capacity_cpus'), legend: 'CPUs' },
        { expr: of('kvm_cpu_capacity_cores'), legend: 'cores' },
      ],
      width: 8,
    }),
    graph({
      title: 'CPUs pinned for single guests',
      description:
        'CPUs taken out of the shared pool by pinning, the vCPUs on them, and vCPUs pinned to ' +
        'CPUs that are all offline. Good: no vCPU without an online CPU.',
      unit: 'short',
      queries: [
        { expr: of('kvm_cpu_dedicated_cpus'), legend: 'dedicated CPUs' },
        { expr: of('kvm_cpu_dedicated_vcpus'), legend: 'vCPUs on them' },
        {
          expr: of('kvm_cpu_vcpus_without_online_cpu'),
          legend: 'vCPUs without a CPU',
        },
      ],
      width: 8,
    }),
    graph({
      title: 'CPU pressure and load',
      description:
        'Share of time some task waited for a CPU (PSI). Good: below the limit; at 100 % ' +
        'somebody always waits.',
      unit: 'percentunit',
      queries: [
        {
          expr: of('instance:kvm_host_cpu_pressure_waiting:ratio'),
          legend: 'waiting',
        },
        { expr: of('instance:kvm_host_cpu_busy:ratio'), legend: 'busy' },
        { expr: of('instance:kvm_host_load1_per_cpu:ratio'), legend: 'load per CPU' },
      ],
      limit: 'cpu.pressure_ratio',
      width: 8,
    }),
    graph({
      title: 'Guests that use most CPU',
      description:
        'CPUs used by the five largest guests. Good: nobody holds most of the host while others ' +
        'wait; see the share in the Guest dashboard.',
      unit: 'short',
      queries: [
        {
          expr: highest(of('instance_domain:kvm_domain_cpu_seconds:rate5m')),
          legend: '{{domain}}',
        },
      ],
      link: fromSeries('kvm-guest', ['instance', 'domain']),
      width: 8,
    }),
    graph({
      title: 'Guests that wait most',
      description: 'Worst vCPU of the five guests that wait longest for a CPU. Good: below 5 %.',
      unit: 'percentunit',
      queries: [
        {
          expr: highest(of('instance_domain:kvm_domain_vcpu_delay:ratio')),
          legend: '{{domain}}',
        },
      ],
      limit: 'cpu.delay_ratio',
      link: fromSeries('kvm-guest', ['instance', 'domain']),
      width: 8,
    }),
    graph({
      title: 'Fairness among guests that wait',
      description:
        "Jain's index of what guests got per what their weight entitles them to, over the " +
        'guests that wait for a CPU: 1 is fair, 1/n means one of n has all. Good: near 1, or ' +
        'no line: nobody waits.',
      unit: 'none',
      queries: [
        {
          expr: of('instance:kvm_domain_cpu_obtained_per_guaranteed:jain'),
          legend: '{{instance}}',
        },
      ],
      width: 8,
    }),
    graph({
      title: 'vCPUs per CPU by NUMA node',
      description:
        'The promise on each node, for guests bound to nodes. Good: nodes alike; a full node ' +
        'beside an empty one is a placement problem, not an over-commitment.',
      unit: 'none',
      queries: [
        {
          expr: of('instance_node:kvm_cpu_promised_per_capacity:ratio'),
          legend: 'node {{node}}',
        },
      ],
      width: 8,
    }),
    graph({
      title: 'vCPUs per CPU by CPU set',
      description:
        'Guests pinned to the same set of CPUs share it: the promise within each set. Good: below ' +
        'the limits of the policy. No line: no such sets.',
      unit: 'none',
      queries: [
        {
          expr: of('instance_cpuset:kvm_cpu_promised_per_capacity:ratio'),
          legend: '{{cpuset}}',
        },
      ],
      limit: 'cpu.promised_ratio',
      width: 8,
    }),
    graph({
      title: 'Context switches per CPU',
      description:
        'How often CPUs change between tasks: the price of sharing them. Good: steady; a jump ' +
        'together with waiting vCPUs is a host busy with taking turns.',
      unit: 'cps',
      queries: [
        {
          expr: `${rate('kvm_host_context_switches_total')} / ${of('kvm_host_online_cpus')}`,
          legend: '{{instance}}',
        },
      ],
      width: 8,
    }),
  ],
};
