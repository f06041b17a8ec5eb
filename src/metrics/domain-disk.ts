import { diskLimit, type IoLimit } from '../overcommit/disk-limits.ts';
import type { DiskCounters } from '../snapshot/domain.ts';
import type { DiskSource } from '../sources/domain-config.ts';
import { visibleNetworkName, visibleReference } from '../sources/image-reference.ts';
import { nanosecondsToSeconds } from '../sources/kernel-time.ts';
import { domainCounter, domainGauge, domainInfo, type Metric } from './metric.ts';
import { yesNo } from './yes-no.ts';

const DISK_INFO_LABELS = [
  'device',
  'kind',
  'bus',
  'source_type',
  'format',
  'cache',
  'discard',
  'error_policy',
  'readonly',
  'source',
  'serial',
] as const;

const LIMIT_LABELS = ['device', 'direction', 'shared_group'] as const;
const DIRECTIONS = ['total', 'read', 'write'] as const;

/** Disks of guests: what they are, what went through them, what limits them. */
export const domainDiskMetrics: readonly Metric[] = [
  domainInfo(
    'kvm_domain_disk_info',
    'A disk of a guest (libvirt XML).',
    {
      note:
        'error_policy is what QEMU does on a failed write; empty is its default, which pauses ' +
        'the guest on ENOSPC only.',
      labels: DISK_INFO_LABELS,
      replaces: [
        'libvirt_domain_block_stats_info',
        'libvirt_domain_block_meta',
        'nova_instance_disk',
        'nova_instance_disk_details',
        'nova_instance_root_disk',
        'opennebula_libvirt_block_devices',
        'pve_kvm_disk_info',
      ],
    },
    ({ domain, labels }, sample) => {
      for (const disk of domain.config?.disks ?? []) {
        sample(
          labels.with(DISK_INFO_LABELS, [
            disk.target,
            disk.device,
            disk.bus ?? '',
            disk.type,
            disk.driver.type ?? '',
            disk.driver.cache ?? '',
            disk.driver.discard ?? '',
            disk.driver.errorPolicy ?? '',
            yesNo(disk.readOnly),
            sourceText(disk.source),
            disk.serial ?? '',
          ]),
          1,
        );
      }
    },
  ),
  counter('read_bytes', 'Bytes a guest read from a disk (block.<n>.rd.bytes).', 'readBytes', [
    'libvirt_domain_block_stats_read_bytes_total',
    'libvirtd_domain_block_read_bytes',
    'opennebula_libvirt_block_rd_bytes',
    'kubevirt_vmi_storage_read_traffic_bytes_total',
    'pve_vm_block_read_bytes_total',
    'pve_vm_disk_read_bytes_total',
    'pve_disk_read_bytes_total',
  ]),
  counter('read_requests', 'Reads a guest sent to a disk (block.<n>.rd.reqs).', 'readRequests', [
    'libvirt_domain_block_stats_read_requests_total',
    'libvirtd_domain_block_read_requests',
    'opennebula_libvirt_block_rd_requests',
    'kubevirt_vmi_storage_iops_read_total',
    'pve_vm_block_read_ops_total',
  ]),
  timer(
    'read_seconds',
    'Time a disk of a guest spent on reads (block.<n>.rd.times).',
    'readNanoseconds',
    [
      'libvirt_domain_block_stats_read_time_seconds_total',
      'libvirt_domain_block_stats_read_seconds_total',
      'libvirtd_domain_block_read_times',
      'opennebula_libvirt_block_rd_time_seconds',
      'kubevirt_vmi_storage_read_times_seconds_total',
    ],
  ),
  counter('written_bytes', 'Bytes a guest wrote to a disk (block.<n>.wr.bytes).', 'writtenBytes', [
    'libvirt_domain_block_stats_write_bytes_total',
    'libvirtd_domain_block_write_bytes',
    'opennebula_libvirt_block_wr_bytes',
    'kubevirt_vmi_storage_write_traffic_bytes_total',
    'pve_vm_block_write_bytes_total',
    'pve_vm_disk_write_bytes_total',
    'pve_disk_written_bytes_total',
  ]),
  counter('write_requests', 'Writes a guest sent to a disk (block.<n>.wr.reqs).', 'writeRequests', [
    'libvirt_domain_block_stats_write_requests_total',
    'libvirtd_domain_block_write_requests',
    'opennebula_libvirt_block_wr_requests',
    'kubevirt_vmi_storage_iops_write_total',
    'pve_vm_block_write_ops_total',
  ]),
  timer(
    'write_seconds',
    'Time a disk of a guest spent on writes (block.<n>.wr.times).',
    'writeNanoseconds',
    [
      'libvirt_domain_block_stats_write_time_seconds_total',
      'libvirt_domain_block_stats_write_seconds_total',
      'libvirtd_domain_block_write_times',
      'opennebula_libvirt_block_wr_time_seconds',
      'kubevirt_vmi_storage_write_times_seconds_total',
    ],
  ),
  counter(
    'flush_requests',
    'Flushes a guest sent to a disk (block.<n>.fl.reqs).',
    'flushRequests',
    [
      'libvirt_domain_block_stats_flush_requests_total',
      'libvirtd_domain_block_flush_requests',
      'kubevirt_vmi_storage_flush_requests_total',
      'pve_vm_block_flush_ops_total',
    ],
  ),
  timer(
    'flush_seconds',
    'Time a disk of a guest spent on flushes (block.<n>.fl.times).',
    'flushNanoseconds',
    [
      'libvirt_domain_block_stats_flush_time_seconds_total',
      'libvirtd_domain_block_flush_times',
      'kubevirt_vmi_storage_flush_times_seconds_total',
    ],
  ),
  size(
    'capacity_bytes',
    'Size of a disk as the guest sees it (block.<n>.capacity).',
    'capacityBytes',
    [
      'libvirt_domain_block_stats_capacity_bytes',
      'libvirt_domain_block_stats_capacity',
      'libvirtd_domain_block_capacity',
      'opennebula_libvirt_block_virtual_bytes',
      'kubevirt_vm_disk_allocated_size_bytes',
      'pve_kvm_disk_size_bytes',
      'pve_disk_size_bytes',
    ],
  ),
  size(
    'physical_bytes',
    'Space a disk takes on the host as QEMU sees it (block.<n>.physical of a running guest).',
    'physicalBytes',
    [
      'libvirt_domain_block_stats_physicalsize_bytes',
      'libvirtd_domain_block_physical',
      'opennebula_libvirt_block_physical_bytes',
    ],
  ),
  size(
    'highest_offset_bytes',
    'Highest offset written since QEMU opened the image, useful only for qcow2 on block ' +
      'devices (block.<n>.allocation of a running guest).',
    'highestOffsetBytes',
    ['libvirt_domain_block_stats_allocation', 'libvirtd_domain_block_allocation'],
  ),
  size(
    'threshold_bytes',
    'Write threshold at which QEMU tells a manager to extend the volume (block.<n>.threshold).',
    'thresholdBytes',
    [],
  ),
  limit('kvm_domain_disk_limit_bytes_per_second', 'Throughput limit of a disk', 'limit', 'bytes', {
    total: 'totalBytesPerSecond',
    read: 'readBytesPerSecond',
    write: 'writeBytesPerSecond',
  }),
  limit(
    'kvm_domain_disk_limit_requests_per_second',
    'Limit of a disk in requests per second',
    'limit',
    'requests',
    {
      total: 'totalRequestsPerSecond',
      read: 'readRequestsPerSecond',
      write: 'writeRequestsPerSecond',
    },
  ),
  limit(
    'kvm_domain_disk_limit_burst_bytes_per_second',
    'Throughput limit of a disk in bursts',
    'limit_burst',
    'bytes',
    {
      total: 'totalBytesPerSecondMax',
      read: 'readBytesPerSecondMax',
      write: 'writeBytesPerSecondMax',
    },
  ),
  limit(
    'kvm_domain_disk_limit_burst_requests_per_second',
    'Limit of a disk in requests per second in bursts',
    'limit_burst',
    'requests',
    {
      total: 'totalRequestsPerSecondMax',
      read: 'readRequestsPerSecondMax',
      write: 'writeRequestsPerSecondMax',
    },
  ),
];

