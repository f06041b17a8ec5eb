import { labelText } from '../../exposition/labels.ts';

import { counter, gauge, info, type Metric } from '../metric.ts';
import { zeroOne } from '../yes-no.ts';
import type { HugePagePool, Meminfo, ZfsArc } from '../../model/host-memory.ts';

const THP_LABELS = ['enabled', 'defrag', 'shmem_enabled'] as const;

/** Memory of the host, and the kernel settings that decide what over-commitment does to it. */
export const hostMemoryMetrics: readonly Metric[] = [
  memory('size', 'MemTotal', 'totalBytes', 'RAM the kernel manages'),
  memory('free', 'MemFree', 'freeBytes', 'Unused RAM'),
  memory(
    'available',
    'MemAvailable',
    'availableBytes',
    'RAM that programs can still get without swapping, as the kernel estimates it',
  ),
  arc('size', 'size', 'sizeBytes', 'Size of the ZFS cache (ARC), which is not in MemAvailable'),
  arc('minimum', 'c_min', 'minimumBytes', 'Size below which the ZFS cache does not shrink'),
  arc('maximum', 'c_max', 'maximumBytes', 'Size beyond which the ZFS cache does not grow'),
  arc(
    'reclaimable',
    'mru_evictable_* and mfu_evictable_*, at most size less c_min',
    'reclaimableBytes',
    'Part of the ZFS cache that can be given up',
  ),
  memory(
    'cached',
    'Cached',
    'cachedBytes',
    'Page cache, including shared memory and so the RAM of memfd-backed guests',
  ),
  memory('buffers', 'Buffers', 'buffersBytes', 'Page cache of block devices'),
  memory(
    'shared',
    'Shmem',
    'sharedMemoryBytes',
    'tmpfs and shared memory, including the RAM of memfd-backed guests',
  ),
  memory(
    'anonymous',
    'AnonPages',
    'anonymousBytes',
    'Memory of processes without a file behind it, such as the RAM of ordinary guests',
  ),
  memory(
    'anonymous_huge',
    'AnonHugePages',
    'anonymousHugePageBytes',
    'Part of anonymous memory in transparent huge pages',
  ),
  memory('dirty', 'Dirty', 'dirtyBytes', 'Page cache that waits to be written to a disk'),
  memory(
    'unevictable',
    'Unevictable',
    'unevictableBytes',
    'Memory that cannot be reclaimed or swapped, for instance of <locked/> guests',
  ),
  memory('locked', 'Mlocked', 'lockedBytes', 'Memory locked with mlock'),
  memory(
    'slab_reclaimable',
    'SReclaimable',
    'slabReclaimableBytes',
    'Kernel objects that can be freed when memory is short',
  ),
  memory(
    'slab_unreclaimable',
    'SUnreclaim',
    'slabUnreclaimableBytes',
    'Kernel objects that cannot be freed',
  ),
  memory('page_tables', 'PageTables', 'pageTableBytes', 'Page tables of processes'),
  memory('kernel_stack', 'KernelStack', 'kernelStackBytes', 'Kernel stacks of all tasks'),
  memory(
    'committed',
    'Committed_AS',
    'committedBytes',
    'Memory processes have asked for, whether or not they have used it yet',
  ),
  memory(
    'commit_limit',
    'CommitLimit',
    'commitLimitBytes',
    'Most memory that may be committed, enforced only with vm.overcommit_memory=2',
  ),
  memory(
    'corrupted',
    'HardwareCorrupted',
    'hardwareCorruptedBytes',
    'RAM taken out of use after memory errors',
  ),
  hugepages('size', 'nr_hugepages', (pool) => pool.total, 'Size of the pool of huge pages'),
  hugepages(
    'free',
    'free_hugepages',
    (pool) => pool.free,
    'Free huge pages, including reserved ones',
  ),
  hugepages(
    'reserved',
    'resv_hugepages',
    (pool) => pool.reserved,
    'Huge pages reserved for a process but not yet allocated',
  ),
  hugepages(
    'surplus',
    'surplus_hugepages',
    (pool) => pool.surplus,
    'Huge pages beyond the configured size of the pool',
  ),
  gauge(
    'kvm_host_overcommit_memory_mode',
    'Over-commit mode of the kernel: 0 refuses obvious excess, 1 never refuses, 2 keeps to ' +
      'the commit limit (vm.overcommit_memory).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.memorySysctl?.overcommitMode);
    },
  ),
  gauge(
    'kvm_host_overcommit_memory_ratio',
    'Share of RAM that counts towards the commit limit (vm.overcommit_ratio).',
    {},
    ({ snapshot }, sample) => {
      sample('', ratio(snapshot.host.memorySysctl?.overcommitRatioPercent));
    },
  ),
  gauge(
    'kvm_host_swappiness',
    'How readily the kernel swaps, from 0 (as a last resort) to 200 (rather than drop page ' +
      'cache) (vm.swappiness).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.memorySysctl?.swappiness);
    },
  ),
  gauge(
    'kvm_host_min_free_bytes',
    'Free RAM below which only the kernel itself still gets memory (vm.min_free_kbytes).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.memorySysctl?.minFreeBytes);
    },
  ),
  gauge(
    'kvm_host_numa_balancing',
    'Mode of NUMA balancing: 0 off, 1 on, 2 memory tiering, 3 both (kernel.numa_balancing).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.memorySysctl?.numaBalancing);
    },
  ),
  gauge(
    'kvm_host_sched_schedstats',
    "Whether scheduler statistics are on, without which libvirt's vcpu.<n>.wait stays 0 " +
      '(kernel.sched_schedstats).',
    {},
    ({ snapshot }, sample) => {
      sample('', zeroOne(snapshot.host.memorySysctl?.schedulerStatistics));
    },
  ),
  info(
    'kvm_host_thp_info',
    'Transparent huge page settings (enabled, defrag and shmem_enabled in ' +
      '/sys/kernel/mm/transparent_hugepage).',
    { labels: THP_LABELS },
    ({ snapshot }, sample) => {
      const thp = snapshot.host.transparentHugePages;
      if (thp === undefined) return;
      const values = [thp.enabled, thp.defrag ?? '', thp.sharedMemoryEnabled ?? ''];
      sample(labelText(THP_LABELS, values), 1);
    },
  ),
  gauge(
    'kvm_host_thp_size_bytes',
    'Size of a transparent huge page (transparent_hugepage/hpage_pmd_size).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.transparentHugePages?.pageBytes);
    },
  ),
  gauge(
    'kvm_host_khugepaged_pages_to_scan',
    'Pages khugepaged scans in one batch (khugepaged/pages_to_scan).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.transparentHugePages?.khugepaged.pagesToScan);
    },
  ),
  counter(
    'kvm_host_khugepaged_collapsed_pages_total',
    'Huge pages khugepaged has made from small ones (khugepaged/pages_collapsed).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.transparentHugePages?.khugepaged.pagesCollapsed);
    },
  ),
  counter(
    'kvm_host_khugepaged_full_scans_total',
    'Times khugepaged scanned all memory (khugepaged/full_scans).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.transparentHugePages?.khugepaged.fullScans);
    },
  ),
  gauge(
    'kvm_host_mglru_enabled',
    'Whether the multi-generational LRU chooses which memory is reclaimed ' +
      '(/sys/kernel/mm/lru_gen/enabled).',
    {},
    ({ snapshot }, sample) => {
      sample('', zeroOne(snapshot.host.multiGenLru?.enabled));
    },
  ),
  gauge(
    'kvm_host_mglru_minimum_age_seconds',
    'Age below which memory is not reclaimed, so that the OOM killer acts instead ' +
      '(/sys/kernel/mm/lru_gen/min_ttl_ms).',
    { note: 'Absent when switched off.' },
    ({ snapshot }, sample) => {
      sample('', snapshot.host.multiGenLru?.minimumAgeSeconds);
    },
  ),
];

