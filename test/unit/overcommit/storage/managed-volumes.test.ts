import { describe, expect, it } from 'vitest';

import { parseGuestConf } from '../../../../src/guests/proxmox/guest-conf.ts';
import { parseStorageConf } from '../../../../src/guests/proxmox/storage-conf.ts';
import { toVmConfig } from '../../../../src/guests/proxmox/vm-config.ts';
import type { DomainDisk, Storage, ThinPool } from '../../../../src/model/storage.ts';
import { assessStorage } from '../../../../src/overcommit/storage/assess-storage.ts';
import type { StorageOvercommit } from '../../../../src/overcommit/storage/storage.ts';
import { atOnce } from '../../../../src/runtime/in-parts.ts';
import { valueIn } from '../../../support/sources/kernel-fixtures.ts';
import { blockDevice, disk, filesystem, NO_RESERVES, rawFile } from '../assess-fixture.ts';

const GIB = 1024 ** 3;

const STORAGES = parseStorageConf(`dir: local
\tpath /images

lvmthin: local-lvm
\tvgname pve
\tthinpool data

lvm: thick
\tvgname vg1

zfspool: tank
\tpool tank/data

zfspool: sparse
\tpool rpool/data
\tsparse

rbd: ceph
\tpool vms
`);

const CONF = `memory: 1024
scsi0: local:100/vm-100-disk-0.raw,size=10G
scsi1: local-lvm:vm-100-disk-1,size=20G
scsi2: thick:vm-100-disk-2,size=30G
scsi3: tank:vm-100-disk-3,size=40G
scsi4: sparse:vm-100-disk-4,size=50G
scsi5: ceph:vm-100-disk-5,size=60G
`;

/** As the host shows them: volumes of LVM are dm devices, those of ZFS are zd devices. */
const IMAGES = {
  scsi0: rawFile('/images/images/100/vm-100-disk-0.raw', 10 * GIB, 4 * GIB),
  scsi1: blockDevice('/dev/pve/vm-100-disk-1', 20 * GIB, '253:4', 'pve-vm--100--disk--1', 'dm-4'),
  scsi2: blockDevice('/dev/vg1/vm-100-disk-2', 30 * GIB, '253:5', 'vg1-vm--100--disk--2', 'dm-5'),
  scsi3: blockDevice('/dev/zvol/tank/data/vm-100-disk-3', 40 * GIB, '230:0', undefined, 'zd0'),
  scsi4: blockDevice('/dev/zvol/rpool/data/vm-100-disk-4', 50 * GIB, '230:16', undefined, 'zd16'),
} as const;

function disks(): readonly DomainDisk[] {
  const config = toVmConfig(100, '100/x', valueIn(parseGuestConf(CONF, 'x')), STORAGES);
  return config.disks.map(({ target, space, source }): DomainDisk => {
    const image = Object.entries(IMAGES).find(([key]) => key === target)?.[1];
    if (image === undefined) {
      const name = source?.kind === 'network' ? source.name : target;
      return {
        ...disk('100/x', [], { device: target }),
        space,
        source: { kind: 'remote', name: name ?? target },
      };
    }
    expect(source).toMatchObject({ path: image.path });
    return { ...disk('100/x', [image], { device: target }), space };
  });
}

const POOL: ThinPool = {
  vgName: 'pve',
  name: 'data',
  sizeBytes: 100 * GIB,
  dataUsedBytes: 70 * GIB,
  metadataSizeBytes: undefined,
  metadataUsedBytes: undefined,
  state: 'unknown',
  needsCheck: undefined,
  queueWhenFull: undefined,
  monitored: undefined,
  vgFreeBytes: undefined,
};

function assess(thin: Storage['thin']): StorageOvercommit {
  const storage: Storage = {
    disks: disks(),
    filesystems: [filesystem('/images', 100 * GIB, 50 * GIB)],
    thin,
    unwatchedThinPools: 1,
  };
  return atOnce(assessStorage(storage, NO_RESERVES));
}

describe('what the volumes of a manager promise, by the class of their storage', () => {
  it('is all of a thick volume, which cannot grow: of LVM, and of ZFS where it is not sparse', () => {
    const { thick } = assess(undefined);
    expect(thick).toMatchObject({
      images: 2,
      imagesUnknown: 0,
      promisedBytes: (30 + 40) * GIB,
      allocatedBytes: (30 + 40) * GIB,
      claimableBytes: 0,
    });
  });

  it('is the size of a file, which grows into its filesystem', () => {
    const [vz] = assess(undefined).containers;
    expect(vz).toMatchObject({
      name: '/images',
      promisedBytes: 10 * GIB,
      allocatedBytes: 4 * GIB,
      claimableBytes: 6 * GIB,
    });
  });

  it('is the size of a thin volume, in the pool that storage.cfg names, though LVM was not asked', () => {
    const { containers, unplaced } = assess({
      storage: { pools: [POOL], volumes: undefined },
      readAtSeconds: 1,
    });
    expect(containers.find(({ kind }) => kind === 'thin pool')).toMatchObject({
      name: 'pve/data',
      images: 1,
      // How much of it is written only LVM knows.
      imagesUnknown: 1,
      promisedBytes: 20 * GIB,
      sizeBytes: 100 * GIB,
      availBytes: 30 * GIB,
    });
    // The sparse volume of ZFS has no pool that is known here.
    expect(unplaced).toMatchObject({ images: 1, promisedBytes: 50 * GIB });
  });

  it('has no place where nobody measures the pool', () => {
    const { containers, unplaced } = assess(undefined);
    expect(containers.map(({ kind }) => kind)).toEqual(['filesystem']);
    expect(unplaced).toMatchObject({ images: 2, promisedBytes: (20 + 50) * GIB });
  });

  it('is not of this host where the storage is another', () => {
    expect(assess(undefined).remote.images).toBe(1);
  });

  it('gives way to LVM where that was asked', () => {
    const volume = {
      ...{ vgName: 'pve', name: 'vm-100-disk-1', poolName: 'other', sizeBytes: 20 * GIB },
      ...{ usedBytes: 5 * GIB, device: '253:4', origin: undefined },
    };
    const { containers, thick } = assess({
      storage: { pools: [{ ...POOL, name: 'other' }], volumes: [volume] },
      readAtSeconds: 1,
    });
    expect(containers.find(({ kind }) => kind === 'thin pool')).toMatchObject({
      name: 'pve/other',
      imagesUnknown: 0,
      promisedBytes: 20 * GIB,
      claimableBytes: 15 * GIB,
    });
    expect(thick.promisedBytes).toBe((30 + 40) * GIB);
  });
});
