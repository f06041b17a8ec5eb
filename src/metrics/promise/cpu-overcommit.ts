import { labelText } from '../../exposition/labels.ts';

import { formatCpuList } from '../../model/facts/cpu-list.ts';
import { isContainer } from '../../model/facts/guest-memory.ts';
import { domainGauge, gauge, type Metric, withNote } from '../metric.ts';
import type {
  CpuOfCpuset,
  CpuOfGuest,
  CpuOfNode,
  CpuOvercommit,
} from '../../overcommit/cpu/model.ts';

/** CPUs promised to running guests, and CPUs there are to keep the promise. */
export const cpuOvercommitMetrics: readonly Metric[] = [
  ofHost(
    'kvm_cpu_capacity_cpus',
    'CPUs that guests share: online, not isolated, not dedicated to one vCPU, less the ' +
      'reserve of the policy (/sys/devices/system/cpu, guest XML).',
    ({ shared }) => shared.capacity.cpus,
  ),
  ofHost(
    'kvm_cpu_capacity_cores',
    'Physical cores that guests share: the CPUs of kvm_cpu_capacity_cpus, with one of two ' +
      'threads of a core as half a core (/sys/devices/system/cpu).',
    ({ shared }) => shared.capacity.cores,
  ),
  ofHost(
    'kvm_cpu_promised_vcpus',
    'vCPUs of running guests that share the CPUs of kvm_cpu_capacity_cpus (guest XML).',
    ({ shared }) => shared.promised.current,
  ),
  ofHost(
    'kvm_cpu_promised_maximum_vcpus',
    'vCPUs of running guests that share CPUs, including those that can still be hot-plugged ' +
      '(guest XML).',
    ({ shared }) => shared.promised.maximum,
  ),
  gauge(
    'kvm_cpu_promised_container_cpus',
    'CPUs of kvm_cpu_promised_vcpus that were promised to containers (cores of their config).',
    { note: 'Only on hosts that run containers of Proxmox VE. Without a limit, all CPUs count.' },
    ({ domains, assessment }, sample) => {
      const containers = domains.filter(({ domain }) => domain.active && isContainer(domain));
      if (assessment.cpu === undefined || containers.length === 0) return;
      const promised = containers.map(({ domain }) => domain.config?.vcpu.current ?? 0);
      sample(
        '',
        promised.reduce((sum, cpus) => sum + cpus, 0),
      );
    },
  ),
  ofHost(
    'kvm_cpu_dedicated_cpus',
    'CPUs that one vCPU is pinned to and no other vCPU may use (guest XML).',
    ({ dedicated }) => dedicated.cpus.length,
  ),
  ofHost(
    'kvm_cpu_dedicated_vcpus',
    'vCPUs that have a CPU of their own (guest XML).',
    ({ dedicated }) => dedicated.promised.current,
  ),
  byNode(
    'capacity_cpus',
    'CPUs of a NUMA node that guests share, counted like kvm_cpu_capacity_cpus',
    ({ capacity }) => capacity.cpus,
  ),
  byNode(
    'capacity_cores',
    'Physical cores of a NUMA node that guests share, counted like kvm_cpu_capacity_cores',
    ({ capacity }) => capacity.cores,
  ),
  byNode(
    'promised_vcpus',
    'vCPUs that may run on a NUMA node; one that may run on several counts on each in ' +
      'proportion to its CPUs there',
    ({ promised }) => promised.current,
  ),
  bySet(
    'capacity_cpus',
    'Online CPUs of a CPU set that vCPUs are pinned to, or of the set of all CPUs',
    ({ capacity }) => capacity.cpus,
  ),
  bySet(
    'capacity_cores',
    'Physical cores of a CPU set, with one of two threads of a core as half a core',
    ({ capacity }) => capacity.cores,
  ),
  bySet(
    'promised_vcpus',
    'vCPUs that may run only on CPUs of a CPU set',
    ({ promised }) => promised.current,
  ),
  bySet(
    'also_allowed_vcpus',
    'vCPUs that may run on CPUs of a CPU set and on others',
    ({ alsoAllowed }) => alsoAllowed.current,
  ),
  ofHost(
    'kvm_cpu_vcpus_without_online_cpu',
    'vCPUs whose pinned CPUs are all offline, so that the kernel runs them elsewhere (guest XML).',
    ({ withoutOnlineCpu }) => withoutOnlineCpu.current,
  ),
  ofGuest(
    'kvm_domain_cpu_allowed_cpus',
    'Online CPUs that the vCPUs of a guest may run on (<vcpu cpuset> and <vcpupin> of its XML).',
    ({ allowed }) => allowed.cpus,
  ),
  ofGuest(
    'kvm_domain_cpu_cap_cpus',
    'Most CPUs a guest can use, given its vCPUs, quotas and allowed CPUs.',
    ({ capCpus }) => capCpus,
  ),
  ofGuest(
    'kvm_domain_cpu_guaranteed_cpus',
    'CPUs a guest gets when all vCPUs of all guests are busy, by weights, quotas and pins.',
    ({ guaranteedCpus }) => guaranteedCpus,
  ),
  withNote(
    ofGuest(
      'kvm_domain_cpu_off_memory_node_vcpus',
      'vCPUs of a guest that may run on a NUMA node its memory cannot be on (<numatune> ' +
        'strict or restrictive).',
      ({ vcpusOffMemoryNodes }) => vcpusOffMemoryNodes,
    ),
    'Absent where its memory is bound to no node.',
  ),
  withNote(
    ofGuest(
      'kvm_domain_cpu_emulator_dedicated_cpus',
      'Dedicated CPUs, of this guest or of others, that the emulator threads of a guest may ' +
        'run on (<emulatorpin>).',
      ({ emulatorOnDedicatedCpus }) => emulatorOnDedicatedCpus,
    ),
    'Absent where the host has no dedicated CPUs.',
  ),
];

function ofHost(name: string, help: string, valueOf: (cpu: CpuOvercommit) => number): Metric {
  return gauge(name, help, {}, ({ assessment: { cpu } }, sample) => {
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
): Metric {
  return domainGauge(name, help, {}, ({ cpu, labels }, sample) => {
    if (cpu !== undefined) sample(labels.only, valueOf(cpu));
  });
}
