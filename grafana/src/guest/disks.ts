import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { endOf, of, rate, THIS_GUEST } from '../common/promql.ts';
import { table, type ValueColumn } from '../common/table.ts';
import type { Unit } from '../common/units.ts';

const LEGEND = '{{device}}';

export const DISKS: Row = {
  title: 'Storage',
  tiles: [
    graph({
      title: 'Its images: promised, allocated, to come',
      description:
        'Worst-case size of the images of the guest, what they take now, and what they may ' +
        'still take, by filesystem. Good: what they may still take is there on the ' +
        'filesystem.',
      unit: 'bytes',
      queries: [
        {
          expr: of('kvm_domain_storage_promised_bytes', THIS_GUEST),
          legend: 'promised {{mountpoint}}',
        },
        {
          expr: of('kvm_domain_storage_allocated_bytes', THIS_GUEST),
          legend: 'allocated {{mountpoint}}',
        },
        {
          expr: of('kvm_domain_storage_claimable_bytes', THIS_GUEST),
          legend: 'may grow {{mountpoint}}',
        },
      ],
      width: 8,
    }),
    graph({
      title: 'Disk traffic',
      description: 'Bytes read and written. Good: known peaks only.',
      unit: 'Bps',
      queries: [
        { expr: rate('kvm_domain_disk_read_bytes_total', THIS_GUEST), legend: `read ${LEGEND}` },
        {
          expr: rate('kvm_domain_disk_written_bytes_total', THIS_GUEST),
          legend: `written ${LEGEND}`,
        },
        {
          expr: of('kvm_domain_disk_limit_bytes_per_second', THIS_GUEST),
          legend: `limit {{direction}} ${LEGEND}`,
        },
      ],
      width: 8,
    }),
    graph({
      title: 'Time per request',
      description:
        'Mean time a request took as QEMU saw it, throttling included. Good: what the storage ' +
        'does on a quiet day; a rise without more requests means that somebody else is busy.',
      unit: 's',
      queries: [
        {
          expr: `${rate('kvm_domain_disk_read_seconds_total', THIS_GUEST)} / (${rate('kvm_domain_disk_read_requests_total', THIS_GUEST)} > 0)`,
          legend: `read ${LEGEND}`,
        },
        {
          expr: `${rate('kvm_domain_disk_write_seconds_total', THIS_GUEST)} / (${rate('kvm_domain_disk_write_requests_total', THIS_GUEST)} > 0)`,
          legend: `write ${LEGEND}`,
        },
        {
          expr: `${rate('kvm_domain_disk_flush_seconds_total', THIS_GUEST)} / (${rate('kvm_domain_disk_flush_requests_total', THIS_GUEST)} > 0)`,
          legend: `flush ${LEGEND}`,
        },
      ],
      width: 8,
    }),
  ],
};

export const DISK_DETAILS: Row = {
  title: 'Storage in detail',
  folded: true,
  tiles: [
    graph({
      title: 'Disk requests',
      description:
        'Requests completed, and the limits set on them. Good: room below the limits, where ' +
        'there are any.',
      unit: 'cps',
      queries: [
        {
          expr: rate('kvm_domain_disk_read_requests_total', THIS_GUEST),
          legend: `read ${LEGEND}`,
        },
        {
          expr: rate('kvm_domain_disk_write_requests_total', THIS_GUEST),
          legend: `write ${LEGEND}`,
        },
        {
          expr: of('kvm_domain_disk_limit_requests_per_second', THIS_GUEST),
          legend: `limit {{direction}} ${LEGEND}`,
        },
      ],
      width: 8,
    }),
    table({
      title: 'Its disks',
      description:
        'How each disk is set up. Good: short chains that are found whole, and an error policy ' +
        'that pauses the guest instead of telling it of errors it cannot handle (empty is the ' +
        'default, which does).',
      keys: [
        { label: 'device', title: 'Disk' },
        { label: 'format', title: 'Format' },
        { label: 'cache', title: 'Cache' },
        { label: 'discard', title: 'Discard' },
        { label: 'error_policy', title: 'Error policy' },
      ],
      values: [
        {
          title: 'Capacity',
          expr: `max by (cluster, job, instance, device) (${of('kvm_domain_disk_capacity_bytes', THIS_GUEST)})`,
          unit: 'bytes',
        },
        {
          title: 'Chain depth',
          expr: `max by (cluster, job, instance, device) (${of('kvm_domain_disk_chain_depth', THIS_GUEST)})`,
          unit: 'short',
        },
        {
          title: 'Chain found',
          expr: `max by (cluster, job, instance, device) (${of('kvm_domain_disk_chain_complete', THIS_GUEST)})`,
          unit: 'short',
          texts: { '0': 'not whole', '1': 'whole' },
        },
      ],
      infos: [
        `max by (cluster, job, instance, device, format, cache, discard, error_policy) (${of('kvm_domain_disk_info', THIS_GUEST)})`,
      ],
      sortBy: 'Disk',
      ascending: true,
      width: 24,
      height: 5,
    }),
    table({
      title: 'The images behind them',
      description:
        'Depth 0 is the image that is written to, the others are read through it. Good: nothing ' +
        'allocated beyond the worst case, no internal snapshots, none corrupt.',
      keys: [
        { label: 'image', title: 'Image' },
        { label: 'device', title: 'Disk', width: 90 },
        { label: 'depth', title: 'Depth', width: 80 },
        { label: 'role', title: 'Role', width: 100 },
      ],
      hidden: ['path'],
      values: [
        ofImage('Allocated', 'kvm_image_allocated_bytes', 'bytes'),
        ofImage('Worst case', 'kvm_image_worst_case_bytes', 'bytes'),
        ofImage('Snapshots', 'kvm_image_snapshots', 'short'),
        ofImage('Corrupt', 'kvm_image_corrupt', 'bool_yes_no'),
      ],
      sortBy: 'Disk',
      ascending: true,
      width: 24,
      height: 6,
    }),
  ],
};

/** A value of every image behind a disk of the guest. */
function ofImage(title: string, metric: string, unit: Unit): ValueColumn {
  const images = of('kvm_domain_disk_image_info', THIS_GUEST);
  const value = `${images} * on (cluster, job, instance, path) group_left () ${of(metric)}`;
  return {
    title,
    expr: endOf(
      `max by (cluster, job, instance, device, depth, role, path) (${value})`,
      'path',
      'image',
    ),
    unit,
  };
}