type ByteField = {
  [Key in keyof Meminfo]-?: Meminfo[Key] extends number | undefined ? Key : never;
}[keyof Meminfo];

function memory(name: string, line: string, field: ByteField, meaning: string): Metric {
  return gauge(
    `kvm_host_memory_${name}_bytes`,
    `${meaning} (/proc/meminfo ${line}).`,
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.meminfo?.[field]);
    },
  );
}

function arc(name: string, line: string, field: keyof ZfsArc, meaning: string): Metric {
  return gauge(
    `kvm_host_zfs_arc_${name}_bytes`,
    `${meaning} (/proc/spl/kstat/zfs/arcstats ${line}).`,
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.zfsArc?.[field]);
    },
  );
}

function hugepages(
  name: string,
  file: string,
  pages: (pool: HugePagePool) => number | undefined,
  meaning: string,
): Metric {
  return gauge(
    `kvm_host_hugepages_${name}_bytes`,
    `${meaning}, by page size in bytes (/sys/kernel/mm/hugepages/hugepages-<size>kB/${file}).`,
    { labels: ['page_size'] },
    ({ snapshot }, sample) => {
      for (const pool of snapshot.host.hugePages ?? []) {
        const count = pages(pool);
        sample(
          `{page_size="${pool.pageBytes}"}`,
          count === undefined ? undefined : count * pool.pageBytes,
        );
      }
    },
  );
}

function ratio(percent: number | undefined): number | undefined {
  return percent === undefined ? undefined : percent / 100;
}
