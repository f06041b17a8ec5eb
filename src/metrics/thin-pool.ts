import { labelText } from '../exposition/labels.ts';
import type { StorageContainer } from '../overcommit/storage.ts';
import type { ThinPool } from '../sources/thin-pool.ts';
import { domainGauge, gauge, type Metric } from './metric.ts';
import { zeroOne } from './yes-no.ts';

const POOL_LABELS = ['vg', 'pool'] as const;

/** LVM thin pools that disks of guests lie in. */
export const thinPoolMetrics: readonly Metric[] = [
  ofPool('size_bytes', 'Size of the data device of a thin pool', ({ sizeBytes }) => sizeBytes),
  ofPool(
    'data_used_bytes',
    'Used part of the data device of a thin pool',
    ({ dataUsedBytes }) => dataUsedBytes,
  ),
  ofPool(
    'metadata_size_bytes',
    'Size of the metadata device of a thin pool',
    ({ metadataSizeBytes }) => metadataSizeBytes,
  ),
  ofPool(
    'metadata_used_bytes',
    'Used part of the metadata device of a thin pool; once it is full the pool needs a repair',
    ({ metadataUsedBytes }) => metadataUsedBytes,
  ),
  gauge(
    'kvm_thin_pool_state',
    'Always 1; the label says in which state a thin pool is: rw, ro, out-of-data-space, failed or ' +
      'unknown (lvs, or dmsetup status).',
    { labels: [...POOL_LABELS, 'state'] },
    ({ snapshot }, sample) => {
      for (const { vgName, name, state } of snapshot.storage?.thin?.storage.pools ?? []) {
        sample(labelText([...POOL_LABELS, 'state'], [vgName ?? '', name, state]), 1);
      }
    },
  ),
  ofPool(
    'needs_check',
    'Whether the metadata of a thin pool must be checked before it is used again',
    ({ needsCheck }) => zeroOne(needsCheck),
  ),
  ofPool(
    'monitored',
    'Whether dmeventd watches a thin pool, without which it is never extended by itself',
    ({ monitored }) => zeroOne(monitored),
  ),
  ofPool(
    'vg_free_bytes',
    'Free space of the volume group, which automatic extension of the pool could use; every pool ' +
      'of the group has the same',
    ({ vgFreeBytes }) => vgFreeBytes,
  ),
  ofContainer(
    'promised_bytes',
    'Size of all thin volumes of guests in a pool',
    ({ promisedBytes }) => promisedBytes,
  ),
  ofContainer(
    'claimable_bytes',
    'What thin volumes of guests in a pool may still grow by',
    ({ claimableBytes }) => claimableBytes,
  ),
  gauge(
    'kvm_thin_pool_last_read_timestamp_seconds',
    'Unix time at which thin pools were last looked at; they are read in the background.',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.storage?.thin?.readAtSeconds);
    },
  ),
  ofGuest('promised', 'Size of the thin volumes of a guest in a pool'),
  ofGuest('allocated', 'What the thin volumes of a guest occupy in a pool'),
  ofGuest('claimable', 'What the thin volumes of a guest may still grow by in a pool'),
];

function ofPool(
  name: string,
  meaning: string,
  valueOf: (pool: ThinPool) => number | undefined,
): Metric {
  return gauge(
    `kvm_thin_pool_${name}`,
    `${meaning} (lvs, or dmsetup status).`,
    { labels: POOL_LABELS },
    ({ snapshot }, sample) => {
      for (const pool of snapshot.storage?.thin?.storage.pools ?? []) {
        sample(labelText(POOL_LABELS, [pool.vgName ?? '', pool.name]), valueOf(pool));
      }
    },
  );
}

function ofContainer(
  name: string,
  meaning: string,
  valueOf: (container: StorageContainer) => number,
): Metric {
  return gauge(
    `kvm_thin_pool_${name}`,
    `${meaning}.`,
    { labels: POOL_LABELS },
    ({ assessment }, sample) => {
      for (const one of assessment.storage?.containers ?? []) {
        if (one.kind !== 'thin pool') continue;
        sample(labelText(POOL_LABELS, poolNames(one)), valueOf(one));
      }
    },
  );
}

function ofGuest(name: 'promised' | 'allocated' | 'claimable', meaning: string): Metric {
  const field = `${name}Bytes` as const;
  return domainGauge(
    `kvm_domain_thin_${name}_bytes`,
    `${meaning}; a volume several guests use is charged to them in equal parts.`,
    { labels: POOL_LABELS },
    ({ storage, labels }, sample) => {
      for (const { part, container } of storage) {
        if (container.kind !== 'thin pool') continue;
        sample(labels.with(POOL_LABELS, poolNames(container)), part[field]);
      }
    },
  );
}

/** The assessment names a pool `<vg>/<pool>`, or by itself where the group is not known. */
function poolNames({ name }: StorageContainer): readonly [vg: string, pool: string] {
  const slash = name.indexOf('/');
  return slash < 0 ? ['', name] : [name.slice(0, slash), name.slice(slash + 1)];
}
