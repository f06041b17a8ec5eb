import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { fromSeries } from '../common/links.ts';
import { ioPressure } from '../common/pressure.ts';
import { of, rate } from '../common/promql.ts';

const LEGEND = '{{mountpoint}}';
const LINK = fromSeries('kvm-storage', ['instance', 'mountpoint']);

export const STORAGE: Row = {
  title: 'Storage',
  tiles: [
    graph({
      title: 'Storage promised per size',
      description:
        'Worst-case size of all images per size of their filesystem. Good: below 100 %, or so ' +
        'much free space that nobody can use it up in the time you need to add some.',
      unit: 'percentunit',
      queries: [
        {
          expr: of('instance_mountpoint:kvm_filesystem_promised_per_size:ratio'),
          legend: LEGEND,
        },
      ],
      limit: 'storage.promised_ratio',
      link: LINK,
      width: 8,
    }),
    graph({
      title: 'Growth to come and free space',
      description:
        'What images may still grow beside what is available. Good: available above the growth.',
      unit: 'bytes',
      queries: [
        { expr: of('kvm_filesystem_claimable_bytes'), legend: `may grow ${LEGEND}` },
        {
          expr: `${of('kvm_filesystem_avail_bytes')} and on (cluster, job, instance, mountpoint) ${of('kvm_filesystem_claimable_bytes')}`,
          legend: `available ${LEGEND}`,
        },
      ],
      link: LINK,
      width: 8,
    }),
    ioPressure(8),
  ],
};

export const STORAGE_DETAILS: Row = {
  title: 'Storage in detail',
  folded: true,
  tiles: [
    graph({
      title: 'Free space',
      description: 'Available per size of filesystems with images. Good: above the limits.',
      unit: 'percentunit',
      queries: [
        {
          expr: of('instance_mountpoint:kvm_filesystem_avail:ratio'),
          legend: LEGEND,
        },
      ],
      limit: 'storage.available_ratio',
      link: LINK,
      width: 8,
    }),
    graph({
      title: 'Disk traffic of guests',
      description: 'What all guests read and write. Good: known peaks only, such as backups.',
      unit: 'Bps',
      queries: [
        {
          expr: `sum by (cluster, job, instance) (${rate('kvm_domain_disk_read_bytes_total')})`,
          legend: 'read',
        },
        {
          expr: `sum by (cluster, job, instance) (${rate('kvm_domain_disk_written_bytes_total')})`,
          legend: 'written',
        },
      ],
    }),
  ],
};
