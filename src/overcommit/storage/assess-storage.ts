/** From the snapshot to the inputs of storage.ts. */

import type { Amount, Policy } from '../../config/policy.ts';
import { mapInParts, type Parts } from '../../runtime/in-parts.ts';

import {
  storageOvercommit,
  type StorageFilesystem,
  type StorageImage,
  type StorageOvercommit,
  type StorageThinPool,
} from './storage.ts';
import { canShareBlocks } from '../../model/facts/shared-blocks.ts';
import { thinPoolName } from '../../model/facts/thin-pool-name.ts';
import type { VolumeSpace } from '../../model/domain-config.ts';
import type { DomainDisk, Storage, ThinStorage, ThinVolume } from '../../model/storage.ts';
import type { BlockDevice, ChainEnd, ChainImage, ImageFile } from '../../model/image.ts';
import type { Filesystem } from '../../model/filesystem.ts';

/** All defined guests' disks against the filesystems and thin pools they lie in. */
export function* assessStorage(storage: Storage, policy: Policy): Parts<StorageOvercommit> {
  const thin = storage.thin?.storage;
  const thinVolumes =
    thin?.volumes &&
    new Map(
      thin.volumes.flatMap((volume) =>
        volume.device === undefined ? [] : [[volume.device, volume] as const],
      ),
    );
  const keys = filesystemKeys(storage.filesystems);
  const mentions = yield* mapInParts(storage.disks, (disk) =>
    listMentions(disk, thinVolumes, keys),
  );
  yield;
  return storageOvercommit(
    mentions.flat(),
    storage.filesystems.map((filesystem) => toFilesystem(filesystem, policy.reserves.storage)),
    toThinPools(thin),
  );
}

/** From the device of a mount to the filesystem that stands for it, where that is another's. */
type FilesystemKeys = ReadonlyMap<string, string>;

function filesystemKeys(filesystems: readonly Filesystem[]): FilesystemKeys {
  return new Map(
    filesystems.flatMap(({ mount, sharing }) =>
      (sharing ?? []).map((device) => [device, mount.device] as const),
    ),
  );
}

type ThinVolumes = ReadonlyMap<string, ThinVolume>;

/** Every image of a disk, and one that is there but could not be read. */
function listMentions(
  { domainName, readOnly, source, space }: DomainDisk,
  volumes: ThinVolumes | undefined,
  keys: FilesystemKeys,
): readonly StorageImage[] {
  if (source.kind === 'remote') {
    return [unknownImage('remote', source.digest ?? source.name, domainName, !readOnly)];
  }
  const { images, end } = source.chain;
  const known = images.map(({ image, role, depth }) =>
    toMention(image, isWrittenTo(role, depth) && !readOnly, domainName, volumes, keys, {
      // What it is based on may lie elsewhere.
      said: depth === 0 ? space : undefined,
    }),
  );
  const beyond = beyondEnd(end, domainName, images.length === 0 && !readOnly);
  return beyond === undefined ? known : [...known, beyond];
}

/** Backing images, and data files of backing images, are only read. */
function isWrittenTo(role: ChainImage['role'], depth: number): boolean {
  return role === 'leaf' || (role === 'data' && depth === 0);
}

function beyondEnd(end: ChainEnd, guest: string, writable: boolean): StorageImage | undefined {
  if (end.kind === 'unreadable') return unknownImage('file', end.path, guest, writable);
  if (end.kind === 'refused') return unknownImage('file', end.path, guest, writable);
  if (end.kind === 'remote') return unknownImage('remote', end.digest, guest, writable);
  return undefined;
}

function unknownImage(
  kind: 'file' | 'remote',
  name: string,
  guest: string,
  writable: boolean,
): StorageImage {
  return {
    id: `${kind} ${name}`,
    kind,
    containerId: undefined,
    allocatedBytes: undefined,
    worstCaseBytes: undefined,
    snapshotsWorstCaseBytes: 0,
    writable,
    guests: [guest],
  };
}

function toMention(
  image: ImageFile,
  writable: boolean,
  guest: string,
  volumes: ThinVolumes | undefined,
  keys: FilesystemKeys,
  { said }: { readonly said: VolumeSpace | undefined },
): StorageImage {
  const { worstCase, blockDevice } = image;
  const common = {
    id: image.identity,
    writable,
    guests: [guest],
  };
  if (blockDevice === undefined) {
    return {
      ...common,
      kind: 'file',
      containerId: keys.get(image.mount.device) ?? image.mount.device,
      allocatedBytes: image.allocatedBytes,
      worstCaseBytes: worstCase?.fullyAllocatedBytes,
      snapshotsWorstCaseBytes:
        worstCase === undefined ? 0 : worstCase.withSnapshotsBytes - worstCase.fullyAllocatedBytes,
    };
  }
  const volume = volumes?.get(blockDevice.device);
  const space = volume === undefined ? spaceBehind(blockDevice, volumes, said) : 'pool';
  // Whatever its format, an image cannot outgrow its device, and a guest can fill it.
  const deviceBytes = image.fileSizeBytes;
  return {
    ...common,
    kind: space === 'own' ? 'thick' : space === 'elsewhere' ? 'remote' : 'thin',
    containerId:
      volume !== undefined
        ? thinPoolName(volume.vgName, volume.poolName)
        : space === 'pool'
          ? said?.thinPool
          : undefined,
    allocatedBytes: space === 'own' ? deviceBytes : volume?.usedBytes,
    worstCaseBytes: Math.min(worstCase?.withSnapshotsBytes ?? deviceBytes, deviceBytes),
    snapshotsWorstCaseBytes: 0,
  };
}

/**
 * Where a block device has its space from: set aside as a whole (`own`), from another host, or
 * nobody here can tell (`unknown`). A logical volume may be thin: whether it is, only LVM knows, and
 * where it was not asked, who manages the volume. A ZFS volume is sparse unless made otherwise, as
 * libvirt makes it, or its manager says so.
 */
function spaceBehind(
  { name, deviceMapperName }: BlockDevice,
  volumes: ThinVolumes | undefined,
  said: VolumeSpace | undefined,
): 'own' | 'elsewhere' | 'pool' | 'unknown' {
  const isUnsaid = deviceMapperName !== undefined && volumes === undefined;
  if (isUnsaid || /^zd\d/.test(name ?? '')) {
    return said?.kind === 'thick' ? 'own' : said?.kind === 'thin' ? 'pool' : 'unknown';
  }
  return /^(?:rbd|nbd)\d/.test(name ?? '') ? 'elsewhere' : 'own';
}

function toFilesystem({ mount, traits, space }: Filesystem, reserve: Amount): StorageFilesystem {
  return {
    id: mount.device,
    mountpoint: mount.mountpoint,
    sizeBytes: space.ok ? space.value.sizeBytes : undefined,
    availBytes: space.ok
      ? Math.max(
          0,
          space.value.availableBytes -
            ('bytes' in reserve ? reserve.bytes : reserve.ratio * space.value.sizeBytes),
        )
      : undefined,
    sharedExtents: canShareBlocks(traits),
  };
}

/** A pool whose fill level is not known (failed, not active) is no place to grow into. */
function toThinPools(thin: ThinStorage | undefined): readonly StorageThinPool[] {
  return (thin?.pools ?? []).flatMap((pool) => {
    if (pool.sizeBytes === undefined || pool.dataUsedBytes === undefined) return [];
    return {
      id: thinPoolName(pool.vgName, pool.name),
      name: thinPoolName(pool.vgName, pool.name),
      sizeBytes: pool.sizeBytes,
      usedBytes: pool.dataUsedBytes,
    };
  });
}
