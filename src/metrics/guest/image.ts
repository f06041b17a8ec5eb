import { labelText } from '../../exposition/labels.ts';

import { visibleReference } from '../../model/facts/image-reference.ts';

import { domainGauge, domainInfo, gauge, info, type Metric } from '../metric.ts';
import { yesNo, zeroOne } from '../yes-no.ts';
import type { ImageFile } from '../../model/image.ts';

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
    'A disk image: its path, format and filesystem (its header, /proc/self/mountinfo).',
    {
      note:
        'path has all symbolic links followed, or is the name in /dev/mapper. The labels after ' +
        'format are from the header and empty where the format has no such thing. Of remote ' +
        'files protocol and image name are shown; data_file is the first of several. Join ' +
        'mountpoint with kvm_filesystem_*.',
      labels: IMAGE_INFO_LABELS,
    },
    ({ images, snapshot }, sample) => {
      // A filesystem mounted more than once goes by one of its mount points.
      const mountpointOf = new Map(
        snapshot.storage?.filesystems.flatMap(({ mount, sharing }) =>
          [mount.device, ...(sharing ?? [])].map((device) => [device, mount.mountpoint] as const),
        ),
      );
      for (const { path, image } of images) {
        if (image === undefined) continue;
        const header = image.qcow2;
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
    'Size of the disk in an image, as a guest sees it',
    (image) => image.capacityBytes,
  ),
  ofImage(
    'allocated_bytes',
    'Space an image has allocated on its filesystem; absent for block devices (st_blocks)',
    (image) => image.allocatedBytes,
  ),
  ofImage(
    'file_bytes',
    'Length of an image file, or size of a block device (st_size)',
    (image) => image.fileSizeBytes,
  ),
  ofImage(
    'worst_case_bytes',
    'Worst-case size of an image once its guest has written every block, without what ' +
      'internal snapshots keep',
    (image) => image.worstCase?.fullyAllocatedBytes,
  ),
  ofImage(
    'metadata_bytes',
    'Part of kvm_image_worst_case_bytes that is metadata',
    (image) => image.worstCase?.metadataBytes,
  ),
  ofImage(
    'snapshots',
    'Internal snapshots of a qcow2 image, each of which can keep up to the whole capacity ' +
      'once more',
    (image) => image.qcow2?.internalSnapshotCount,
  ),
  ofImage(
    'dirty',
    'Whether reference counts of a qcow2 image may be stale, which is normal while a guest ' +
      'with lazy refcounts runs',
    (image) => zeroOne(image.qcow2?.dirty),
  ),
  ofImage(
    'corrupt',
    'Whether QEMU found damaged metadata in a qcow2 image, to which it then refuses to write',
    (image) => zeroOne(image.qcow2?.corrupt),
  ),
  gauge(
    'kvm_image_readable',
    'Whether an image could be read and has a valid header.',
    { labels: ['path'] },
    ({ images }, sample) => {
      for (const { image, labels } of images) {
        sample(labels, image === undefined || image.headerError !== undefined ? 0 : 1);
      }
    },
  ),
  domainInfo(
    'kvm_domain_disk_image_info',
    'An image that a disk of a guest consists of; join path with kvm_image_* (libvirt XML, ' +
      'image headers).',
    {
      note:
        'role is leaf, backing or data (external data file), or the same after mirror- for what ' +
        'a running block job writes to; depth counts from the leaf.',
      labels: DISK_IMAGE_LABELS,
    },
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
    'Images in the chain of a disk; 1 without a backing file (libvirt XML, image headers).',
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
    'Whether all images in the chain of a disk could be found and read (libvirt XML, image ' +
      'headers).',
    {
      note:
        'A name that stands in the header of an image alone is followed within the directories ' +
        'of storage pools and of images that the XML of guests names, and nowhere else.',
      labels: ['device'],
    },
    ({ disks, labels }, sample) => {
      for (const { device, part, source } of disks) {
        if (source.kind === 'remote' || part === 'mirror') continue;
        sample(labels.device(device), source.chain.end.kind === 'complete' ? 1 : 0);
      }
    },
  ),
];

function ofImage(
  name: string,
  meaning: string,
  valueOf: (image: ImageFile) => number | undefined,
): Metric {
  return gauge(`kvm_image_${name}`, `${meaning}.`, { labels: ['path'] }, ({ images }, sample) => {
    for (const { image, labels } of images) {
      if (image !== undefined) sample(labels, valueOf(image));
    }
  });
}
