import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { of } from '../common/promql.ts';
import { CHOSEN_FILESYSTEMS } from './filesystems.ts';

const LEGEND = '{{mountpoint}}';

/** More is as good as never, and nothing at all has no place on a logarithmic axis. */
const WEEK = 7 * 24 * 3600;
const MINUTE = 60;

function atMostAWeek(metric: string): string {
  return `clamp(${of(metric, CHOSEN_FILESYSTEMS)}, ${MINUTE}, ${WEEK})`;
}

export const TIME_TO_FULL: Row = {
  title: 'Time to full',
  tiles: [
    graph({
      title: 'Time until full, pace of six hours',
      description:
        'Good: above a day, or no line: the filesystem does not fill up. Counts only once free ' +
        'space is low as well, see the alert KvmFilesystemFillingUp.',
      unit: 's',
      queries: [
        {
          expr: atMostAWeek('instance_mountpoint:kvm_filesystem_full_seconds:deriv6h'),
          legend: LEGEND,
        },
      ],
      limit: 'storage.fill_seconds',
      logarithmic: true,
      width: 8,
    }),
    graph({
      title: 'Time until full, pace of ten minutes',
      description:
        'A run on the bank under way shows here first. Good: no line, or hours. Below a quarter ' +
        'of an hour somebody must act now.',
      unit: 's',
      queries: [
        {
          expr: atMostAWeek('instance_mountpoint:kvm_filesystem_full_seconds:deriv10m'),
          legend: LEGEND,
        },
      ],
      limit: 'storage.imminent_seconds',
      logarithmic: true,
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
      width: 8,
    }),
  ],
};
