import { swappedBytes } from '../../model/facts/guest-memory.ts';
import { currentRamBytes, memoryTraits, ramBytes } from '../../model/facts/memory-traits.ts';
import type { Balloon } from '../../model/domain.ts';
import type { MemoryDevice } from '../../model/domain-config.ts';

import { domainCounter, domainGauge, domainInfo, type Metric, withNote } from '../metric.ts';
import { yesNo } from '../yes-no.ts';
import type { ProcessStatus } from '../../model/process.ts';

const BALLOON_INFO_LABELS = ['model', 'free_page_reporting', 'autodeflate'] as const;
const BACKING_INFO_LABELS = ['backing', 'mergeable', 'swappable', 'balloonable'] as const;

/** Memory of guests: what they were promised, what they see, and what they take of the host. */
export const domainMemoryMetrics: readonly Metric[] = [
  domainGauge(
    'kvm_domain_memory_maximum_bytes',
    'RAM of a guest with an empty balloon (balloon.maximum).',
    {
      note:
        'Without balloon.maximum <memory> of its XML. Memory devices that are no RAM (nvdimm, ' +
        'virtio-pmem, sgx-epc) are subtracted.',
    },
    ({ domain, labels }, sample) => {
      const { balloon, config } = domain;
      sample(labels.only, ramBytes(balloon?.maximumBytes ?? config?.memory.maximumBytes, config));
    },
  ),
  domainGauge(
    'kvm_domain_balloon_current_bytes',
    'Memory a guest has now: its maximum minus its balloon, not the memory it uses ' +
      '(balloon.current).',
    {},
    ({ domain, labels }, sample) => {
      const { balloon, config } = domain;
      const totalBytes = balloon?.maximumBytes ?? config?.memory.maximumBytes;
      sample(labels.only, currentRamBytes(balloon?.currentBytes, totalBytes, config));
    },
  ),
  domainGauge(
    'kvm_domain_balloon_target_bytes',
    'Balloon target: memory libvirt asked a guest to make do with (<currentMemory> of its XML).',
    {
      note:
        'libvirt sets it to what the guest has once the balloon has moved, so a difference to ' +
        'kvm_domain_balloon_current_bytes is a balloon that does not obey.',
    },
    ({ domain, labels }, sample) => {
      const { config } = domain;
      if (config?.balloon === undefined) return;
      const { currentBytes, maximumBytes } = config.memory;
      sample(labels.only, currentRamBytes(currentBytes, maximumBytes, config));
    },
  ),
  virtioMem(
    'size',
    'Most memory a guest can plug in from a virtio-mem device, part of ' +
      'kvm_domain_memory_maximum_bytes (<target><size>).',
    ({ sizeBytes }) => sizeBytes,
  ),
  virtioMem(
    'requested',
    'Memory a guest was asked to plug in from a virtio-mem device (<target><requested>).',
    ({ requestedBytes }) => requestedBytes,
  ),
  virtioMem(
    'plugged',
    'Memory a guest has plugged in from a virtio-mem device (<target><current>).',
    ({ currentBytes }) => currentBytes,
  ),
  virtioMem(
    'block',
    'Size of the blocks in which a guest plugs memory of a virtio-mem device (<target><block>).',
    ({ blockBytes }) => blockBytes,
  ),
  domainInfo(
    'kvm_domain_balloon_info',
    'Balloon device of a guest; model is none without one (<memballoon> of its XML).',
    { labels: BALLOON_INFO_LABELS },
    ({ domain, labels }, sample) => {
      if (domain.config === undefined) return;
      const { balloon } = domain.config;
      const values = [
        balloon?.model ?? 'none',
        yesNo(balloon?.freePageReporting),
        yesNo(balloon?.autodeflate),
      ];
      sample(labels.with(BALLOON_INFO_LABELS, values), 1);
    },
  ),
  domainGauge(
    'kvm_domain_balloon_stats_period_seconds',
    'Period at which a guest reports memory statistics; absent when it never does ' +
      '(<memballoon><stats period>).',
    {},
    ({ domain, labels }, sample) => {
      sample(labels.only, domain.config?.balloon?.statsPeriodSeconds);
    },
  ),
  withNote(
    ofGuest(
      'kvm_domain_balloon_last_update_timestamp_seconds',
      'Unix time of the last memory statistics a guest reported (balloon.last-update).',
      'lastUpdateSeconds',
    ),
    'If it does not move, the guest has no working balloon driver.',
  ),
  domainGauge(
    'kvm_domain_balloon_stats_age_seconds',
    'Age of the memory statistics a guest reported last, by the clock of the host ' +
      '(balloon.last-update).',
    {},
    ({ domain, labels, takenAtSeconds }, sample) => {
      const reportedAt = domain.balloon?.lastUpdateSeconds;
      const age = reportedAt === undefined ? undefined : Math.max(0, takenAtSeconds - reportedAt);
      sample(labels.only, age);
    },
  ),
  ofGuest(
    'kvm_domain_guest_memory_size_bytes',
    'Memory the kernel of a guest manages, its MemTotal (balloon.available).',
    'guestTotalBytes',
  ),
  withNote(
    ofGuest(
      'kvm_domain_guest_memory_free_bytes',
      'Unused memory inside a guest, its MemFree (balloon.unused).',
      'guestFreeBytes',
    ),
    'Low in a healthy guest.',
  ),
  ofGuest(
    'kvm_domain_guest_memory_available_bytes',
    'Memory available inside a guest without swapping, its MemAvailable (balloon.usable).',
    'guestAvailableBytes',
  ),
  ofGuest(
    'kvm_domain_guest_disk_caches_bytes',
    'Page cache inside a guest (balloon.disk_caches).',
    'guestDiskCachesBytes',
  ),
  countedByGuest(
    'kvm_domain_guest_swap_in_bytes_total',
    'Memory a guest read back from its own swap (balloon.swap_in).',
    'guestSwapInBytes',
  ),
  countedByGuest(
    'kvm_domain_guest_swap_out_bytes_total',
    'Memory a guest wrote to its own swap (balloon.swap_out).',
    'guestSwapOutBytes',
  ),
  countedByGuest(
    'kvm_domain_guest_major_faults_total',
    'Page faults inside a guest that had to read from a disk (balloon.major_fault).',
    'guestMajorFaults',
  ),
  countedByGuest(
    'kvm_domain_guest_minor_faults_total',
    'Page faults inside a guest that needed no disk (balloon.minor_fault).',
    'guestMinorFaults',
  ),
  countedByGuest(
    'kvm_domain_guest_hugetlb_allocations_total',
    'Huge pages allocated inside a guest (balloon.hugetlb_pgalloc).',
    'guestHugetlbAllocations',
  ),
  countedByGuest(
    'kvm_domain_guest_hugetlb_failures_total',
    'Huge pages a guest wanted for itself and did not get (balloon.hugetlb_pgfail).',
    'guestHugetlbFailures',
  ),
  domainGauge(
    'kvm_domain_resident_bytes',
    'RAM the QEMU process of a guest holds, by kind (/proc/<pid>/status RssAnon, RssFile, ' +
      'RssShmem).',
    {
      note:
        'A page merged by KSM counts for every guest that has it. Huge pages are in ' +
        'kvm_domain_hugetlb_bytes instead.',
      labels: ['kind'],
    },
    ({ domain, labels }, sample) => {
      const status = domain.process?.status;
      sample(labels.one('kind', 'anonymous'), status?.residentAnonymousBytes);
      sample(labels.one('kind', 'file'), status?.residentFileBytes);
      sample(labels.one('kind', 'shared'), status?.residentSharedBytes);
    },
  ),
  domainGauge(
    'kvm_domain_libvirt_resident_bytes',
    'RAM the QEMU process of a guest holds as libvirt reports it, only where /proc is out ' +
      'of reach (balloon.rss).',
    {},
    ({ domain, labels }, sample) => {
      if (domain.process === undefined) sample(labels.only, domain.balloon?.residentBytes);
    },
  ),
  ofProcess(
    'kvm_domain_hugetlb_bytes',
    'Huge pages the QEMU process of a guest holds, which cannot be swapped ' +
      '(/proc/<pid>/status HugetlbPages).',
    'hugetlbBytes',
  ),
  domainGauge(
    'kvm_domain_swap_bytes',
    'Memory of the QEMU process that the host has swapped out (/proc/<pid>/status VmSwap).',
    {
      note: 'Of a guest with shared memory, which VmSwap lacks, the swap of its own cgroup.',
    },
    ({ domain, memory, labels, pages }, sample) => {
      sample(labels.only, memory?.swapBytes ?? swappedBytes(domain, pages));
    },
  ),
  ofProcess(
    'kvm_domain_locked_bytes',
    'Memory of the QEMU process locked with mlock (/proc/<pid>/status VmLck).',
    'lockedBytes',
  ),
  ofProcess(
    'kvm_domain_pinned_bytes',
    'Memory of the QEMU process pinned for devices that access it directly ' +
      '(/proc/<pid>/status VmPin).',
    'pinnedBytes',
  ),
  domainGauge(
    'kvm_domain_virtual_bytes',
    'Address space of the QEMU process, far more than it holds (/proc/<pid>/status VmSize).',
    {},
    ({ domain: { process }, labels }, sample) => {
      sample(labels.only, process?.status?.virtualBytes ?? process?.stat.virtualBytes);
    },
  ),
  domainCounter(
    'kvm_domain_major_faults_total',
    'Page faults of the QEMU process that had to read from a device, mostly from swap ' +
      '(/proc/<pid>/stat majflt).',
    {},
    ({ domain, labels }, sample) => {
      sample(labels.only, domain.process?.stat.majorFaults);
    },
  ),
  domainCounter(
    'kvm_domain_minor_faults_total',
    'Page faults of the QEMU process that needed no device (/proc/<pid>/stat minflt).',
    {},
    ({ domain, labels }, sample) => {
      sample(labels.only, domain.process?.stat.minorFaults);
    },
  ),
  domainGauge(
    'kvm_domain_proportional_bytes',
    'RAM of the QEMU process with each page divided by the number of its users, by kind ' +
      '(/proc/<pid>/smaps_rollup Pss_Anon, Pss_File, Pss_Shmem).',
    {
      note: 'Sums over guests count merged pages once.',
      labels: ['kind'],
    },
    ({ domain, labels }, sample) => {
      const smaps = domain.process?.smaps;
      sample(labels.one('kind', 'anonymous'), smaps?.proportionalAnonymousBytes);
      sample(labels.one('kind', 'file'), smaps?.proportionalFileBytes);
      sample(labels.one('kind', 'shared'), smaps?.proportionalSharedMemoryBytes);
    },
  ),
  domainGauge(
    'kvm_domain_proportional_swap_bytes',
    'Swap of the QEMU process with each page divided by the number of its users ' +
      '(/proc/<pid>/smaps_rollup SwapPss).',
    {},
    ({ domain, labels }, sample) => {
      sample(labels.only, domain.process?.smaps?.proportionalSwappedBytes);
    },
  ),
  domainGauge(
    'kvm_domain_anonymous_huge_bytes',
    'Memory of a guest in transparent huge pages (/proc/<pid>/smaps_rollup AnonHugePages, ' +
      'or anon_thp in memory.stat of its cgroup).',
    {},
    ({ domain, labels }, sample) => {
      const ofCgroup = domain.cgroup?.memory?.usage.anonymousHugePageBytes;
      sample(labels.only, domain.process?.smaps?.anonymousHugePageBytes ?? ofCgroup);
    },
  ),
  domainInfo(
    'kvm_domain_memory_backing_info',
    'Kind of memory a guest has and what the host can do with it (<memoryBacking> and ' +
      'devices of its XML).',
    {
      note:
        'backing is anonymous, shared (memfd, tmpfs), file (on a disk, to which the host writes ' +
        'it back) or hugepages; of a guest with some cells in huge pages that of the rest. ' +
        'Locked memory, encryption and devices that pin memory count. balloonable="no" although ' +
        'it has a balloon: the guest would give memory up and the host would not get it.',
      labels: BACKING_INFO_LABELS,
    },
    ({ domain, labels, memory, pages }, sample) => {
      if (domain.config === undefined) return;
      const traits = memoryTraits(domain.config, pages, memory);
      const values = [
        traits.backing,
        yesNo(traits.mergeable),
        yesNo(traits.swappable),
        yesNo(traits.balloonable),
      ];
      sample(labels.with(BACKING_INFO_LABELS, values), 1);
    },
  ),
  domainGauge(
    'kvm_domain_numa_resident_bytes',
    'Memory of a guest on a NUMA node of the host, without page cache of its disks ' +
      '(memory.numa_stat of its cgroup).',
    { labels: ['node'] },
    ({ domain, labels }, sample) => {
      for (const { node, swapBackedBytes } of domain.cgroup?.numa ?? []) {
        sample(labels.one('node', String(node)), swapBackedBytes);
      }
    },
  ),
];

