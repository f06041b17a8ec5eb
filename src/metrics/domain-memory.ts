import { currentRamBytes, memoryTraits, ramBytes } from '../overcommit/memory-traits.ts';
import type { Balloon } from '../snapshot/domain.ts';
import type { MemoryDevice } from '../sources/domain-config.ts';
import type { ProcessStatus } from '../sources/process-status.ts';
import { domainCounter, domainGauge, domainInfo, type Metric } from './metric.ts';
import { yesNo } from './yes-no.ts';

const BALLOON_INFO_LABELS = ['model', 'free_page_reporting', 'autodeflate'] as const;
const BACKING_INFO_LABELS = ['backing', 'mergeable', 'swappable', 'balloonable'] as const;

/** Memory of guests: what they were promised, what they see, and what they take of the host. */
export const domainMemoryMetrics: readonly Metric[] = [
  domainGauge(
    'kvm_domain_memory_maximum_bytes',
    'RAM a guest has when its balloon is empty (balloon.maximum, else <memory> of its XML, less ' +
      'memory devices that are no RAM: nvdimm, virtio-pmem, sgx-epc).',
    {
      replaces: [
        'libvirt_domain_info_maximum_memory_bytes',
        'libvirt_domain_memory_stats_maximum_bytes',
        'libvirtd_domain_balloon_maximum',
        'opennebula_libvirt_memory_maximum_bytes',
        'kubevirt_vmi_memory_domain_bytes',
        'nova_instance_memory_kib',
        'pve_kvm_maxmem_bytes',
        'pve_memory_size_bytes',
        'pve_vm_balloon_max_bytes',
        'pve_vm_memory_max_bytes',
      ],
    },
    ({ domain, labels }, sample) => {
      const { balloon, config } = domain;
      sample(labels.only, ramBytes(balloon?.maximumBytes ?? config?.memory.maximumBytes, config));
    },
  ),
  domainGauge(
    'kvm_domain_balloon_current_bytes',
    'Memory a guest has now: its maximum less its balloon (balloon.current). Often called memory ' +
      'usage, which it is not.',
    {
      replaces: [
        'libvirt_domain_info_memory_usage_bytes',
        'libvirt_domain_memory_stats_current_balloon_bytes',
        'libvirt_domain_memory_stats_actual_balloon_bytes',
        'libvirtd_domain_balloon_current',
        'opennebula_libvirt_memory_total_bytes',
        'kubevirt_vmi_memory_actual_balloon_bytes',
        'pve_vm_balloon_actual_bytes',
      ],
    },
    ({ domain, labels }, sample) => {
      const { balloon, config } = domain;
      const totalBytes = balloon?.maximumBytes ?? config?.memory.maximumBytes;
      sample(labels.only, currentRamBytes(balloon?.currentBytes, totalBytes, config));
    },
  ),
  domainGauge(
    'kvm_domain_balloon_target_bytes',
    'Memory a guest was asked to make do with (<currentMemory> of its XML). libvirt sets it to ' +
      'what the guest has once the balloon has moved, so a difference to ' +
      'kvm_domain_balloon_current_bytes is a balloon that does not obey.',
    { replaces: ['pve_vm_balloon_bytes'] },
    ({ domain, labels }, sample) => {
      const { config } = domain;
      if (config?.balloon === undefined) return;
      const { currentBytes, maximumBytes } = config.memory;
      sample(labels.only, currentRamBytes(currentBytes, maximumBytes, config));
    },
  ),
  virtioMem(
    'size',
    'Most that can be plugged in (<target><size>). Part of kvm_domain_memory_maximum_bytes.',
    ({ sizeBytes }) => sizeBytes,
  ),
  virtioMem(
    'requested',
    'What the guest was asked to plug in (<target><requested>).',
    ({ requestedBytes }) => requestedBytes,
  ),
  virtioMem(
    'plugged',
    'What the guest has plugged in (<target><current>). One that stays away from ' +
      'kvm_domain_virtio_mem_requested_bytes is a guest that does not obey, or cannot free a block.',
    ({ currentBytes }) => currentBytes,
  ),
  virtioMem(
    'block',
    'Size of the blocks the guest plugs in and out (<target><block>).',
    ({ blockBytes }) => blockBytes,
  ),
  domainInfo(
    'kvm_domain_balloon_info',
    'The memory balloon device of a guest (<memballoon> of its XML); model="none" without one.',
    { labels: BALLOON_INFO_LABELS, replaces: ['nova_instance_memballoon'] },
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
    'How often a guest reports its memory statistics (<memballoon><stats period>); absent when ' +
      'it never does.',
    {},
    ({ domain, labels }, sample) => {
      sample(labels.only, domain.config?.balloon?.statsPeriodSeconds);
    },
  ),
  ofGuest(
    'kvm_domain_balloon_last_update_timestamp_seconds',
    'Unix time of the last memory statistics a guest reported (balloon.last-update). One that ' +
      'does not move is a guest without a working balloon driver.',
    'lastUpdateSeconds',
    ['libvirt_domain_memory_stats_last_update_timestamp_seconds'],
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
    "Memory as the guest's kernel counts it, its MemTotal (balloon.available).",
    'guestTotalBytes',
    [
      'libvirt_domain_memory_stats_available_bytes',
      'libvirtd_domain_balloon_available',
      'opennebula_libvirt_memory_available_bytes',
      'kubevirt_vmi_memory_available_bytes',
      'pve_vm_balloon_total_bytes',
    ],
  ),
  ofGuest(
    'kvm_domain_guest_memory_free_bytes',
    'Memory the guest uses for nothing, its MemFree (balloon.unused). Low in a healthy guest.',
    'guestFreeBytes',
    [
      'libvirt_domain_memory_stats_unused_bytes',
      'libvirt_domain_info_memory_unused_bytes',
      'libvirtd_domain_balloon_unused',
      'opennebula_libvirt_memory_unsed_bytes',
      'kubevirt_vmi_memory_unused_bytes',
      'pve_vm_memory_free_bytes',
    ],
  ),
  ofGuest(
    'kvm_domain_guest_memory_available_bytes',
    'Memory the guest can still use without swapping, its MemAvailable (balloon.usable).',
    'guestAvailableBytes',
    [
      'libvirt_domain_memory_stats_usable_bytes',
      'libvirt_domain_memory_stats_used_percent',
      'libvirtd_domain_balloon_usable',
      'kubevirt_vmi_memory_usable_bytes',
      'pve_vm_memory_used_bytes',
    ],
  ),
  ofGuest(
    'kvm_domain_guest_disk_caches_bytes',
    'Memory the guest uses as page cache (balloon.disk_caches).',
    'guestDiskCachesBytes',
    [
      'libvirt_domain_memory_stats_disk_caches_bytes',
      'libvirt_domain_memory_stats_disk_cache_bytes',
      'libvirtd_domain_balloon_disk_caches',
      'kubevirt_vmi_memory_cached_bytes',
    ],
  ),
  countedByGuest(
    'kvm_domain_guest_swap_in_bytes_total',
    'Memory the guest read back from its own swap (balloon.swap_in).',
    'guestSwapInBytes',
    [
      'libvirt_domain_memory_stats_swap_in_bytes',
      'libvirt_domain_stat_memory_swap_in_bytes',
      'libvirtd_domain_balloon_swap_in',
      'opennebula_libvirt_memory_swapin_bytes_total',
      'kubevirt_vmi_memory_swap_in_traffic_bytes',
      'pve_vm_balloon_mem_swapped_in_bytes',
    ],
  ),
  countedByGuest(
    'kvm_domain_guest_swap_out_bytes_total',
    'Memory the guest wrote to its own swap (balloon.swap_out).',
    'guestSwapOutBytes',
    [
      'libvirt_domain_memory_stats_swap_out_bytes',
      'libvirt_domain_stat_memory_swap_out_bytes',
      'libvirtd_domain_balloon_swap_out',
      'opennebula_libvirt_memory_swapout_bytes_total',
      'kubevirt_vmi_memory_swap_out_traffic_bytes',
      'pve_vm_balloon_mem_swapped_out_bytes',
    ],
  ),
  countedByGuest(
    'kvm_domain_guest_major_faults_total',
    'Page faults inside the guest that had to read from a disk (balloon.major_fault).',
    'guestMajorFaults',
    [
      'libvirt_domain_memory_stats_major_fault_total',
      'libvirtd_domain_balloon_major_fault',
      'kubevirt_vmi_memory_pgmajfault_total',
      'pve_vm_balloon_major_page_faults_total',
    ],
  ),
  countedByGuest(
    'kvm_domain_guest_minor_faults_total',
    'Page faults inside the guest that needed no disk (balloon.minor_fault).',
    'guestMinorFaults',
    [
      'libvirt_domain_memory_stats_minor_fault_total',
      'libvirtd_domain_balloon_minor_fault',
      'kubevirt_vmi_memory_pgminfault_total',
      'pve_vm_balloon_minor_page_faults_total',
    ],
  ),
  countedByGuest(
    'kvm_domain_guest_hugetlb_allocations_total',
    'Huge pages the guest allocated (balloon.hugetlb_pgalloc).',
    'guestHugetlbAllocations',
    [
      'libvirt_domain_memory_stats_hugetlb_pgalloc_total',
      'libvirtd_domain_balloon_hugetlb_pgalloc',
    ],
  ),
  countedByGuest(
    'kvm_domain_guest_hugetlb_failures_total',
    'Huge pages the guest wanted and did not get (balloon.hugetlb_pgfail).',
    'guestHugetlbFailures',
    ['libvirt_domain_memory_stats_hugetlb_pgfail_total', 'libvirtd_domain_balloon_hugetlb_pgfail'],
  ),
  domainGauge(
    'kvm_domain_resident_bytes',
    'RAM the QEMU process holds, by kind (/proc/<pid>/status RssAnon, RssFile, RssShmem). A page ' +
      'merged by KSM counts once for every guest that has it; hugetlb pages are not in here.',
    {
      labels: ['kind'],
      replaces: [
        'libvirt_domain_memory_stats_rss_bytes',
        'libvirt_domain_info_memory_rss_bytes',
        'libvirtd_domain_balloon_rss',
        'opennebula_libvirt_memory_rss_bytes',
        'kubevirt_vmi_memory_resident_bytes',
        'ceems_compute_unit_memory_rss_bytes',
        'pve_kvm_memory_extended',
        'pve_kvm_memory_percent',
        'pve_memory_usage_bytes',
        'pve_vm_memory_host_bytes',
      ],
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
    'RAM the QEMU process holds as libvirt says (balloon.rss). Only where /proc is out of reach.',
    {},
    ({ domain, labels }, sample) => {
      if (domain.process === undefined) sample(labels.only, domain.balloon?.residentBytes);
    },
  ),
  ofProcess(
    'kvm_domain_hugetlb_bytes',
    'Hugetlb pages the QEMU process holds; they can not be swapped (/proc/<pid>/status ' +
      'HugetlbPages).',
    'hugetlbBytes',
  ),
  domainGauge(
    'kvm_domain_swap_bytes',
    'Memory of the QEMU process the host has swapped out (/proc/<pid>/status VmSwap; of a guest ' +
      'with shared memory, which that lacks, what its own cgroup has in swap).',
    { replaces: ['ceems_compute_unit_memsw_used_bytes', 'pve_kvm_memory_extended'] },
    ({ domain, memory, labels }, sample) => {
      sample(labels.only, memory?.swapBytes ?? domain.process?.status?.swappedBytes);
    },
  ),
  ofProcess(
    'kvm_domain_locked_bytes',
    'Memory of the QEMU process locked with mlock (/proc/<pid>/status VmLck).',
    'lockedBytes',
    ['pve_kvm_memory_extended'],
  ),
  ofProcess(
    'kvm_domain_pinned_bytes',
    'Memory of the QEMU process pinned for devices that read and write it themselves ' +
      '(/proc/<pid>/status VmPin).',
    'pinnedBytes',
    ['pve_kvm_memory_extended'],
  ),
  domainGauge(
    'kvm_domain_virtual_bytes',
    'Address space of the QEMU process (/proc/<pid>/status VmSize); far more than it holds.',
    { replaces: ['pve_kvm_memory_extended'] },
    ({ domain: { process }, labels }, sample) => {
      sample(labels.only, process?.status?.virtualBytes ?? process?.stat.virtualBytes);
    },
  ),
  domainCounter(
    'kvm_domain_major_faults_total',
    'Page faults of the QEMU process that had to read from a device, so mostly from swap ' +
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
      '(/proc/<pid>/smaps_rollup Pss_Anon, Pss_File, Pss_Shmem): sums over guests count merged ' +
      'pages once.',
    { labels: ['kind'], replaces: ['namedprocess_namegroup_memory_bytes'] },
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
    { replaces: ['namedprocess_namegroup_memory_bytes'] },
    ({ domain, labels }, sample) => {
      sample(labels.only, domain.process?.smaps?.proportionalSwappedBytes);
    },
  ),
  domainGauge(
    'kvm_domain_anonymous_huge_bytes',
    'Memory of a guest in transparent huge pages (/proc/<pid>/smaps_rollup AnonHugePages, else ' +
      'anon_thp of memory.stat of its cgroup).',
    {},
    ({ domain, labels }, sample) => {
      const ofCgroup = domain.cgroup?.memory?.usage.anonymousHugePageBytes;
      sample(labels.only, domain.process?.smaps?.anonymousHugePageBytes ?? ofCgroup);
    },
  ),
  domainInfo(
    'kvm_domain_memory_backing_info',
    "What a guest's memory is made of and what the host can do with it (<memoryBacking>, devices " +
      'and encryption that pin memory, and what is locked). backing is anonymous, shared (memfd, ' +
      'tmpfs), file (on a disk, to which the host writes it back), or hugepages; of a guest with ' +
      'some cells in huge pages that of the rest. balloonable="no" although it has a balloon: the ' +
      'guest would give memory up and the host would not get it.',
    { labels: BACKING_INFO_LABELS },
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
    'Memory of a guest on each NUMA node of the host, page cache of its disks left out ' +
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
  meaning: string,
  bytesOf: (device: MemoryDevice) => number | undefined,
): Metric {
  return domainGauge(
    `kvm_domain_virtio_mem_${what}_bytes`,
    `Memory of a virtio-mem device of a guest. ${meaning}`,
    { labels: ['device'] },
    ({ domain, labels }, sample) => {
      const devices = domain.config?.memory.devices.filter(({ model }) => model === 'virtio-mem');
      for (const [index, device] of (devices ?? []).entries()) {
        sample(labels.device(device.alias ?? `virtiomem${index}`), bytesOf(device));
      }
    },
  );
}

function ofGuest(
  name: string,
  help: string,
  field: keyof Balloon,
  replaces: readonly string[],
): Metric {
  return domainGauge(name, help, { replaces }, ({ domain, labels }, sample) => {
    sample(labels.only, domain.balloon?.[field]);
  });
}

function countedByGuest(
  name: string,
  help: string,
  field: keyof Balloon,
  replaces: readonly string[],
): Metric {
  return domainCounter(name, help, { replaces }, ({ domain, labels }, sample) => {
    sample(labels.only, domain.balloon?.[field]);
  });
}

function ofProcess(
  name: string,
  help: string,
  field: 'hugetlbBytes' | 'lockedBytes' | 'pinnedBytes',
  replaces: readonly string[] = [],
): Metric {
  return domainGauge(name, help, { replaces }, ({ domain, labels }, sample) => {
    const status: ProcessStatus | undefined = domain.process?.status;
    sample(labels.only, status?.[field]);
  });
}
