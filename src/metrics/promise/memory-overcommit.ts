import {
  countUnknownGuests,
  MEMORY_CLASSES,
  type MemoryClass,
  type MemoryOfGuest,
  type MemoryOvercommit,
} from '../../overcommit/memory/memory.ts';
import { domainGauge, gauge, type Metric, withNote } from '../metric.ts';

/** Memory promised to running guests, what they can still claim, and the supply for it. */
export const memoryOvercommitMetrics: readonly Metric[] = [
  withNote(
    ofHost(
      'kvm_memory_capacity_bytes',
      'Memory the host can give to guests: RAM without huge page pools and the reserve of the ' +
        'policy (/proc/meminfo MemTotal).',
      ({ capacityBytes }) => capacityBytes,
    ),
    'Compare with it all classes of kvm_memory_promised_bytes but hugepages, which have ' +
      'pools of their own.',
  ),
  byClass(
    'kvm_memory_promised_bytes',
    'Memory promised to running guests with their balloons as they are, by class of memory ' +
      '(balloon.current).',
    'currentBytes',
  ),
  byClass(
    'kvm_memory_promised_maximum_bytes',
    'Memory promised to running guests with empty balloons, by class of memory (balloon.maximum).',
    'maximumBytes',
  ),
  gauge(
    'kvm_memory_minimum_bytes',
    'Memory running guests cannot be shrunk below, whatever is asked of their balloons, by class of ' +
      'memory (guest XML, memory.min of its cgroup).',
    {
      note:
        'Sum of kvm_domain_memory_minimum_bytes; guests that have none could give up all they have, so ' +
        'it is the least there is.',
      labels: ['class'],
    },
    ({ assessment: { memory } }, sample) => {
      for (const one of classesIn(memory)) sample(`{class="${one}"}`, memory?.minimumByClass[one]);
    },
  ),
  ofHost(
    'kvm_memory_claimable_bytes',
    'Memory that running guests can still claim: promised minus allocated, summed over guests.',
    ({ current }) => current.claimableBytes,
  ),
  ofHost(
    'kvm_memory_claimable_maximum_bytes',
    'Memory that running guests can still claim once their balloons are empty, summed over ' +
      'guests.',
    ({ maximum }) => maximum.claimableBytes,
  ),
  ofHost(
    'kvm_memory_exposure_bytes',
    'Worst-case memory demand: all claimable memory plus un-merging all KSM pages.',
    ({ current }) => current.exposureBytes,
  ),
  ofHost(
    'kvm_memory_exposure_maximum_bytes',
    'Worst-case memory demand with empty balloons: all claimable memory plus un-merging all ' +
      'KSM pages.',
    ({ maximum }) => maximum.exposureBytes,
  ),
  withNote(
    ofHost(
      'kvm_memory_supply_bytes',
      'Memory that can meet the worst-case demand: available memory plus the free swap guests ' +
        'can use (/proc/meminfo MemAvailable, /proc/swaps).',
      ({ current }) => current.supplyBytes,
    ),
    'With supply.zfs_arc in the policy also the part of the ZFS cache that can be given up.',
  ),
  ofHost(
    'kvm_memory_ksm_unmerge_bytes',
    'Memory needed to un-merge all KSM pages at once (/sys/kernel/mm/ksm/pages_sharing, ' +
      'times the page size).',
    ({ ksmUnmergeBytes }) => ksmUnmergeBytes,
  ),
  gauge(
    'kvm_hugepages_promised_bytes',
    'Memory promised to running guests from the pool of one huge page size (guest XML).',
    { note: 'page_size is in bytes.', labels: ['page_size'] },
    ({ assessment }, sample) => {
      for (const { pageBytes, promised } of assessment.memory?.hugepages ?? []) {
        sample(`{page_size="${pageBytes}"}`, promised.currentBytes);
      }
    },
  ),
  gauge(
    'kvm_hugepages_capacity_bytes',
    'Size of the pool of one huge page size ' +
      '(/sys/kernel/mm/hugepages/hugepages-<size>kB/nr_hugepages).',
    {
      note:
        'page_size is in bytes. Absent where guests were promised pages of a size the host does ' +
        'not have.',
      labels: ['page_size'],
    },
    ({ assessment }, sample) => {
      for (const { pageBytes, totalBytes } of assessment.memory?.hugepages ?? []) {
        sample(`{page_size="${pageBytes}"}`, totalBytes);
      }
    },
  ),
  ofHost(
    'kvm_memory_domains_unknown',
    'Running guests whose promised or allocated memory is not known, so that the sums of ' +
      'promised and claimable memory and exposure lack theirs.',
    countUnknownGuests,
  ),
  ofHost(
    'kvm_memory_domains_without_balloon',
    'Running guests without a balloon device (<memballoon> of their XML).',
    ({ guestsWithoutBalloon }) => guestsWithoutBalloon,
  ),
  ofHost(
    'kvm_memory_domains_balloon_ineffective',
    'Running guests whose balloon frees no memory of the host, because of huge pages, ' +
      'locked or pinned memory (guest XML).',
    ({ guestsWithIneffectiveBalloon }) => guestsWithIneffectiveBalloon,
  ),
  withNote(
    ofGuest(
      'kvm_domain_memory_claimable_bytes',
      'Memory a guest can still claim: promised minus what it has allocated in RAM and swap ' +
        '(balloon.current, /proc/<pid>/status).',
      ({ claimableBytes }) => claimableBytes,
    ),
    'Computed as balloon.current minus RssAnon, RssShmem, HugetlbPages and VmSwap; of ' +
      'shared memory the swap of its cgroup, of memory in a file also RssFile. 0 for huge ' +
      'pages and pinned memory.',
  ),
  withNote(
    ofGuest(
      'kvm_domain_memory_minimum_bytes',
      'Memory a guest cannot be shrunk below (guest XML, memory.min of its cgroup).',
      ({ minimumBytes }) => minimumBytes,
    ),
    'All of it where it is locked, pinned, in huge pages, or the guest has no balloon; else what ' +
      'oVirt, CloudStack or <min_guarantee> guarantees or memory.min keeps. Absent where nothing of ' +
      'that is known.',
  ),
  ofGuest(
    'kvm_domain_memory_claimable_maximum_bytes',
    'Memory a guest can still claim once its balloon is empty (balloon.maximum, ' +
      '/proc/<pid>/status).',
    ({ claimableAtMaximumBytes }) => claimableAtMaximumBytes,
  ),
];

function ofHost(name: string, help: string, valueOf: (memory: MemoryOvercommit) => number): Metric {
  return gauge(name, help, {}, ({ assessment: { memory } }, sample) => {
    if (memory !== undefined) sample('', valueOf(memory));
  });
}

function byClass(name: string, help: string, field: 'currentBytes' | 'maximumBytes'): Metric {
  return gauge(
    name,
    help,
    {
      note:
        'Each guest is in one class: hugepages; locked, which includes memory pinned for devices; ' +
        'file (a file on a disk); shared (memfd, virtiofs, vhost-user); container (LXC, only ' +
        'on hosts that run some); or anonymous.',
      labels: ['class'],
    },
    ({ assessment: { memory } }, sample) => {
      for (const one of classesIn(memory)) {
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

/** Containers are a class only where there are some. */
function classesIn(memory: MemoryOvercommit | undefined): readonly MemoryClass[] {
  const hasContainers = (memory?.promisedByClass.container.guests ?? 0) > 0;
  return hasContainers ? MEMORY_CLASSES : MEMORY_CLASSES.filter((one) => one !== 'container');
}
