import { failed, found } from '../../../src/runtime/result.ts';
import type { ImageFile, Qcow2Header } from '../../../src/model/image.ts';
import type { DomainDisk, Storage, StoragePool } from '../../../src/model/storage.ts';
import type { Mount } from '../../../src/model/filesystem.ts';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

export function exampleMount(overrides: Partial<Mount> = {}): Mount {
  return {
    id: 30,
    parentId: 1,
    device: '8:1',
    root: '/',
    mountpoint: '/var/lib/libvirt/images',
    type: 'xfs',
    source: '/dev/sda1',
    options: ['rw'],
    superOptions: ['rw'],
    readOnly: false,
    ...overrides,
  };
}

export function exampleQcow2Header(overrides: Partial<Qcow2Header> = {}): Qcow2Header {
  return {
    version: 3,
    virtualSizeBytes: 10 * GIB,
    clusterSizeBytes: 65_536,
    refcountBits: 16,
    encryption: 'none',
    encryptionHeaderBytes: 0,
    compression: 'zlib',
    l1Entries: 20,
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
    backingFileName: undefined,
    backingFormat: undefined,
    ...overrides,
  };
}

/** A qcow2 of 10 GiB of which 2 GiB are written. */
export function exampleImage(overrides: Partial<ImageFile> = {}): ImageFile {
  return {
    path: '/var/lib/libvirt/images/web.qcow2',
    resolvedPath: '/var/lib/libvirt/images/web.qcow2',
    identity: '8:1:100',
    kind: 'file',
    mount: exampleMount(),
    blockDevice: undefined,
    fileSizeBytes: 2 * GIB + 196_608,
    allocatedBytes: 2 * GIB,
    format: 'qcow2',
    formatFrom: 'declared',
    capacityBytes: 10 * GIB,
    qcow2: exampleQcow2Header(),
    headerError: undefined,
    below: { kind: 'nothing' },
    dataFiles: [],
    worstCase: {
      fullyAllocatedBytes: 10 * GIB + 2 * MIB,
      metadataBytes: 2 * MIB,
      withSnapshotsBytes: 10 * GIB + 2 * MIB,
    },
    ...overrides,
  };
}

/** The base of web.qcow2: nobody writes to it. */
export function exampleBase(): ImageFile {
  return exampleImage({
    path: '/var/lib/libvirt/images/base.raw',
    resolvedPath: '/var/lib/libvirt/images/base.raw',
    identity: '8:1:99',
    fileSizeBytes: 10 * GIB,
    allocatedBytes: GIB,
    format: 'raw',
    qcow2: undefined,
    worstCase: { fullyAllocatedBytes: 10 * GIB, metadataBytes: 0, withSnapshotsBytes: 10 * GIB },
  });
}

/** A disk whose images are these, leaf first. */
export function diskOf(
  domainName: string,
  domainUuid: string,
  device: string,
  ...images: readonly ImageFile[]
): DomainDisk {
  const path = images[0]?.path ?? '/nowhere';
  return {
    domainName,
    domainUuid,
    device,
    readOnly: false,
    part: 'disk',
    source: {
      kind: 'local',
      chain: {
        disk: { declared: [{ path, declaredFormat: 'qcow2' }], declaredToTheEnd: false },
        images: images.map((image, depth) => ({
          role: depth === 0 ? 'leaf' : 'backing',
          depth,
          image,
        })),
        end: { kind: 'complete' },
      },
    },
  };
}

/** A disk whose image is not there. */
export function brokenDiskOf(domainName: string, domainUuid: string, device: string): DomainDisk {
  const path = '/mnt/nfs/gone.img';
  return {
    domainName,
    domainUuid,
    device,
    readOnly: false,
    part: 'disk',
    source: {
      kind: 'local',
      chain: {
        disk: { declared: [{ path, declaredFormat: 'raw' }], declaredToTheEnd: false },
        images: [],
        end: {
          kind: 'unreadable',
          path,
          error: { kind: 'timeout', subject: path, detail: 'no answer within 2 s' },
        },
      },
    },
  };
}

