import { labelText } from '../exposition/labels.ts';
import type { CpuOfCpuset, CpuOfGuest, CpuOfNode, CpuOvercommit } from '../overcommit/cpu.ts';
import { formatCpuList } from '../sources/cpu-list.ts';
import { domainGauge, gauge, type Metric } from './metric.ts';

/** CPUs promised to running guests, and CPUs there are to keep the promise. */
export const cpuOvercommitMetrics: readonly Metric[] = [
  ofHost(
    'kvm_cpu_capacity_cpus',
    'CPUs guests share: online, not isolated, not dedicated to one vCPU, less the reserve of the ' +
      'policy.',
    ({ shared }) => shared.capacity.cpus,
    ['opennebula_host_cpu_maximum', 'openstack_nova_vcpus_available'],
  ),
  ofHost(
    'kvm_cpu_capacity_cores',
    'kvm_cpu_capacity_cpus in physical cores: with two threads per core each CPU is half a core.',
    ({ shared }) => shared.capacity.cores,
  ),
  ofHost(
    'kvm_cpu_promised_vcpus',
    'vCPUs of running guests that share kvm_cpu_capacity_cpus.',
    ({ shared }) => shared.promised.current,
    ['openstack_nova_vcpus_used', 'proxmox_node_cpus_allocated'],
  ),
  ofHost(
    'kvm_cpu_promised_maximum_vcpus',
    'kvm_cpu_promised_vcpus with all vCPUs these guests can be given by hot-plug.',
    ({ shared }) => shared.promised.maximum,
  ),
  ofHost(
    'kvm_cpu_dedicated_cpus',
    'CPUs that one vCPU is pinned to and no other vCPU may use.',
    ({ dedicated }) => dedicated.cpus.length,
  ),
  ofHost(
    'kvm_cpu_dedicated_vcpus',
    'vCPUs that have a CPU of their own.',
    ({ dedicated }) => dedicated.promised.current,
  ),
  byNode('capacity_cpus', 'kvm_cpu_capacity_cpus by NUMA node', ({ capacity }) => capacity.cpus),
  byNode('capacity_cores', 'kvm_cpu_capacity_cores by NUMA node', ({ capacity }) => capacity.cores),
  byNode(
    'promised_vcpus',
    'kvm_cpu_promised_vcpus by NUMA node; a vCPU that may run on several counts on each in ' +
      'proportion to its CPUs there',
    ({ promised }) => promised.current,
  ),
  bySet(
    'capacity_cpus',
    'Online CPUs of a set that some vCPU is pinned to, the set of all CPUs included',
    ({ capacity }) => capacity.cpus,
  ),
  bySet(
    'capacity_cores',
    'kvm_cpu_set_capacity_cpus in physical cores: with two threads per core each CPU is half a core',
    ({ capacity }) => capacity.cores,
  ),
  bySet(
    'promised_vcpus',
    'vCPUs that can run nowhere but in this set of CPUs',
    ({ promised }) => promised.current,
  ),
  bySet(
    'also_allowed_vcpus',
    'vCPUs that may run in this set of CPUs and outside it as well',
    ({ alsoAllowed }) => alsoAllowed.current,
  ),
  ofHost(
    'kvm_cpu_vcpus_without_online_cpu',
    'vCPUs pinned to CPUs that are all offline; the kernel runs them elsewhere.',
    ({ withoutOnlineCpu }) => withoutOnlineCpu.current,
  ),
  ofGuest(
    'kvm_domain_cpu_allowed_cpus',
    'Online CPUs the vCPUs of a guest may run on (<vcpu cpuset>, <vcpupin>).',
    ({ allowed }) => allowed.cpus,
    ['kubevirt_vmi_node_cpu_affinity', 'libvirt_cpu_affinity'],
  ),
  ofGuest(
    'kvm_domain_cpu_cap_cpus',
    'CPUs a guest can use at most: vCPUs, quotas and allowed CPUs taken together.',
    ({ capCpus }) => capCpus,
  ),
  ofGuest(
    'kvm_domain_cpu_guaranteed_cpus',
    'CPUs a guest gets when every vCPU of every guest is busy, by weights and limits.',
    ({ guaranteedCpus }) => guaranteedCpus,
  ),
  ofGuest(
    'kvm_domain_cpu_off_memory_node_vcpus',
    'vCPUs of a guest that may run on a NUMA node its memory is kept away from (<numatune> strict ' +
      'or restrictive). Absent where its memory is bound to no node.',
    ({ vcpusOffMemoryNodes }) => vcpusOffMemoryNodes,
  ),
  ofGuest(
    'kvm_domain_cpu_emulator_dedicated_cpus',
    'Dedicated CPUs, its own or those of other guests, that the emulator threads of a guest may ' +
      'run on (<emulatorpin>). Absent where the host has no dedicated CPUs.',
    ({ emulatorOnDedicatedCpus }) => emulatorOnDedicatedCpus,
  ),
];

function ofHost(
  name: string,
  help: string,
  valueOf: (cpu: CpuOvercommit) => number,
  replaces: readonly string[] = [],
): Metric {
  return gauge(name, help, { replaces }, ({ assessment: { cpu } }, sample) => {
    if (cpu !== undefined) sample('', valueOf(cpu));
  });
}

function byNode(name: string, meaning: string, valueOf: (node: CpuOfNode) => number): Metric {
  return gauge(
    `kvm_cpu_node_${name}`,
    `${meaning}.`,
    { labels: ['node'] },
    ({ assessment }, sample) => {
      for (const one of assessment.cpu?.nodes ?? []) {
        sample(`{node="${one.node}"}`, valueOf(one));
      }
    },
  );
}

function bySet(name: string, meaning: string, valueOf: (set: CpuOfCpuset) => number): Metric {
  return gauge(
    `kvm_cpu_set_${name}`,
    `${meaning}.`,
    { labels: ['cpuset'] },
    ({ assessment }, sample) => {
      for (const one of assessment.cpu?.cpusets ?? []) {
        sample(labelText(['cpuset'], [formatCpuList(one.cpus)]), valueOf(one));
      }
    },
  );
}

function ofGuest(
  name: string,
  help: string,
  valueOf: (cpu: CpuOfGuest) => number | undefined,
  replaces: readonly string[] = [],
): Metric {
  return domainGauge(name, help, { replaces }, ({ cpu, labels }, sample) => {
    if (cpu !== undefined) sample(labels.only, valueOf(cpu));
  });
}