function limit(
  name: string,
  meaning: string,
  peerPrefix: string,
  peerUnit: string,
  fields: Readonly<Record<(typeof DIRECTIONS)[number], IoLimit>>,
): Metric {
  return domainGauge(
    name,
    `${meaning} (<iotune> of its XML, or the lowest of its <throttlefilters>).`,
    {
      note:
        'Absent when unlimited. shared_group is the throttle group the limit is from if other ' +
        'disks share it, else empty.',
      labels: LIMIT_LABELS,
      replaces: DIRECTIONS.map(
        (direction) => `libvirt_domain_block_stats_${peerPrefix}_${direction}_${peerUnit}`,
      ),
    },
    ({ domain, labels }, sample) => {
      const { config } = domain;
      for (const disk of config?.disks ?? []) {
        for (const direction of DIRECTIONS) {
          const lowest = config && diskLimit(disk, config, fields[direction]);
          if (lowest === undefined) continue;
          const values = [disk.target, direction, lowest.sharedGroup ?? ''];
          sample(labels.with(LIMIT_LABELS, values), lowest.value);
        }
      }
    },
  );
}

type Field = Exclude<keyof DiskCounters, 'device'>;

function counter(name: string, help: string, field: Field, replaces: readonly string[]): Metric {
  return domainCounter(
    `kvm_domain_disk_${name}_total`,
    help,
    { labels: ['device'], replaces },
    ({ domain, labels }, sample) => {
      for (const disk of domain.disks ?? []) sample(labels.device(disk.device), disk[field]);
    },
  );
}

function timer(name: string, help: string, field: Field, replaces: readonly string[]): Metric {
  return domainCounter(
    `kvm_domain_disk_${name}_total`,
    help,
    { labels: ['device'], replaces },
    ({ domain, labels }, sample) => {
      for (const disk of domain.disks ?? []) {
        const value = disk[field];
        sample(
          labels.device(disk.device),
          value === undefined ? undefined : nanosecondsToSeconds(value),
        );
      }
    },
  );
}

function size(name: string, help: string, field: Field, replaces: readonly string[]): Metric {
  return domainGauge(
    `kvm_domain_disk_${name}`,
    help,
    { labels: ['device'], replaces },
    ({ domain, labels }, sample) => {
      for (const disk of domain.disks ?? []) sample(labels.device(disk.device), disk[field]);
    },
  );
}

/** Where a disk lies, as a person would write it. Never holds credentials: libvirt keeps those apart. */
function sourceText(source: DiskSource | undefined): string {
  switch (source?.kind) {
    case undefined:
      return '';
    case 'file':
    case 'block':
    case 'dir':
      return visibleReference(source.path);
    case 'network':
      return visibleNetworkName(source.protocol, source.name);
    case 'volume':
      return `${source.pool}/${source.volume}`;
    case 'nvme':
      return `${source.address}/${source.namespace ?? ''}`;
    case 'other':
      return visibleReference(source.path ?? '');
  }
}
