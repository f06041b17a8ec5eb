import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { of } from '../common/promql.ts';
import { CHOSEN_FILESYSTEMS } from './filesystems.ts';

const LEGEND = '{{mountpoint}} {{instance}}';

export const TIME_TO_FULL: Row = {
  title: 'Time to full',
  tiles: [
    graph({
      title: 'Time until full at the pace of the last six hours',
      description:
        'Good: above a day, or no line: the filesystem does not fill up. Counts only once free ' +
        'space is low as well, see the alert KvmFilesystemFillingUp.',
      unit: 's',
      queries: [
        {
          expr: of('instance_mountpoint:kvm_filesystem_full_seconds:deriv6h', CHOSEN_FILESYSTEMS),
          legend: LEGEND,
        },
      ],
      limit: 'storage.fill_seconds',
      width: 8,
    }),
    graph({
      title: 'Time until full at the pace of the last ten minutes',
      description:
        'A run on the bank under way shows here first. Good: no line, or hours. Below a quarter ' +
        'of an hour somebody must act now.',
      unit: 's',
      queries: [
        {
          expr: of('instance_mountpoint:kvm_filesystem_full_seconds:deriv10m', CHOSEN_FILESYSTEMS),
          legend: LEGEND,
        },
      ],
      limit: 'storage.imminent_seconds',
      width: 8,
    }),
    graph({
      title: 'Free space and free inodes',
      description: 'Part of each filesystem that is free. Good: above the limits.',
      unit: 'percentunit',
      queries: [
        {
          expr: of('instance_mountpoint:kvm_filesystem_avail:ratio', CHOSEN_FILESYSTEMS),
          legend: `space ${LEGEND}`,
        },
        {
          expr: of('instance_mountpoint:kvm_filesystem_files_free:ratio', CHOSEN_FILESYSTEMS),
          legend: `inodes ${LEGEND}`,
        },
      ],
      limit: 'storage.available_ratio',
      max: 1,
      width: 8,
    }),
  ],
};
