import { labelText } from '../../exposition/labels.ts';
import type {
  StorageContainer,
  StorageOfGuest,
  StorageOvercommit,
} from '../../overcommit/storage/storage.ts';

import { domainGauge, gauge, info, type Metric, type Sample, withNote } from '../metric.ts';
import type { View } from '../../view/view.ts';
import { canShareBlocks } from '../../model/facts/shared-blocks.ts';
import { yesNo, zeroOne } from '../yes-no.ts';
import type { Filesystem, FilesystemSpace } from '../../model/filesystem.ts';

const FILESYSTEM_INFO_LABELS = [
  'mountpoint',
  'device',
  'fstype',
  'source',
  'network',
  'shared_extents',
  'compression',
] as const;

const LABEL = { labels: ['mountpoint'] } as const;

/** Filesystems that hold images, and what images on them may still grow by. */
export const filesystemMetrics: readonly Metric[] = [
  info(
    'kvm_filesystem_info',
    'A filesystem that holds images (/proc/self/mountinfo).',
    {
      note:
        'shared_extents and compression say whether files can share or compress blocks, so that ' +
        'the sum of their allocated sizes can exceed the used space.',
      labels: FILESYSTEM_INFO_LABELS,
    },
    ({ snapshot }, sample) => {
      for (const { mount, traits } of snapshot.storage?.filesystems ?? []) {
        const values = [
          mount.mountpoint,
          mount.device,
          mount.type,
          mount.source,
          yesNo(traits.network),
          traits.sharedExtents,
          traits.compression,
        ];
        sample(labelText(FILESYSTEM_INFO_LABELS, values), 1);
      }
    },
  ),
  gauge(
    'kvm_filesystem_responsive',
    'Whether a filesystem answered in time when asked for its size; 0 for a hung network ' +
      'mount (statfs).',
    LABEL,
    (view, sample) => {
      perFilesystem(view, sample, ({ space }) => (space.ok ? 1 : 0));
    },
  ),
  gauge(
    'kvm_filesystem_readonly',
    'Whether a filesystem is mounted read-only, for instance after an error ' +
      '(/proc/self/mountinfo).',
    LABEL,
    (view, sample) => {
      perFilesystem(view, sample, ({ mount }) => (mount.readOnly ? 1 : 0));
    },
  ),
  space('size_bytes', 'Size of a filesystem that holds images', 'sizeBytes'),
  space(
    'avail_bytes',
    'Space available to programs on a filesystem that holds images',
    'availableBytes',
  ),
  space(
    'free_bytes',
    'Free space on a filesystem that holds images, including space kept for root',
    'freeBytes',
  ),
  space(
    'files',
    'Inodes of a filesystem that holds images; absent where it makes them as needed',
    'inodes',
  ),
  space('files_free', 'Free inodes of a filesystem that holds images', 'inodesFree'),
  container('images', 'Images on a filesystem, each counted once', ({ images }) => images),
  container(
    'images_unknown',
    'Images on a filesystem whose allocated or worst-case size is unknown, so that the sums ' +
      'lack it',
    ({ imagesUnknown }) => imagesUnknown,
  ),
  withNote(
    container(
      'promised_bytes',
      'Worst-case size of all images on a filesystem: what they take once guests have written ' +
        'every block',
      ({ promisedBytes }) => promisedBytes,
    ),
    'Metadata and internal snapshots are included. Read-only images count with their allocated size.',
  ),
  container(
    'allocated_bytes',
    'Space the images on a filesystem have allocated (st_blocks)',
    ({ allocatedBytes }) => allocatedBytes,
  ),
  withNote(
    container(
      'claimable_bytes',
      'Space the images on a filesystem can still allocate: promised minus allocated',
      ({ claimableBytes }) => claimableBytes,
    ),
    'Computed image by image, never below 0.',
  ),
  gauge(
    'kvm_filesystem_sums_approximate',
    'Whether files on a filesystem can share or compress blocks, so that sums over its ' +
      'images may count blocks twice.',
    LABEL,
    (view, sample) => {
      perFilesystem(view, sample, ({ traits }) => zeroOne(canShareBlocks(traits)));
    },
  ),
  ofGuest('promised', 'Worst-case size of the images of a guest on a filesystem'),
  ofGuest('allocated', 'Space the images of a guest have allocated on a filesystem'),
  ofGuest('claimable', 'Space the images of a guest can still allocate on a filesystem'),
  ofHost(
    'kvm_storage_promised_bytes',
    'Worst-case size of all images of this host, on filesystems, thin pools and block devices.',
    ({ host }) => host.promisedBytes,
  ),
  ofHost(
    'kvm_storage_allocated_bytes',
    'Space all images of this host have allocated.',
    ({ host }) => host.allocatedBytes,
  ),
  ofHost(
    'kvm_storage_claimable_bytes',
    'Space all images of this host can still allocate: promised minus allocated.',
    ({ host }) => host.claimableBytes,
  ),
  withNote(
    ofHost(
      'kvm_storage_shortfall_bytes',
      'Claimable space that is missing if all images grow to their worst case, summed over ' +
        'filesystems and thin pools.',
      ({ host }) => host.shortfallBytes,
    ),
    'Space available on one of them does not help another.',
  ),
  gauge(
    'kvm_storage_images',
    'Images of all defined guests, each counted once, by where their space comes from.',
    {
      note:
        'placement is filesystem, thin (a thin pool), thick (a block device with all its ' +
        'space), remote (another host) or unknown.',
      labels: ['placement'],
    },
    ({ assessment: { storage } }, sample) => {
      if (storage === undefined) return;
      const inside = (kind: StorageContainer['kind']): number =>
        storage.containers
          .filter((one) => one.kind === kind)
          .reduce((sum, { images }) => sum + images, 0);
      sample('{placement="filesystem"}', inside('filesystem'));
      sample('{placement="thin"}', inside('thin pool'));
      sample('{placement="thick"}', storage.thick.images);
      sample('{placement="remote"}', storage.remote.images);
      sample('{placement="unknown"}', storage.unplaced.images);
    },
  ),
];

