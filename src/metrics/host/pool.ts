import { labelText } from '../../exposition/labels.ts';
import type { PoolReading } from '../../model/storage.ts';
import { gauge, info, type Metric } from '../metric.ts';

const POOL_INFO_LABELS = ['pool', 'uuid', 'type', 'path'] as const;

/** libvirt storage pools. */
export const poolMetrics: readonly Metric[] = [
  info(
    'kvm_pool_info',
    'A storage pool of libvirt: its type and its path on the host (storage pool XML).',
    { labels: POOL_INFO_LABELS },
    ({ snapshot }, sample) => {
      for (const { name, uuid, description } of snapshot.pools ?? []) {
        const values = [name, uuid, description?.type ?? '', description?.targetPath ?? ''];
        sample(labelText(POOL_INFO_LABELS, values), 1);
      }
    },
  ),
  gauge(
    'kvm_pool_state',
    'State of a storage pool: always 1, the state is in the label (virStoragePoolState).',
    { labels: ['pool', 'state'] },
    ({ snapshot }, sample) => {
      for (const { name, reading } of snapshot.pools ?? []) {
        if (reading === undefined) continue;
        sample(labelText(['pool', 'state'], [name, reading.state]), 1);
      }
    },
  ),
  gauge(
    'kvm_pool_responsive',
    'Whether libvirt answers for a storage pool; 0 is most often a refresh that waits for ' +
      'dead storage.',
    {
      note: 'Its sizes are absent while it is 0.',
      labels: ['pool'],
    },
    ({ snapshot }, sample) => {
      for (const { name, reading } of snapshot.pools ?? []) {
        sample(labelText(['pool'], [name]), reading === undefined ? 0 : 1);
      }
    },
  ),
  size('capacity', 'Size of a storage pool', (pool) => pool.capacityBytes),
  size('allocated', 'Used part of a storage pool', (pool) => pool.allocationBytes),
  size('available', 'Free part of a storage pool', (pool) => pool.availableBytes),
];

function size(name: string, meaning: string, bytesOf: (pool: PoolReading) => bigint): Metric {
  return gauge(
    `kvm_pool_${name}_bytes`,
    `${meaning} when libvirt last refreshed it (virStoragePoolGetInfo).`,
    {
      labels: ['pool'],
    },
    ({ snapshot }, sample) => {
      for (const { name, reading } of snapshot.pools ?? []) {
        // An inactive pool reports zeros, which would look like a full one.
        if (reading === undefined || reading.state === 'inactive') continue;
        sample(labelText(['pool'], [name]), bytesOf(reading));
      }
    },
  );
}
