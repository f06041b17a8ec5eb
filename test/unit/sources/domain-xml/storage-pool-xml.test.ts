import { describe, expect, it } from 'vitest';

import { parseStoragePoolXml } from '../../../../src/sources/domain-xml/storage-pool-xml.ts';
import { storageFixture } from '../../../support/sources/storage-fixture.ts';
import type { StoragePoolDescription } from '../../../../src/model/storage.ts';

function pool(type: string): StoragePoolDescription {
  const parsed = parseStoragePoolXml(storageFixture(`pool-${type}.xml`));
  if (!parsed.ok) throw new Error(parsed.error.detail);
  return parsed.value;
}

const NO_SOURCE = {
  name: undefined,
  hosts: [],
  directory: undefined,
  devices: [],
  format: undefined,
  adapter: undefined,
};

describe('the XML of a storage pool', () => {
  it('a directory', () => {
    expect(pool('dir')).toEqual({
      type: 'dir',
      name: 'default',
      uuid: '9a1f3c2e-5b7d-4f88-a9c0-1d2e3f405162',
      targetPath: '/var/lib/libvirt/images',
      source: NO_SOURCE,
    });
  });

  it('an NFS export, entities and spaces included', () => {
    expect(pool('netfs')).toMatchObject({
      name: 'filer & friends',
      targetPath: '/srv/nfs images',
      source: {
        hosts: [{ name: 'filer.example', port: undefined }],
        directory: '/export/vm images',
        format: 'nfs',
      },
    });
  });

  it('a volume group with its devices', () => {
    expect(pool('logical').source).toEqual({
      ...NO_SOURCE,
      name: 'vg0',
      devices: ['/dev/sda3', '/dev/sdb1'],
      format: 'lvm2',
    });
  });

  it('a Ceph pool has no place in the file tree', () => {
    expect(pool('rbd')).toMatchObject({
      targetPath: undefined,
      source: {
        name: 'guests',
        hosts: [
          { name: 'mon1.example', port: 6789 },
          { name: 'mon2.example', port: undefined },
        ],
      },
    });
  });

  it('an adapter, and no uuid', () => {
    expect(pool('scsi')).toMatchObject({ uuid: undefined, source: { adapter: 'host3' } });
  });

  it.each(['', '<pool', '<domain type="kvm"/>', '<pool type="dir"/>', 'no XML'])(
    'refuses %j',
    (xml) => {
      expect(parseStoragePoolXml(xml)).toMatchObject({ ok: false, error: { kind: 'malformed' } });
    },
  );
});
