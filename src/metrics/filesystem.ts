import { labelText } from '../exposition/labels.ts';
import type { StorageContainer, StorageOfGuest, StorageOvercommit } from '../overcommit/storage.ts';
import type { Filesystem, FilesystemSpace } from '../sources/filesystem.ts';
import { domainGauge, gauge, info, type Metric, type Sample } from './metric.ts';
import type { View } from './view.ts';
import { yesNo } from './yes-no.ts';

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
    'A filesystem that holds images (/proc/self/mountinfo). shared_extents and compression say ' +
      'whether files can share or compress blocks, so that sums of what they occupy can exceed ' +
      'what is used.',
    { labels: FILESYSTEM_INFO_LABELS },
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
    'Whether a filesystem told its size in time (statfs); 0 for a hung network mount.',
    LABEL,
    (view, sample) => {
      perFilesystem(view, sample, ({ space }) => (space.ok ? 1 : 0));
    },
  ),
  gauge(
    'kvm_filesystem_readonly',
    'Whether a filesystem is mounted read-only, for instance after an error.',
    { ...LABEL, replaces: ['node_filesystem_readonly'] },
    (view, sample) => {
      perFilesystem(view, sample, ({ mount }) => (mount.readOnly ? 1 : 0));
    },
  ),
  space('size_bytes', 'Size of a filesystem with images', 'sizeBytes', [
    'node_filesystem_size_bytes',
    'opennebula_datastore_total_bytes',
    'proxmox_node_storage_total_bytes',
    'pve_node_storage_size_bytes',
    'openstack_nova_local_storage_available_bytes',
  ]),
  space(
    'avail_bytes',
    'Space programs can still use on a filesystem with images',
    'availableBytes',
    [
      'node_filesystem_avail_bytes',
      'opennebula_datastore_free_bytes',
      'pve_node_storage_free_bytes',
    ],
  ),
  space(
    'free_bytes',
    'Free space on a filesystem with images, that kept for root included',
    'freeBytes',
    ['node_filesystem_free_bytes'],
  ),
  space(
    'files',
    'Inodes of a filesystem with images; none where they are made as needed',
    'inodes',
    ['node_filesystem_files'],
  ),
  space('files_free', 'Free inodes of a filesystem with images', 'inodesFree', [
    'node_filesystem_files_free',
  ]),
  container('images', 'Images on a filesystem, each once', ({ images }) => images),
  container(
    'images_unknown',
    'Images on a filesystem whose occupied or largest size is not known: the sums lack that part',
    ({ imagesUnknown }) => imagesUnknown,
  ),
  container(
    'promised_bytes',
    'Size of all images on a filesystem once guests have written everything, metadata and ' +
      'internal snapshots included; read-only images count with what they occupy',
    ({ promisedBytes }) => promisedBytes,
    ['openstack_nova_local_storage_used_bytes'],
  ),
  container(
    'allocated_bytes',
    'What images on a filesystem occupy (st_blocks)',
    ({ allocatedBytes }) => allocatedBytes,
  ),
  container(
    'claimable_bytes',
    'What images on a filesystem may still grow by: promised less occupied, image by image',
    ({ claimableBytes }) => claimableBytes,
  ),
  gauge(
    'kvm_filesystem_sums_approximate',
    'Whether files on a filesystem can share or compress blocks, so that sums over its ' +
      'images count some blocks twice.',
    LABEL,
    (view, sample) => {
      perFilesystem(view, sample, ({ traits }) =>
        traits.sharedExtents !== 'never' || traits.compression !== 'never' ? 1 : 0,
      );
    },
  ),
  ofGuest('promised', "A guest's part of kvm_filesystem_promised_bytes"),
  ofGuest('allocated', "A guest's part of kvm_filesystem_allocated_bytes", [
    'pve_disk_usage_bytes',
  ]),
  ofGuest('claimable', "A guest's part of kvm_filesystem_claimable_bytes"),
  ofHost(
    'kvm_storage_promised_bytes',
    'Largest size of all images of this host, on filesystems, thin pools and block devices.',
    ({ host }) => host.promisedBytes,
  ),
  ofHost(
    'kvm_storage_allocated_bytes',
    'What all images of this host occupy.',
    ({ host }) => host.allocatedBytes,
  ),
  ofHost(
    'kvm_storage_claimable_bytes',
    'What all images of this host may still grow by.',
    ({ host }) => host.claimableBytes,
  ),
  ofHost(
    'kvm_storage_shortfall_bytes',
    'Growth there is no room for, filesystem by filesystem and pool by pool: room left on one ' +
      'does not help another.',
    ({ host }) => host.shortfallBytes,
  ),
  gauge(
    'kvm_storage_images',
    'Images of all defined guests, each once, by where their space comes from: a filesystem, a ' +
      'thin pool, a block device with all its space (thick), another host (remote), or unknown.',
    { labels: ['placement'] },
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

function space(
  name: string,
  meaning: string,
  field: keyof FilesystemSpace,
  replaces: readonly string[],
): Metric {
  return gauge(
    `kvm_filesystem_${name}`,
    `${meaning} (statfs). Absent while the filesystem does not answer.`,
    { ...LABEL, replaces },
    (view, sample) => {
      perFilesystem(view, sample, (one) => (one.space.ok ? one.space.value[field] : undefined));
    },
  );
}

function container(
  name: string,
  meaning: string,
  valueOf: (container: StorageContainer) => number,
  replaces: readonly string[] = [],
): Metric {
  const details = { ...LABEL, replaces };
  return gauge(`kvm_filesystem_${name}`, `${meaning}.`, details, ({ assessment }, sample) => {
    for (const one of assessment.storage?.containers ?? []) {
      if (one.kind !== 'filesystem') continue;
      sample(labelText(LABEL.labels, [one.name]), valueOf(one));
    }
  });
}

function ofGuest(
  name: 'promised' | 'allocated' | 'claimable',
  meaning: string,
  replaces: readonly string[] = [],
): Metric {
  const field = `${name}Bytes` as const satisfies keyof StorageOfGuest;
  return domainGauge(
    `kvm_domain_storage_${name}_bytes`,
    `${meaning}; an image several guests use is charged to them in equal parts.`,
    { ...LABEL, replaces },
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
