import type { DiskCounters } from '../snapshot/domain.ts';
import { nanosecondsToSeconds } from '../sources/kernel-time.ts';
import { domainCounter, domainGauge, domainInfo, type Metric } from './metric.ts';

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

/** Disks of guests: what they are, what went through them, what limits them. */
export const domainDiskMetrics: readonly Metric[] = [
  domainInfo(
    'kvm_domain_disk_info',
    'A disk of a guest, from its XML. error_policy is what QEMU does on a failed write; empty ' +
      'means its default, which pauses the guest on ENOSPC only.',
    {
      labels: DISK_INFO_LABELS,
      replaces: ['libvirt_domain_block_stats_info', 'libvirt_domain_block_meta', 'pve_kvm_disk_info'],
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
            disk.readOnly ? 'yes' : 'no',
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
    'pve_vm_block_read_bytes_total',
  ]),
  counter('read_requests', 'Reads a guest sent to a disk (block.<n>.rd.reqs).', 'readRequests', [
    'libvirt_domain_block_stats_read_requests_total',
  ]),
  timer('read_seconds', 'Time spent on reads (block.<n>.rd.times).', 'readNanoseconds', [
    'libvirt_domain_block_stats_read_time_seconds_total',
  ]),
  counter('written_bytes', 'Bytes a guest wrote to a disk (block.<n>.wr.bytes).', 'writtenBytes', [
    'libvirt_domain_block_stats_write_bytes_total',
    'libvirtd_domain_block_write_bytes',
    'pve_vm_block_write_bytes_total',
  ]),
  counter('write_requests', 'Writes a guest sent to a disk (block.<n>.wr.reqs).', 'writeRequests', [
    'libvirt_domain_block_stats_write_requests_total',
  ]),
  timer('write_seconds', 'Time spent on writes (block.<n>.wr.times).', 'writeNanoseconds', [
    'libvirt_domain_block_stats_write_time_seconds_total',
  ]),
  counter('flush_requests', 'Flushes a guest sent to a disk (block.<n>.fl.reqs).', 'flushRequests', [
    'libvirt_domain_block_stats_flush_requests_total',
  ]),
  timer('flush_seconds', 'Time spent on flushes (block.<n>.fl.times).', 'flushNanoseconds', [
    'libvirt_domain_block_stats_flush_time_seconds_total',
  ]),
  size(
    'capacity_bytes',
    'Size of a disk as the guest sees it (block.<n>.capacity).',
    'capacityBytes',
    ['libvirt_domain_block_stats_capacity_bytes', 'libvirt_domain_block_stats_capacity'],
  ),
  size(
    'physical_bytes',
    'Space a disk takes on the host as QEMU sees it (block.<n>.physical of a running guest).',
    'physicalBytes',
    ['libvirt_domain_block_stats_physicalsize_bytes', 'libvirt_domain_block_stats_physical'],
  ),
  size(
    'highest_offset_bytes',
    'Highest offset written since QEMU opened the image (block.<n>.allocation of a running ' +
      'guest). Not the space used; it only tells how full a qcow2 on a block device is.',
    'highestOffsetBytes',
    ['libvirt_domain_block_stats_allocation'],
  ),
  size(
    'threshold_bytes',
    'Write threshold a manager set to be told when to extend the volume (block.<n>.threshold).',
    'thresholdBytes',
    [],
  ),
  domainGauge(
    'kvm_domain_disk_limit_bytes_per_second',
    'Throughput limit of a disk, from <iotune> of the XML; absent when unlimited.',
    {
      labels: ['device', 'direction'],
      replaces: [
        'libvirt_domain_block_stats_limit_total_bytes',
        'libvirt_domain_block_stats_limit_read_bytes',
        'libvirt_domain_block_stats_limit_write_bytes',
      ],
    },
    ({ domain, labels }, sample) => {
      for (const { target, iotune } of domain.config?.disks ?? []) {
        const of = (direction: string): string =>
          labels.with(['device', 'direction'], [target, direction]);
        sample(of('total'), iotune?.totalBytesPerSecond);
        sample(of('read'), iotune?.readBytesPerSecond);
        sample(of('write'), iotune?.writeBytesPerSecond);
      }
    },
  ),
  domainGauge(
    'kvm_domain_disk_limit_requests_per_second',
    'Request limit of a disk, from <iotune> of the XML; absent when unlimited.',
    {
      labels: ['device', 'direction'],
      replaces: [
        'libvirt_domain_block_stats_limit_total_requests',
        'libvirt_domain_block_stats_limit_read_requests',
        'libvirt_domain_block_stats_limit_write_requests',
      ],
    },
    ({ domain, labels }, sample) => {
      for (const { target, iotune } of domain.config?.disks ?? []) {
        const of = (direction: string): string =>
          labels.with(['device', 'direction'], [target, direction]);
        sample(of('total'), iotune?.totalRequestsPerSecond);
        sample(of('read'), iotune?.readRequestsPerSecond);
        sample(of('write'), iotune?.writeRequestsPerSecond);
      }
    },
  ),
];

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
