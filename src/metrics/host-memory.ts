import { labelText } from '../exposition/labels.ts';
import type { HugePagePool } from '../sources/hugepages.ts';
import type { Meminfo } from '../sources/meminfo.ts';
import type { ZfsArc } from '../sources/zfs-arc.ts';
import { counter, gauge, info, type Metric } from './metric.ts';
import { zeroOne } from './yes-no.ts';

const THP_LABELS = ['enabled', 'defrag', 'shmem_enabled'] as const;

/** Memory of the host, and the kernel settings that decide what over-commitment does to it. */
export const hostMemoryMetrics: readonly Metric[] = [
  memory('size', 'MemTotal', 'totalBytes', 'RAM the kernel manages', [
    'node_memory_MemTotal_bytes',
    'opennebula_host_mem_total_bytes',
    'openstack_nova_memory_available_bytes',
    'proxmox_node_memory_total_bytes',
  ]),
  memory('free', 'MemFree', 'freeBytes', 'RAM that is used for nothing at all', [
    'node_memory_MemFree_bytes',
  ]),
  memory(
    'available',
    'MemAvailable',
    'availableBytes',
    "The kernel's estimate of what programs can still get without swapping",
    ['node_memory_MemAvailable_bytes'],
  ),
  arc('size', 'size', 'sizeBytes', 'Cache of ZFS, which is not in MemAvailable'),
  arc('minimum', 'c_min', 'minimumBytes', 'Size below which the cache of ZFS does not shrink'),
  arc('maximum', 'c_max', 'maximumBytes', 'Size beyond which the cache of ZFS does not grow'),
  arc(
    'reclaimable',
    'mru_evictable_* and mfu_evictable_*, at most size less c_min',
    'reclaimableBytes',
    'The part of the cache of ZFS that can be given up',
  ),
  memory(
    'cached',
    'Cached',
    'cachedBytes',
    'Page cache, which contains shared memory and so the RAM of memfd-backed guests',
    ['node_memory_Cached_bytes'],
  ),
  memory('buffers', 'Buffers', 'buffersBytes', 'Page cache of block devices', [
    'node_memory_Buffers_bytes',
  ]),
  memory(
    'shared',
    'Shmem',
    'sharedMemoryBytes',
    'tmpfs and shared memory, the RAM of memfd-backed guests included',
    ['node_memory_Shmem_bytes'],
  ),
  memory(
    'anonymous',
    'AnonPages',
    'anonymousBytes',
    'Memory of processes that no file stands behind: the RAM of ordinary guests',
    ['node_memory_AnonPages_bytes'],
  ),
  memory(
    'anonymous_huge',
    'AnonHugePages',
    'anonymousHugePageBytes',
    'The part of anonymous memory in transparent huge pages',
    ['node_memory_AnonHugePages_bytes'],
  ),
  memory('dirty', 'Dirty', 'dirtyBytes', 'Page cache that waits to be written to a disk', [
    'node_memory_Dirty_bytes',
  ]),
  memory(
    'unevictable',
    'Unevictable',
    'unevictableBytes',
    'Memory that cannot be reclaimed or swapped, for instance of <locked/> guests',
    ['node_memory_Unevictable_bytes'],
  ),
  memory('locked', 'Mlocked', 'lockedBytes', 'Memory locked with mlock', [
    'node_memory_Mlocked_bytes',
  ]),
  memory(
    'slab_reclaimable',
    'SReclaimable',
    'slabReclaimableBytes',
    'Kernel objects that can be given up when memory is short',
    ['node_memory_SReclaimable_bytes'],
  ),
  memory(
    'slab_unreclaimable',
    'SUnreclaim',
    'slabUnreclaimableBytes',
    'Kernel objects that cannot be given up',
    ['node_memory_SUnreclaim_bytes'],
  ),
  memory('page_tables', 'PageTables', 'pageTableBytes', 'Page tables of processes', [
    'node_memory_PageTables_bytes',
  ]),
  memory('kernel_stack', 'KernelStack', 'kernelStackBytes', 'Kernel stacks of all tasks', [
    'node_memory_KernelStack_bytes',
  ]),
  memory(
    'committed',
    'Committed_AS',
    'committedBytes',
    'Address space handed out that may have to be backed some day',
    ['node_memory_Committed_AS_bytes'],
  ),
  memory(
    'commit_limit',
    'CommitLimit',
    'commitLimitBytes',
    'Most that may be committed; enforced with vm.overcommit_memory=2 only',
    ['node_memory_CommitLimit_bytes'],
  ),
  memory(
    'corrupted',
    'HardwareCorrupted',
    'hardwareCorruptedBytes',
    'RAM taken out of use after memory errors',
    ['node_memory_HardwareCorrupted_bytes'],
  ),
  hugepages('size', 'nr_hugepages', (pool) => pool.total, 'Pool of huge pages', [
    'node_memory_HugePages_Total',
  ]),
  hugepages(
    'free',
    'free_hugepages',
    (pool) => pool.free,
    'Huge pages not handed out, those reserved included',
    ['node_memory_HugePages_Free'],
  ),
  hugepages(
    'reserved',
    'resv_hugepages',
    (pool) => pool.reserved,
    'Huge pages promised to a process but not yet handed out',
    ['node_memory_HugePages_Rsvd'],
  ),
  hugepages(
    'surplus',
    'surplus_hugepages',
    (pool) => pool.surplus,
    'Huge pages beyond the configured size of the pool',
    ['node_memory_HugePages_Surp'],
  ),
  gauge(
    'kvm_host_overcommit_memory_mode',
    'vm.overcommit_memory: 0 refuses only obvious excess, 1 never refuses, 2 never goes beyond ' +
      'the commit limit.',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.memorySysctl?.overcommitMode);
    },
  ),
  gauge(
    'kvm_host_overcommit_memory_ratio',
    'vm.overcommit_ratio as a ratio: the part of RAM that counts towards the commit limit.',
    {},
    ({ snapshot }, sample) => {
      sample('', ratio(snapshot.host.memorySysctl?.overcommitRatioPercent));
    },
  ),
  gauge(
    'kvm_host_swappiness',
    'vm.swappiness, from 0 (swap last) to 200 (rather swap than drop page cache).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.memorySysctl?.swappiness);
    },
  ),
  gauge(
    'kvm_host_min_free_bytes',
    'vm.min_free_kbytes: below this much free RAM only the kernel itself still gets memory.',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.memorySysctl?.minFreeBytes);
    },
  ),
  gauge(
    'kvm_host_numa_balancing',
    'kernel.numa_balancing: 0 off, 1 on, 2 memory tiering, 3 both.',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.memorySysctl?.numaBalancing);
    },
  ),
  gauge(
    'kvm_host_sched_schedstats',
    "kernel.sched_schedstats: without it libvirt's vcpu.<n>.wait stays 0.",
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
    'Pages khugepaged looks at in one go (khugepaged/pages_to_scan).',
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
    'Times khugepaged went through all memory (khugepaged/full_scans).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.transparentHugePages?.khugepaged.fullScans);
    },
  ),
  gauge(
    'kvm_host_mglru_enabled',
    'Whether the multi-generational LRU picks what is reclaimed (/sys/kernel/mm/lru_gen/enabled).',
    {},
    ({ snapshot }, sample) => {
      sample('', zeroOne(snapshot.host.multiGenLru?.enabled));
    },
  ),
  gauge(
    'kvm_host_mglru_minimum_age_seconds',
    'Memory used within this time is not evicted, the OOM killer acts instead ' +
      '(/sys/kernel/mm/lru_gen/min_ttl_ms); absent when switched off.',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.multiGenLru?.minimumAgeSeconds);
    },
  ),
];

type ByteField = {
  [Key in keyof Meminfo]-?: Meminfo[Key] extends number | undefined ? Key : never;
}[keyof Meminfo];

function memory(
  name: string,
  line: string,
  field: ByteField,
  meaning: string,
  replaces: readonly string[],
): Metric {
  return gauge(
    `kvm_host_memory_${name}_bytes`,
    `${meaning} (/proc/meminfo ${line}).`,
    { replaces },
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
  replaces: readonly string[],
): Metric {
  return gauge(
    `kvm_host_hugepages_${name}_bytes`,
    `${meaning}, by page size in bytes (/sys/kernel/mm/hugepages/hugepages-<size>kB/${file}).`,
    { labels: ['page_size'], replaces },
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
