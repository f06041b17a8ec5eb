import { diskLimit, type IoLimit } from '../../overcommit/storage/disk-limits.ts';
import type { DiskCounters } from '../../model/domain.ts';
import type { DiskSource } from '../../model/domain-config.ts';
import { visibleNetworkName, visibleReference } from '../../model/facts/image-reference.ts';
import { nanosecondsToSeconds } from '../../runtime/kernel-time.ts';
import { domainCounter, domainGauge, domainInfo, type Metric } from '../metric.ts';
import { yesNo } from '../yes-no.ts';

const DISK_INFO_LABELS = [
  'device',
  'kind',
  'bus',
  'source_type',
  'format',
  'cache',
  'discard',
  'detect_zeroes',
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
    },
    ({ domain, labels }, sample) => {
      for (const disk of domain.config?.disks ?? []) {
        sample(
          labels.ofPart(disk, disk.target, DISK_INFO_LABELS, () => [
            disk.device,
            disk.bus ?? '',
            disk.type,
            disk.driver.type ?? '',
            disk.driver.cache ?? '',
            disk.driver.discard ?? '',
            disk.driver.detectZeroes ?? '',
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
  counter('read_bytes', 'Bytes a guest read from a disk (block.<n>.rd.bytes).', 'readBytes'),
  counter('read_requests', 'Reads a guest sent to a disk (block.<n>.rd.reqs).', 'readRequests'),
  timer(
    'read_seconds',
    'Time a disk of a guest spent on reads (block.<n>.rd.times).',
    'readNanoseconds',
  ),
  counter('written_bytes', 'Bytes a guest wrote to a disk (block.<n>.wr.bytes).', 'writtenBytes'),
  counter('write_requests', 'Writes a guest sent to a disk (block.<n>.wr.reqs).', 'writeRequests'),
  timer(
    'write_seconds',
    'Time a disk of a guest spent on writes (block.<n>.wr.times).',
    'writeNanoseconds',
  ),
  counter('flush_requests', 'Flushes a guest sent to a disk (block.<n>.fl.reqs).', 'flushRequests'),
  timer(
    'flush_seconds',
    'Time a disk of a guest spent on flushes (block.<n>.fl.times).',
    'flushNanoseconds',
  ),
  domainCounter(
    'kvm_domain_disk_failed_requests_total',
    'Requests of a guest to a disk that failed (failed_rd_operations and the like of Proxmox VE).',
    {
      note: 'operation is read, write, flush or discard. libvirt does not tell of them.',
      labels: ['device', 'operation'],
    },
    ({ domain, labels }, sample) => {
      for (const { device, beyondLibvirt } of domain.disks ?? []) {
        if (beyondLibvirt === undefined) continue;
        const { failedReads, failedWrites, failedFlushes, failedDiscards } = beyondLibvirt;
        const of = (operation: string): string =>
          labels.with(['device', 'operation'], [device, operation]);
        sample(of('read'), failedReads);
        sample(of('write'), failedWrites);
        sample(of('flush'), failedFlushes);
        sample(of('discard'), failedDiscards);
      }
    },
  ),
  domainCounter(
    'kvm_domain_disk_discarded_bytes_total',
    'Bytes of a disk that a guest gave back (unmap_bytes of Proxmox VE).',
    {
      note: 'A guest that never discards fills the pool its disk lies in. libvirt does not tell.',
      labels: ['device'],
    },
    ({ domain, labels }, sample) => {
      for (const { device, beyondLibvirt } of domain.disks ?? []) {
        sample(labels.device(device), beyondLibvirt?.discardedBytes);
      }
    },
  ),
  size(
    'capacity_bytes',
    'Size of a disk as the guest sees it (block.<n>.capacity).',
    'capacityBytes',
  ),
  size(
    'physical_bytes',
    'Space a disk takes on the host as QEMU sees it (block.<n>.physical of a running guest).',
    'physicalBytes',
  ),
  size(
    'highest_offset_bytes',
    'Highest offset written since QEMU opened the image, useful only for qcow2 on block ' +
      'devices (block.<n>.allocation of a running guest).',
    'highestOffsetBytes',
  ),
  size(
    'threshold_bytes',
    'Write threshold at which QEMU tells a manager to extend the volume (block.<n>.threshold).',
    'thresholdBytes',
  ),
  limit('kvm_domain_disk_limit_bytes_per_second', 'Throughput limit of a disk', {
    total: 'totalBytesPerSecond',
    read: 'readBytesPerSecond',
    write: 'writeBytesPerSecond',
  }),
  limit('kvm_domain_disk_limit_requests_per_second', 'Limit of a disk in requests per second', {
    total: 'totalRequestsPerSecond',
    read: 'readRequestsPerSecond',
    write: 'writeRequestsPerSecond',
  }),
  limit('kvm_domain_disk_limit_burst_bytes_per_second', 'Throughput limit of a disk in bursts', {
    total: 'totalBytesPerSecondMax',
    read: 'readBytesPerSecondMax',
    write: 'writeBytesPerSecondMax',
  }),
  limit(
    'kvm_domain_disk_limit_burst_requests_per_second',
    'Limit of a disk in requests per second in bursts',
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

type Field = Exclude<keyof DiskCounters, 'device' | 'beyondLibvirt'>;

function counter(name: string, help: string, field: Field): Metric {
  return domainCounter(
    `kvm_domain_disk_${name}_total`,
    help,
    { labels: ['device'] },
    ({ domain, labels }, sample) => {
      for (const disk of domain.disks ?? []) sample(labels.device(disk.device), disk[field]);
    },
  );
}

function timer(name: string, help: string, field: Field): Metric {
  return domainCounter(
    `kvm_domain_disk_${name}_total`,
    help,
    { labels: ['device'] },
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

function size(name: string, help: string, field: Field): Metric {
  return domainGauge(
    `kvm_domain_disk_${name}`,
    help,
    { labels: ['device'] },
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