/** Of each virtio-mem device; `device` is libvirt's alias, or its place while the guest is off. */
function virtioMem(
  what: string,
  help: string,
  bytesOf: (device: MemoryDevice) => number | undefined,
): Metric {
  return domainGauge(
    `kvm_domain_virtio_mem_${what}_bytes`,
    help,
    { labels: ['device'] },
    ({ domain, labels }, sample) => {
      const devices = domain.config?.memory.devices.filter(({ model }) => model === 'virtio-mem');
      for (const [index, device] of (devices ?? []).entries()) {
        sample(labels.device(device.alias ?? `virtiomem${index}`), bytesOf(device));
      }
    },
  );
}

function ofGuest(name: string, help: string, field: keyof Balloon): Metric {
  return domainGauge(name, help, {}, ({ domain, labels }, sample) => {
    sample(labels.only, domain.balloon?.[field]);
  });
}

function countedByGuest(name: string, help: string, field: keyof Balloon): Metric {
  return domainCounter(name, help, {}, ({ domain, labels }, sample) => {
    sample(labels.only, domain.balloon?.[field]);
  });
}

function ofProcess(
  name: string,
  help: string,
  field: 'hugetlbBytes' | 'lockedBytes' | 'pinnedBytes',
): Metric {
  return domainGauge(name, help, {}, ({ domain, labels }, sample) => {
    const status: ProcessStatus | undefined = domain.process?.status;
    sample(labels.only, status?.[field]);
  });
}
