import type { Row } from '../common/dashboard.ts';
import { endOf, highest, of } from '../common/promql.ts';
import { NONE_IS_GOOD, worseAbove, YES_IS_GOOD } from '../common/risk.ts';
import { graph } from '../common/graph.ts';
import { table } from '../common/table.ts';
import { CHOSEN_FILESYSTEMS } from './filesystems.ts';

const INFO = `max by (cluster, job, instance, path, format, backing_file, mountpoint) (${of('kvm_image_info', CHOSEN_FILESYSTEMS)})`;
const NAMED = endOf(endOf(INFO, 'path', 'image'), 'backing_file', 'base');

/** A value of images, with what they are; a value without image is left out. */
function ofImages(metric: string): string {
  return `${NAMED} * on (cluster, job, instance, path) group_left () ${of(metric)}`;
}

export const IMAGES: Row = {
  title: 'Images',
  folded: true,
  tiles: [
    table({
      title: 'Images',
      description:
        'Every image of a disk once. Good: allocated not above the worst case (more is leaked ' +
        'clusters or snapshots), none corrupt, and all readable.',
      keys: [
        { label: 'image', title: 'Image' },
        { label: 'base', title: 'Reads through', width: 230 },
        { label: 'format', title: 'Format', width: 90 },
      ],
      hidden: ['path', 'backing_file', 'mountpoint'],
      values: [
        { title: 'Allocated', expr: ofImages('kvm_image_allocated_bytes'), unit: 'bytes' },
        { title: 'Worst case', expr: ofImages('kvm_image_worst_case_bytes'), unit: 'bytes' },
        {
          title: 'Of worst case',
          expr: ofImages('instance_path:kvm_image_allocated_per_worst_case:ratio'),
          unit: 'percentunit',
          thresholds: worseAbove(1.05),
        },
        { title: 'Snapshots', expr: ofImages('kvm_image_snapshots'), unit: 'short' },
        {
          title: 'Corrupt',
          expr: ofImages('kvm_image_corrupt'),
          unit: 'short',
          texts: { '0': 'no', '1': 'yes' },
          thresholds: NONE_IS_GOOD,
        },
        {
          title: 'Readable',
          expr: ofImages('kvm_image_readable'),
          unit: 'short',
          texts: { '0': 'no', '1': 'yes' },
          thresholds: YES_IS_GOOD,
        },
      ],
      sortBy: 'Of worst case',
      height: 10,
    }),
    graph({
      title: 'Images by where they are',
      description:
        'Images on filesystems, in thin pools, on volumes of full size, remote and unknown. ' +
        'Good: none unknown. Only those on filesystems and in thin pools can run out of space ' +
        'that was promised.',
      unit: 'short',
      queries: [{ expr: of('kvm_storage_images'), legend: '{{placement}}' }],
      stacked: true,
    }),
    graph({
      title: 'Longest backing chains',
      description:
        'Images a read may have to go through, the five longest chains. Good: below five or so; ' +
        'long chains are snapshots nobody deleted.',
      unit: 'short',
      queries: [
        {
          expr: highest(of('kvm_domain_disk_chain_depth')),
          legend: '{{domain}} {{device}}',
        },
      ],
    }),
  ],
};
