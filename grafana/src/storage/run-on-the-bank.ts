import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { capped, of } from '../common/promql.ts';
import { NONE_IS_GOOD, YES_IS_GOOD, worseAbove, worseBelow } from '../common/risk.ts';
import { table, type ValueColumn } from '../common/table.ts';
import { CHOSEN_FILESYSTEMS } from './filesystems.ts';

const LEGEND = '{{mountpoint}}';
const DAY = 24 * 3600;

function ofFilesystem(metric: string): string {
  return `max by (cluster, job, instance, mountpoint) (${of(metric, CHOSEN_FILESYSTEMS)})`;
}

function bytes(title: string, metric: string): ValueColumn {
  return { title, expr: ofFilesystem(metric), unit: 'bytes' };
}

export const RUN_ON_THE_BANK: Row = {
  title: 'Run on the bank: what if every guest fills its disks',
  tiles: [
    table({
      title: 'Filesystems with images',
      description:
        'Whether each filesystem answers, what images on it may still grow, and its space. Good: ' +
        'it answers, and exposure is below 100 %; at 300 % it is no longer counted how far above.',
      keys: [{ label: 'mountpoint', title: 'Filesystem' }],
      values: [
        {
          title: 'Answers',
          expr: ofFilesystem('kvm_filesystem_responsive'),
          unit: 'short',
          texts: { '0': 'no', '1': 'yes' },
          thresholds: YES_IS_GOOD,
        },
        {
          title: 'Exposure',
          expr: capped(
            ofFilesystem('instance_mountpoint:kvm_filesystem_claimable_per_avail:ratio'),
          ),
          unit: 'percentunit',
          thresholds: worseAbove(1),
        },
        bytes('May grow', 'kvm_filesystem_claimable_bytes'),
        bytes('Available', 'kvm_filesystem_avail_bytes'),
        {
          title: 'Free',
          expr: ofFilesystem('instance_mountpoint:kvm_filesystem_avail:ratio'),
          unit: 'percentunit',
          cell: 'bar',
          thresholds: worseBelow(0.05, 0.03),
        },
        {
          title: 'Full in',
          expr: ofFilesystem('instance_mountpoint:kvm_filesystem_full_seconds:deriv6h'),
          unit: 's',
          thresholds: worseBelow(DAY, 4 * 3600),
        },
        bytes('Size', 'kvm_filesystem_size_bytes'),
        bytes('Promised', 'kvm_filesystem_promised_bytes'),
        {
          title: 'Promised per size',
          expr: ofFilesystem('instance_mountpoint:kvm_filesystem_promised_per_size:ratio'),
          unit: 'percentunit',
          thresholds: worseAbove(1, 2),
        },
      ],
      sortBy: 'Exposure',
      height: 5,
    }),
    graph({
      title: 'Growth to come and free space',
      description: 'What images may still grow beside what is available. Good: available on top.',
      unit: 'bytes',
      queries: [
        {
          expr: of('kvm_filesystem_claimable_bytes', CHOSEN_FILESYSTEMS),
          legend: `may grow ${LEGEND}`,
        },
        {
          expr: `${of('kvm_filesystem_avail_bytes', CHOSEN_FILESYSTEMS)} and on (cluster, job, instance, mountpoint) ${of('kvm_filesystem_claimable_bytes')}`,
          legend: `available ${LEGEND}`,
        },
      ],
      width: 8,
    }),
    graph({
      title: 'Exposure',
      description:
        'What images may still grow per free space. Good: below 100 %; above it guests can be ' +
        'paused by a full disk.',
      unit: 'percentunit',
      queries: [
        {
          expr: capped(
            of('instance_mountpoint:kvm_filesystem_claimable_per_avail:ratio', CHOSEN_FILESYSTEMS),
          ),
          legend: LEGEND,
        },
      ],
      limit: 'storage.claimable_per_avail_ratio',
      width: 8,
    }),
    graph({
      title: 'Promised per size',
      description: 'The over-commit ratio of each filesystem. Good: below the limits.',
      unit: 'percentunit',
      queries: [
        {
          expr: of(
            'instance_mountpoint:kvm_filesystem_promised_per_size:ratio',
            CHOSEN_FILESYSTEMS,
          ),
          legend: LEGEND,
        },
      ],
      limit: 'storage.promised_ratio',
      width: 8,
    }),
  ],
};

export const FILESYSTEMS: Row = {
  title: 'Filesystems in detail',
  folded: true,
  tiles: [
    table({
      title: 'Filesystems, their images and inodes',
      description:
        'What else there is to know of filesystems with images. Good: not read-only, none of the ' +
        'images unreadable, inodes left. Sums are approximate where images share blocks or the ' +
        'filesystem compresses.',
      keys: [{ label: 'mountpoint', title: 'Filesystem' }],
      values: [
        {
          title: 'Read-only',
          expr: ofFilesystem('kvm_filesystem_readonly'),
          unit: 'short',
          texts: { '0': 'no', '1': 'yes' },
          thresholds: NONE_IS_GOOD,
        },
        bytes('Allocated', 'kvm_filesystem_allocated_bytes'),
        {
          title: 'Sums',
          expr: ofFilesystem('kvm_filesystem_sums_approximate'),
          unit: 'short',
          texts: { '0': 'exact', '1': 'approximate' },
        },
        { title: 'Images', expr: ofFilesystem('kvm_filesystem_images'), unit: 'short' },
        {
          title: 'Not readable',
          expr: ofFilesystem('kvm_filesystem_images_unknown'),
          unit: 'short',
        },
        {
          title: 'Inodes free',
          expr: ofFilesystem('instance_mountpoint:kvm_filesystem_files_free:ratio'),
          unit: 'percentunit',
          thresholds: worseBelow(0.05, 0.03),
        },
      ],
      sortBy: 'Filesystem',
      ascending: true,
      height: 6,
    }),
  ],
};
