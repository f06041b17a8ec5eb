/** The demo host's images, filesystem and storage pool as the readers would show them. */

import { toBelow, NOTHING_BELOW } from '../sources/images/header-facts.ts';
import { filesystemTraits } from '../sources/files/filesystem.ts';

import { qcow2WorstCase, rawWorstCase } from '../sources/images/qcow2-size.ts';
import { found } from '../runtime/result.ts';
import { BASE_IMAGE, GUEST_DISK_BYTES, IMAGE_DIRECTORY, toImage } from './guest-xml.ts';
import type { RunningGuest, State } from './state.ts';
import {
  computeAllocated,
  availableBytes,
  BASE_IMAGE_ALLOCATED_BYTES,
  FILESYSTEM_BYTES,
} from './storage.ts';
import { GIB, KIB } from './units.ts';
import type { ChainImage, ImageFile, ImageRequest, Qcow2Header } from '../model/image.ts';
import type { DomainDisk, Storage, StoragePool } from '../model/storage.ts';
import type { Mount } from '../model/filesystem.ts';

/** Kernel name of the volume the images lie on. */
export const IMAGE_DEVICE = 'dm-2';

const MOUNT: Mount = {
  id: 41,
  parentId: 1,
  device: '253:2',
  root: '/',
  mountpoint: IMAGE_DIRECTORY,
  type: 'ext4',
  source: '/dev/mapper/vg0-images',
  options: ['rw', 'relatime'],
  superOptions: ['rw'],
  readOnly: false,
};

const INODES = 65_536_000;
const BASE_IMAGE_VIRTUAL_BYTES = 10 * GIB;
const BASE_IMAGE_INODE = 11;
const FIRST_GUEST_INODE = 100;

export function toStorage(state: State): Storage {
  return {
    disks: state.guests.map(toDisk),
    filesystems: [
      {
        mount: MOUNT,
        traits: filesystemTraits(MOUNT),
        space: found({
          sizeBytes: FILESYSTEM_BYTES,
          freeBytes: availableBytes(state),
          availableBytes: availableBytes(state),
          inodes: INODES,
          inodesFree: INODES - state.guests.length - 20,
        }),
      },
    ],
    thin: undefined,
    unwatchedThinPools: 0,
  };
}

export function toPool(state: State): StoragePool {
  const available = BigInt(availableBytes(state));
  const uuid = '1b6c7f2e-8a54-4c0d-9a3f-2f0e8d3b7c11';
  return {
    name: 'images',
    uuid,
    reading: {
      state: 'running',
      capacityBytes: BigInt(FILESYSTEM_BYTES),
      allocationBytes: BigInt(FILESYSTEM_BYTES) - available,
      availableBytes: available,
    },
    description: {
      type: 'dir',
      name: 'images',
      uuid,
      targetPath: IMAGE_DIRECTORY,
      source: {
        name: undefined,
        hosts: [],
        directory: undefined,
        devices: [],
        format: undefined,
        adapter: undefined,
      },
    },
  };
}

function toDisk(guest: RunningGuest): DomainDisk {
  const { path, format, isClone } = toImage(guest.guest);
  const leaf: ImageRequest = { path, declaredFormat: format };
  const image =
    format === 'raw'
      ? rawImage(path, computeAllocated(guest), FIRST_GUEST_INODE + guest.guest.index)
      : qcow2Image(
          path,
          computeAllocated(guest),
          FIRST_GUEST_INODE + guest.guest.index,
          qcow2Header(GUEST_DISK_BYTES, isClone ? BASE_IMAGE : undefined),
        );
  const images: ChainImage[] = [{ role: 'leaf', depth: 0, image }];
  const backing: ImageRequest[] = [];
  if (isClone) {
    images.push({ role: 'backing', depth: 1, image: BASE });
    backing.push({ path: BASE_IMAGE, declaredFormat: 'qcow2' });
  }
  return {
    domainName: guest.guest.name,
    domainUuid: guest.guest.uuid,
    device: 'vda',
    readOnly: false,
    part: 'disk',
    source: {
      kind: 'local',
      chain: {
        disk: { declared: [leaf, ...backing], declaredToTheEnd: true },
        images,
        end: { kind: 'complete' },
      },
    },
  };
}

function rawImage(path: string, allocatedBytes: number, inode: number): ImageFile {
  return {
    ...toFile(path, allocatedBytes, inode),
    fileSizeBytes: GUEST_DISK_BYTES,
    format: 'raw',
    capacityBytes: GUEST_DISK_BYTES,
    qcow2: undefined,
    worstCase: rawWorstCase(GUEST_DISK_BYTES),
  };
}

function qcow2Image(
  path: string,
  allocatedBytes: number,
  inode: number,
  header: Qcow2Header,
): ImageFile {
  return {
    ...toFile(path, allocatedBytes, inode),
    fileSizeBytes: allocatedBytes,
    format: 'qcow2',
    capacityBytes: header.virtualSizeBytes,
    qcow2: header,
    below: toBelow(header.backingFileName, header.backingFormat),
    worstCase: qcow2WorstCase(header),
  };
}

function toFile(path: string, allocatedBytes: number, inode: number) {
  return {
    path,
    resolvedPath: path,
    identity: `${MOUNT.device}:${inode}`,
    kind: 'file',
    mount: MOUNT,
    blockDevice: undefined,
    allocatedBytes,
    formatFrom: 'declared',
    headerError: undefined,
    below: NOTHING_BELOW.below,
    dataFiles: [],
  } as const;
}

const CLUSTER_BYTES = 64 * KIB;

function qcow2Header(virtualSizeBytes: number, backingFileName: string | undefined): Qcow2Header {
  return {
    version: 3,
    virtualSizeBytes,
    clusterSizeBytes: CLUSTER_BYTES,
    refcountBits: 16,
    encryption: 'none',
    encryptionHeaderBytes: 0,
    compression: 'zlib',
    l1Entries: Math.ceil(virtualSizeBytes / (CLUSTER_BYTES * (CLUSTER_BYTES / 8))),
    refcountTableClusters: 1,
    internalSnapshotCount: 0,
    bitmapCount: 0,
    dirty: false,
    corrupt: false,
    lazyRefcounts: false,
    extendedL2: false,
    hasExternalDataFile: false,
    externalDataFileIsRaw: false,
    externalDataFileName: undefined,
    backingFileName,
    backingFormat: backingFileName === undefined ? undefined : 'qcow2',
  };
}

const BASE: ImageFile = qcow2Image(
  BASE_IMAGE,
  BASE_IMAGE_ALLOCATED_BYTES,
  BASE_IMAGE_INODE,
  qcow2Header(BASE_IMAGE_VIRTUAL_BYTES, undefined),
);
