import { describe, expect, it } from 'vitest';

import { filesystemTraits } from '../../../../src/sources/files/filesystem.ts';
import type { FilesystemTraits } from '../../../../src/model/filesystem.ts';

function traits(type: string, superOptions: readonly string[] = ['rw']): FilesystemTraits {
  return filesystemTraits({
    id: 1,
    parentId: 0,
    device: '8:1',
    root: '/',
    mountpoint: '/',
    type,
    source: '/dev/sda1',
    options: ['rw'],
    superOptions,
    readOnly: false,
  });
}

describe('what the type of a filesystem tells', () => {
  it('ext4 shares nothing and compresses nothing', () => {
    expect(traits('ext4')).toEqual({
      network: false,
      sharedExtents: 'never',
      compression: 'never',
    });
  });

  it('XFS may have reflinks, which its mount does not tell', () => {
    expect(traits('xfs').sharedExtents).toBe('possible');
  });

  it('btrfs compresses by mount option, or by attribute of a file', () => {
    expect(traits('btrfs', ['rw', 'compress=zstd:3']).compression).toBe('on');
    expect(traits('btrfs', ['rw', 'compress-force=lzo']).compression).toBe('on');
    expect(traits('btrfs').compression).toBe('possible');
  });

  it.each(['nfs4', 'cifs', 'ceph', 'fuse.sshfs', 'fuse'])('%s is served by others', (type) => {
    expect(traits(type)).toEqual({
      network: true,
      sharedExtents: 'unknown',
      compression: 'unknown',
    });
  });

  it('an unheard-of type promises nothing', () => {
    expect(traits('newfs')).toMatchObject({ sharedExtents: 'unknown', compression: 'unknown' });
  });
});