function perFilesystem(
  { snapshot }: View,
  sample: Sample,
  valueOf: (filesystem: Filesystem) => number | undefined,
): void {
  for (const filesystem of snapshot.storage?.filesystems ?? []) {
    sample(labelText(LABEL.labels, [filesystem.mount.mountpoint]), valueOf(filesystem));
  }
}

function space(name: string, meaning: string, field: keyof FilesystemSpace): Metric {
  return gauge(
    `kvm_filesystem_${name}`,
    `${meaning} (statfs).`,
    { ...LABEL, note: 'Absent while the filesystem does not answer.' },
    (view, sample) => {
      perFilesystem(view, sample, (one) => (one.space.ok ? one.space.value[field] : undefined));
    },
  );
}

function container(
  name: string,
  meaning: string,
  valueOf: (container: StorageContainer) => number,
): Metric {
  return gauge(`kvm_filesystem_${name}`, `${meaning}.`, LABEL, ({ assessment }, sample) => {
    for (const one of assessment.storage?.containers ?? []) {
      if (one.kind !== 'filesystem') continue;
      sample(labelText(LABEL.labels, [one.name]), valueOf(one));
    }
  });
}

function ofGuest(name: 'promised' | 'allocated' | 'claimable', meaning: string): Metric {
  const field = `${name}Bytes` as const satisfies keyof StorageOfGuest;
  return domainGauge(
    `kvm_domain_storage_${name}_bytes`,
    `${meaning}; images shared by guests count in equal parts.`,
    LABEL,
    ({ storage, labels }, sample) => {
      for (const { part, container: place } of storage) {
        if (place.kind === 'filesystem') sample(labels.one('mountpoint', place.name), part[field]);
      }
    },
  );
}

function ofHost(
  name: string,
  help: string,
  valueOf: (storage: StorageOvercommit) => number,
): Metric {
  return gauge(name, help, {}, ({ assessment: { storage } }, sample) => {
    if (storage !== undefined) sample('', valueOf(storage));
  });
}
