import { labelText } from '../../exposition/labels.ts';
import type { StorageContainer } from '../../overcommit/storage/storage.ts';

import { domainGauge, gauge, type Metric } from '../metric.ts';
import { zeroOne } from '../yes-no.ts';
import type { ThinPool } from '../../model/storage.ts';

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
    'Used part of the metadata device of a thin pool, which needs a repair once that is full',
    ({ metadataUsedBytes }) => metadataUsedBytes,
  ),
  gauge(
    'kvm_thin_pool_state',
    'State of a thin pool: always 1, the state is in the label (lvs, or dmsetup status).',
    {
      note: 'state is rw, ro, out-of-data-space, failed or unknown, as it is of Proxmox VE.',
      labels: [...POOL_LABELS, 'state'],
    },
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
    'Whether dmeventd monitors a thin pool, without which it is never extended automatically',
    ({ monitored }) => zeroOne(monitored),
  ),
  ofPool(
    'vg_free_bytes',
    'Free space of the volume group, which automatic extension of its thin pools can use',
    ({ vgFreeBytes }) => vgFreeBytes,
  ),
  ofContainer(
    'promised_bytes',
    'Size of all thin volumes of guests in a thin pool',
    ({ promisedBytes }) => promisedBytes,
  ),
  ofContainer(
    'claimable_bytes',
    'Space the thin volumes of guests can still allocate in a thin pool',
    ({ claimableBytes }) => claimableBytes,
  ),
  gauge(
    'kvm_thin_pool_last_read_timestamp_seconds',
    'Unix time at which thin pools were last read, which happens in the background.',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.storage?.thin?.readAtSeconds);
    },
  ),
  gauge(
    'kvm_thin_pools_unwatched',
    'Active LVM thin pools of the host whose state is not read (/sys/block/dm-*/dm/uuid).',
    {
      note:
        'All of them without `--collector.thinpool`, or where neither lvs nor dmsetup answers it, but ' +
        'for those that Proxmox VE measures; else 0.',
    },
    ({ snapshot }, sample) => {
      sample('', snapshot.storage?.unwatchedThinPools);
    },
  ),
  ofGuest('promised', 'Size of the thin volumes of a guest in a thin pool'),
  ofGuest('allocated', 'Space the thin volumes of a guest have allocated in a thin pool'),
  ofGuest('claimable', 'Space the thin volumes of a guest can still allocate in a thin pool'),
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
    `${meaning}; volumes shared by guests count in equal parts.`,
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
