import type { Row } from '../common/dashboard.ts';
import { capped, of } from '../common/promql.ts';
import { NONE_IS_GOOD, worseAbove } from '../common/risk.ts';
import { table, type KeyColumn } from '../common/table.ts';

const THIN_KEYS: readonly KeyColumn[] = [
  { label: 'vg', title: 'Volume group' },
  { label: 'pool', title: 'Thin pool' },
];

function ofThinPool(metric: string): string {
  return `max by (cluster, job, instance, vg, pool) (${of(metric)})`;
}

function ofPool(metric: string): string {
  return `max by (cluster, job, instance, pool) (${of(metric)})`;
}

export const POOLS: Row = {
  title: 'Storage pools of libvirt',
  folded: true,
  tiles: [
    table({
      title: 'Storage pools of libvirt',
      description:
        'Pools as libvirt last saw them: it looks only when somebody has it refresh a pool. Good: ' +
        'below 85 %.',
      keys: [
        { label: 'pool', title: 'Pool' },
        { label: 'type', title: 'Type' },
        { label: 'path', title: 'Path' },
      ],
      values: [
        { title: 'Capacity', expr: ofPool('kvm_pool_capacity_bytes'), unit: 'bytes' },
        { title: 'Available', expr: ofPool('kvm_pool_available_bytes'), unit: 'bytes' },
        {
          title: 'Used',
          expr: ofPool('instance_pool:kvm_pool_allocated:ratio'),
          unit: 'percentunit',
          cell: 'bar',
          thresholds: worseAbove(0.85, 0.95),
        },
      ],
      infos: [`max by (cluster, job, instance, pool, type, path) (${of('kvm_pool_info')})`],
      sortBy: 'Used',
      height: 7,
    }),
  ],
};

export const THIN_POOLS: Row = {
  title: 'Thin pools of LVM',
  folded: true,
  tiles: [
    table({
      title: 'Thin pools of LVM',
      description:
        'Data and metadata in use; a full thin pool damages guests more than a full filesystem ' +
        'does, and full metadata needs a repair. Good: both below 70 %, exposure below 100 %. No ' +
        'rows: no thin pools.',
      keys: THIN_KEYS,
      values: [
        { title: 'Size', expr: ofThinPool('kvm_thin_pool_size_bytes'), unit: 'bytes' },
        {
          title: 'Data',
          expr: ofThinPool('instance_pool:kvm_thin_pool_data_used:ratio'),
          unit: 'percentunit',
          cell: 'bar',
          thresholds: worseAbove(0.7, 0.9),
        },
        {
          title: 'Metadata',
          expr: ofThinPool('instance_pool:kvm_thin_pool_metadata_used:ratio'),
          unit: 'percentunit',
          cell: 'bar',
          thresholds: worseAbove(0.7, 0.9),
        },
        { title: 'Promised', expr: ofThinPool('kvm_thin_pool_promised_bytes'), unit: 'bytes' },
        { title: 'May grow', expr: ofThinPool('kvm_thin_pool_claimable_bytes'), unit: 'bytes' },
        {
          title: 'Exposure',
          expr: capped(ofThinPool('instance_pool:kvm_thin_pool_claimable_per_avail:ratio')),
          unit: 'percentunit',
          thresholds: worseAbove(1),
        },
        {
          title: 'Free in group',
          expr: ofThinPool('kvm_thin_pool_vg_free_bytes'),
          unit: 'bytes',
        },
        {
          title: 'Needs a check',
          expr: ofThinPool('kvm_thin_pool_needs_check'),
          unit: 'short',
          texts: { '0': 'no', '1': 'yes' },
          thresholds: NONE_IS_GOOD,
        },
      ],
      sortBy: 'Exposure',
      height: 7,
    }),
  ],
};
