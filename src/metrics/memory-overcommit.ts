import { MEMORY_CLASSES, type MemoryOfGuest, type MemoryOvercommit } from '../overcommit/memory.ts';
import { domainGauge, gauge, type Metric } from './metric.ts';

/** Memory promised to running guests, and what there is when they claim it. */
export const memoryOvercommitMetrics: readonly Metric[] = [
  ofHost(
    'kvm_memory_capacity_bytes',
    'RAM there is for guests: MemTotal less hugepage pools and the reserve of the policy. What ' +
      'is promised from it are all classes but hugepages, which have pools of their own.',
    ({ capacityBytes }) => capacityBytes,
    ['opennebula_host_mem_maximum_bytes'],
  ),
  byClass(
    'kvm_memory_promised_bytes',
    'Memory running guests may use now (balloon.current)',
    'currentBytes',
    ['openstack_nova_memory_used_bytes', 'proxmox_node_memory_allocated_bytes'],
  ),
  byClass(
    'kvm_memory_promised_maximum_bytes',
    'Memory running guests may use with empty balloons (balloon.maximum)',
    'maximumBytes',
  ),
  ofHost(
    'kvm_memory_claimable_bytes',
    'Memory guests were promised and do not hold yet: the sum of ' +
      'kvm_domain_memory_claimable_bytes.',
    ({ current }) => current.claimableBytes,
  ),
  ofHost(
    'kvm_memory_claimable_maximum_bytes',
    'kvm_memory_claimable_bytes with empty balloons.',
    ({ maximum }) => maximum.claimableBytes,
  ),
  ofHost(
    'kvm_memory_exposure_bytes',
    'Memory the host would have to find if guests claimed all of it and all merged pages had to ' +
      'be copied.',
    ({ current }) => current.exposureBytes,
  ),
  ofHost(
    'kvm_memory_exposure_maximum_bytes',
    'kvm_memory_exposure_bytes with empty balloons.',
    ({ maximum }) => maximum.exposureBytes,
  ),
  ofHost(
    'kvm_memory_supply_bytes',
    'Memory there is to meet the exposure: MemAvailable and the free swap that guests can in ' +
      'fact be swapped to; of the ZFS cache what can be given up, if the policy says so.',
    ({ current }) => current.supplyBytes,
  ),
  ofHost(
    'kvm_memory_ksm_unmerge_bytes',
    'Memory needed if all merged pages had to be copied (ksm/pages_sharing times the page size).',
    ({ ksmUnmergeBytes }) => ksmUnmergeBytes,
  ),
  gauge(
    'kvm_hugepages_promised_bytes',
    'Memory promised to running guests from the pool of a page size, given in bytes.',
    { labels: ['page_size'] },
    ({ assessment }, sample) => {
      for (const { pageBytes, promised } of assessment.memory?.hugepages ?? []) {
        sample(`{page_size="${pageBytes}"}`, promised.currentBytes);
      }
    },
  ),
  gauge(
    'kvm_hugepages_capacity_bytes',
    'Pool of huge pages of a size, given in bytes; absent where guests were promised pages of a ' +
      'size the host has none of.',
    { labels: ['page_size'] },
    ({ assessment }, sample) => {
      for (const { pageBytes, totalBytes } of assessment.memory?.hugepages ?? []) {
        sample(`{page_size="${pageBytes}"}`, totalBytes);
      }
    },
  ),
  ofHost(
    'kvm_memory_domains_unknown',
    'Running guests whose resident memory is not known: claims and exposure lack theirs.',
    ({ guestsWithUnknownResident }) => guestsWithUnknownResident,
  ),
  ofHost(
    'kvm_memory_domains_without_balloon',
    'Running guests without a balloon device.',
    ({ guestsWithoutBalloon }) => guestsWithoutBalloon,
  ),
  ofHost(
    'kvm_memory_domains_balloon_ineffective',
    'Running guests whose balloon gives the host nothing: hugepages, locked or pinned memory.',
    ({ guestsWithIneffectiveBalloon }) => guestsWithIneffectiveBalloon,
  ),
  ofGuest(
    'kvm_domain_memory_claimable_bytes',
    'Memory a guest was promised and does not hold yet, in RAM or swap: balloon.current less ' +
      'RssAnon, RssShmem, HugetlbPages and VmSwap (of shared memory, swap of its cgroup; of memory ' +
      'in a file also RssFile). 0 for ' +
      'hugepages and pinned memory.',
    ({ claimableBytes }) => claimableBytes,
  ),
  ofGuest(
    'kvm_domain_memory_claimable_maximum_bytes',
    'kvm_domain_memory_claimable_bytes with an empty balloon (balloon.maximum).',
    ({ claimableAtMaximumBytes }) => claimableAtMaximumBytes,
  ),
];

function ofHost(
  name: string,
  help: string,
  valueOf: (memory: MemoryOvercommit) => number,
  replaces: readonly string[] = [],
): Metric {
  return gauge(name, help, { replaces }, ({ assessment: { memory } }, sample) => {
    if (memory !== undefined) sample('', valueOf(memory));
  });
}

function byClass(
  name: string,
  meaning: string,
  field: 'currentBytes' | 'maximumBytes',
  replaces: readonly string[] = [],
): Metric {
  return gauge(
    name,
    `${meaning}, each in one class: hugepages; locked, which includes memory pinned for devices; ` +
      'file (a file on a disk); shared (memfd, virtiofs, vhost-user); or anonymous.',
    { labels: ['class'], replaces },
    ({ assessment: { memory } }, sample) => {
      for (const one of MEMORY_CLASSES) {
        sample(`{class="${one}"}`, memory?.promisedByClass[one][field]);
      }
    },
  );
}

function ofGuest(
  name: string,
  help: string,
  valueOf: (memory: MemoryOfGuest) => number | undefined,
): Metric {
  return domainGauge(name, help, {}, ({ memory, labels }, sample) => {
    if (memory !== undefined) sample(labels.only, valueOf(memory));
  });
}
