import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import {
  parseMountinfo,
  readMounts,
  type MountTable,
} from '../../../../src/sources/files/mounts.ts';
import { valueIn } from '../../../support/sources/kernel-fixtures.ts';
import { storageFixture } from '../../../support/sources/storage-fixture.ts';

function table(): MountTable {
  const parsed = parseMountinfo(storageFixture('mountinfo'), 'mountinfo');
  if (!parsed.ok) throw new Error(parsed.error.detail);
  return parsed.value;
}

function mountpointOf(path: string): string | undefined {
  return table().findMount(path)?.mountpoint;
}

describe('the mount table', () => {
  it('gives type, source, device and options of a mount', () => {
    expect(table().findMount('/var/lib/libvirt/images/a.qcow2')).toEqual({
      id: 35,
      parentId: 27,
      device: '253:2',
      root: '/',
      mountpoint: '/var/lib/libvirt/images',
      type: 'xfs',
      source: '/dev/mapper/vg0-images',
      options: ['rw', 'noatime'],
      superOptions: ['rw', 'attr2', 'inode64', 'noquota'],
      readOnly: false,
    });
  });

  it('tells by path which mount a file lies on', () => {
    expect(mountpointOf('/')).toBe('/');
    expect(mountpointOf('/etc/passwd')).toBe('/');
    expect(mountpointOf('/var/lib/libvirt/images')).toBe('/var/lib/libvirt/images');
    expect(mountpointOf('/var/lib/libvirt/images/fast/b.raw')).toBe('/var/lib/libvirt/images/fast');
    expect(mountpointOf('/var/lib/libvirt/images-old/c.raw')).toBe('/');
  });

  it('undoes octal escapes', () => {
    expect(table().findMount('/srv/nfs images/d.raw')).toMatchObject({
      mountpoint: '/srv/nfs images',
      source: 'filer.example:/export/vm images',
      type: 'nfs4',
    });
  });

  it('reads mounts without optional fields', () => {
    expect(table().findMount('/media/iso/x.iso')).toMatchObject({ type: 'iso9660', device: '7:1' });
  });

  it('takes the uppermost of stacked mounts and none that a later one hides', () => {
    expect(table().findMount('/srv/old/deep/e.raw')).toMatchObject({ id: 46, device: '253:6' });
  });

  it('knows read-only by mount and by superblock', () => {
    expect(table().findMount('/media/iso/x.iso')?.readOnly).toBe(true);
    expect(table().findMount('/srv/backup/x')?.readOnly).toBe(true);
    expect(table().findMount('/srv/nfs images/x')?.readOnly).toBe(false);
  });

  it('finds all mounts of one filesystem, and what is mounted on a mount', () => {
    expect(
      table()
        .ofDevice('0:48')
        .map((mount) => mount.mountpoint),
    ).toEqual(['/srv/nfs images', '/srv/backup']);
    const images = table().findMount('/var/lib/libvirt/images');
    expect(images && table().childMountpoints(images)).toEqual(['/var/lib/libvirt/images/fast']);
  });

  it('refuses what is not mountinfo', () => {
    expect(parseMountinfo('/dev/sda1 / ext4 rw 0 0\n', 'mounts')).toMatchObject({
      ok: false,
      error: { kind: 'malformed', subject: 'mounts' },
    });
  });

  it('of this machine has a root', () => {
    const mounts = readMounts({ procfs: '/proc', sysfs: '/sys', rootfs: '' });
    expect(mounts.ok && mounts.value.findMount('/')?.mountpoint).toBe('/');
  });

  it('are read again each time, and parsed again when something was mounted', () => {
    const procfs = mkdtempSync(join(tmpdir(), 'mounts-'));
    mkdirSync(join(procfs, '1'));
    const write = (lines: readonly string[]): void => {
      writeFileSync(join(procfs, '1/mountinfo'), lines.map((line) => `${line}\n`).join(''));
    };
    const read = () => valueIn(readMounts({ procfs, sysfs: '/sys', rootfs: '/host' }));
    const root = '29 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw';
    write([root]);
    const before = read();
    expect(read()).toBe(before);
    write([root, '40 29 0:40 / /srv rw,relatime shared:2 - nfs4 nas:/srv rw']);
    expect(read().findMount('/srv/disk.img')?.mountpoint).toBe('/srv');
    expect(before.findMount('/srv/disk.img')?.mountpoint).toBe('/');
    rmSync(procfs, { recursive: true });
  });

  it('of the host is that of process 1 where procfs is the host’s', () => {
    const mounts = readMounts({ procfs: '/nowhere/proc', sysfs: '/sys', rootfs: '/nowhere' });
    expect(mounts).toMatchObject({ error: { subject: '/nowhere/proc/1/mountinfo' } });
  });
});