export function remoteDiskOf(domainName: string, domainUuid: string, device: string): DomainDisk {
  const source = { kind: 'remote', name: 'rbd:vms/archive' } as const;
  return { domainName, domainUuid, device, readOnly: false, part: 'disk', source };
}

/** A thin volume of 20 GiB in vg0/thin0, of which 5 GiB are used. */
export function thinImage(): ImageFile {
  return exampleImage({
    path: '/dev/vg0/web-data',
    resolvedPath: '/dev/dm-3',
    identity: 'block 253:3',
    kind: 'block',
    mount: exampleMount({ id: 20, device: '0:5', mountpoint: '/dev', type: 'devtmpfs' }),
    blockDevice: {
      device: '253:3',
      name: 'dm-3',
      deviceMapperName: 'vg0-web--data',
      readOnly: false,
    },
    fileSizeBytes: 20 * GIB,
    allocatedBytes: undefined,
    format: 'raw',
    capacityBytes: 20 * GIB,
    qcow2: undefined,
    worstCase: { fullyAllocatedBytes: 20 * GIB, metadataBytes: 0, withSnapshotsBytes: 20 * GIB },
  });
}

export function exampleStorage(disks: readonly DomainDisk[]): Storage {
  return {
    disks,
    filesystems: [
      {
        mount: exampleMount(),
        traits: { network: false, sharedExtents: 'possible', compression: 'never' },
        space: found({
          sizeBytes: 100 * GIB,
          freeBytes: 40 * GIB,
          availableBytes: 38 * GIB,
          inodes: 1_000_000,
          inodesFree: 999_000,
        }),
      },
      {
        mount: exampleMount({
          id: 31,
          device: '0:50',
          mountpoint: '/mnt/nfs',
          type: 'nfs4',
          source: 'nas:/images',
        }),
        traits: { network: true, sharedExtents: 'unknown', compression: 'unknown' },
        space: failed('timeout', '/mnt/nfs', 'no answer within 2 s'),
      },
    ],
    unwatchedThinPools: 2,
    thin: {
      readAtSeconds: 1_700_099_000,
      storage: {
        pools: [
          {
            vgName: 'vg0',
            name: 'thin0',
            sizeBytes: 50 * GIB,
            dataUsedBytes: 20 * GIB,
            metadataSizeBytes: 100 * MIB,
            metadataUsedBytes: 25 * MIB,
            state: 'rw',
            needsCheck: false,
            queueWhenFull: true,
            monitored: true,
            vgFreeBytes: 10 * GIB,
          },
        ],
        volumes: [
          {
            vgName: 'vg0',
            name: 'web-data',
            poolName: 'thin0',
            sizeBytes: 20 * GIB,
            usedBytes: 5 * GIB,
            device: '253:3',
            origin: undefined,
          },
        ],
      },
    },
  };
}

export function examplePools(): readonly StoragePool[] {
  const uuid = 'aaaaaaaa-0000-4000-8000-000000000000';
  const sizes = {
    capacityBytes: BigInt(100 * GIB),
    allocationBytes: BigInt(60 * GIB),
    availableBytes: BigInt(40 * GIB),
  };
  const source = {
    name: undefined,
    hosts: [],
    directory: undefined,
    devices: [],
    format: undefined,
    adapter: undefined,
  };
  const targetPath = '/var/lib/libvirt/images';
  return [
    {
      uuid,
      name: 'default',
      reading: { ...sizes, state: 'running' },
      description: { type: 'dir', name: 'default', uuid, targetPath, source },
    },
    { uuid, name: 'old', reading: { ...sizes, state: 'inactive' }, description: undefined },
    { uuid, name: 'dead', reading: undefined, description: undefined },
  ];
}
