import { labelText } from '../exposition/labels.ts';
import type { ImageFile } from '../sources/image-file.ts';
import { visibleReference } from '../sources/image-reference.ts';
import type { Qcow2Header } from '../sources/qcow2-header.ts';
import { domainGauge, domainInfo, gauge, info, type Metric } from './metric.ts';
import { yesNo, zeroOne } from './yes-no.ts';

const IMAGE_INFO_LABELS = [
  'path',
  'format',
  'version',
  'cluster_size',
  'backing_file',
  'backing_format',
  'extended_l2',
  'data_file',
  'encryption',
  'mountpoint',
] as const;
const DISK_IMAGE_LABELS = ['device', 'path', 'depth', 'role'] as const;

/** Image files, each once however many guests use it, and the chains they form. */
export const imageMetrics: readonly Metric[] = [
  info(
    'kvm_image_info',
    'A disk image. path has all symbolic links followed (or is the name in /dev/mapper); what ' +
      'follows format is from its header and empty where the format has no such thing. Of remote ' +
      'files protocol and image name are shown; data_file is the first of several. Join ' +
      'mountpoint with kvm_filesystem_*.',
    { labels: IMAGE_INFO_LABELS },
    ({ images, snapshot }, sample) => {
      // A filesystem mounted more than once goes by one of its mount points.
      const mountpointOf = new Map(
        snapshot.storage?.filesystems.flatMap(({ mount, sharing }) =>
          [mount.device, ...(sharing ?? [])].map((device) => [device, mount.mountpoint] as const),
        ),
      );
      for (const { path, image } of images) {
        if (image === undefined) continue;
        const header = headerOf(image);
        const [dataFile] = image.dataFiles;
        const values = [
          path,
          image.format,
          header === undefined ? '' : String(header.version),
          header === undefined ? '' : String(header.clusterSizeBytes),
          image.below.kind === 'named' ? visibleReference(image.below.name) : '',
          image.below.kind === 'named' ? (image.below.format ?? '') : '',
          yesNo(header?.extendedL2),
          dataFile === undefined ? '' : visibleReference(dataFile.name),
          header?.encryption ?? '',
          mountpointOf.get(image.mount.device) ?? image.mount.mountpoint,
        ];
        sample(labelText(IMAGE_INFO_LABELS, values), 1);
      }
    },
  ),
  ofImage(
    'capacity_bytes',
    'Size of the disk an image holds, as a guest sees it',
    (image) => image.capacityBytes,
  ),
  ofImage(
    'allocated_bytes',
    'What an image occupies on its filesystem (st_blocks); absent for block devices',
    (image) => image.allocatedBytes,
  ),
  ofImage(
    'file_bytes',
    'Length of an image file (st_size), or size of the block device',
    (image) => image.fileSizeBytes,
  ),
  ofImage(
    'worst_case_bytes',
    'Size of an image once a guest has written everything: for qcow2 its data and all metadata, ' +
      'without what internal snapshots pin',
    (image) => image.worstCase?.fullyAllocatedBytes,
  ),
  ofImage(
    'metadata_bytes',
    'The part of kvm_image_worst_case_bytes that is not data of the guest',
    (image) => image.worstCase?.metadataBytes,
  ),
  ofImage(
    'snapshots',
    'Internal snapshots of a qcow2; each can pin up to the whole capacity once more',
    (image) => headerOf(image)?.internalSnapshotCount,
    ['proxmox_guest_snapshots'],
  ),
  ofImage(
    'dirty',
    'Whether the reference counts of a qcow2 may be stale; normal while a guest with lazy ' +
      'refcounts runs',
    (image) => zeroOne(headerOf(image)?.dirty),
  ),
  ofImage(
    'corrupt',
    'Whether QEMU found damaged metadata in a qcow2; it will not write to it any more',
    (image) => zeroOne(headerOf(image)?.corrupt),
  ),
  gauge(
    'kvm_image_readable',
    'Whether an image could be looked at; 0 also where its header makes no sense.',
    { labels: ['path'] },
    ({ images }, sample) => {
      for (const { image, labels } of images) {
        sample(labels, image === undefined || image.headerError !== undefined ? 0 : 1);
      }
    },
  ),
  domainInfo(
    'kvm_domain_disk_image_info',
    'An image a disk of a guest consists of: role is leaf, backing or data (external data file), or ' +
      'the same after mirror- for what a running block job writes to; depth counts from the leaf. ' +
      'Join path with kvm_image_*.',
    { labels: DISK_IMAGE_LABELS },
    ({ disks, labels, imagePathOf }, sample) => {
      for (const { device, part, source } of disks) {
        if (source.kind === 'remote') continue;
        for (const { image, role, depth } of source.chain.images) {
          const path = imagePathOf.get(image.identity) ?? image.resolvedPath;
          const shown = part === 'mirror' ? `mirror-${role}` : role;
          sample(labels.with(DISK_IMAGE_LABELS, [device, path, String(depth), shown]), 1);
        }
      }
    },
  ),
  domainGauge(
    'kvm_domain_disk_chain_depth',
    'Images of a disk that lie on top of each other, 1 without a backing file.',
    { labels: ['device'] },
    ({ disks, labels }, sample) => {
      for (const { device, part, source } of disks) {
        if (source.kind === 'remote' || part === 'mirror') continue;
        const layers = source.chain.images.filter(({ role }) => role !== 'data').length;
        sample(labels.device(device), layers === 0 ? undefined : layers);
      }
    },
  ),
  domainGauge(
    'kvm_domain_disk_chain_complete',
    'Whether all images of a disk could be found and read down to the last one. A name that stands ' +
      'in the header of an image alone is followed within the directories of storage pools and of ' +
      'images that domains name, and nowhere else.',
    { labels: ['device'] },
    ({ disks, labels }, sample) => {
      for (const { device, part, source } of disks) {
        if (source.kind === 'remote' || part === 'mirror') continue;
        sample(labels.device(device), source.chain.end.kind === 'complete' ? 1 : 0);
      }
    },
  ),
];

function headerOf({ qcow2 }: ImageFile): Qcow2Header | undefined {
  return qcow2?.ok === true ? qcow2.value : undefined;
}

function ofImage(
  name: string,
  meaning: string,
  valueOf: (image: ImageFile) => number | undefined,
  replaces: readonly string[] = [],
): Metric {
  return gauge(
    `kvm_image_${name}`,
    `${meaning}.`,
    { labels: ['path'], replaces },
    ({ images }, sample) => {
      for (const { image, labels } of images) {
        if (image !== undefined) sample(labels, valueOf(image));
      }
    },
  );
}
