import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { readFilesystems } from '../../../src/sources/files/filesystem.ts';
import { LoopDevice, LoopFilesystem } from '../../support/storage/loop-device.ts';
import { createImage, fullyAllocatedBytes } from './qemu-img.ts';
import { StorageSource, valueOrThrow, unhurried } from '../../support/storage/storage-source.ts';
import type { Filesystem } from '../../../src/model/filesystem.ts';

const MIB = 1024 ** 2;

describe('the filesystem an image lies on', () => {
  let directory: string;
  let storage: StorageSource;
  let undo: (() => void)[];
  const run = (command: string, ...args: readonly string[]): void => {
    execFileSync(command, args, { stdio: 'ignore' });
  };
  const filesystemOf = async (path: string): Promise<Filesystem> => {
    const image = valueOrThrow(await storage.image(path, 'raw'));
    const deadline = unhurried();
    const [filesystem] = await readFilesystems(storage.files, [image.mount], deadline);
    if (filesystem === undefined) throw new Error('no filesystem');
    return filesystem;
  };
  const withFilesystem = (mkfs: readonly string[], options = 'defaults'): string => {
    const mountpoint = join(directory, 'mnt');
    const mounted = new LoopFilesystem(join(directory, 'fs'), mountpoint, mkfs, options);
    undo.push(() => {
      mounted.unmount();
    });
    return mountpoint;
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'filesystem-'));
    storage = new StorageSource();
    undo = [];
  });
  afterEach(() => {
    storage.close();
    for (const step of undo.reverse()) step();
    rmSync(directory, { recursive: true, force: true });
  });

  it('ext4: size, space and inodes are those of statfs, nothing is shared', async () => {
    const mountpoint = withFilesystem(['mkfs.ext4', '-q']);
    const path = join(mountpoint, 'disk.raw');
    writeFileSync(path, Buffer.alloc(8 * MIB, 1));
    run('sync', path);
    const filesystem = await filesystemOf(path);
    const stat = statfsSync(mountpoint);
    expect(filesystem.mount).toMatchObject({ type: 'ext4', mountpoint, readOnly: false });
    expect(filesystem.traits).toEqual({
      network: false,
      sharedExtents: 'never',
      compression: 'never',
    });
    const space = valueOrThrow(filesystem.space);
    expect(space).toEqual({
      sizeBytes: stat.blocks * stat.bsize,
      freeBytes: stat.bfree * stat.bsize,
      availableBytes: stat.bavail * stat.bsize,
      inodes: stat.files,
      inodesFree: stat.ffree,
    });
    // mkfs.ext4 keeps 5 % for root.
    expect(space.availableBytes).toBeLessThan(space.freeBytes);
  });

  it('XFS: two reflinked images claim the same blocks, which the traits admit', async () => {
    const mountpoint = withFilesystem(['mkfs.xfs', '-q', '-m', 'reflink=1']);
    const [one, two] = [join(mountpoint, 'one.raw'), join(mountpoint, 'two.raw')];
    writeFileSync(one, Buffer.alloc(32 * MIB, 1));
    run('cp', '--reflink=always', one, two);
    run('sync', '-f', one);
    const images = [await storage.image(one, 'raw'), await storage.image(two, 'raw')];
    const allocated = images.map((image) => valueOrThrow(image).allocatedBytes ?? 0);
    expect(allocated).toEqual([32 * MIB, 32 * MIB]);
    const { mount, traits, space } = await filesystemOf(one);
    expect(mount.type).toBe('xfs');
    expect(traits).toMatchObject({ sharedExtents: 'possible', compression: 'never' });
    const { sizeBytes, freeBytes } = valueOrThrow(space);
    expect(sizeBytes - freeBytes).toBeLessThan(64 * MIB);
  });

  it('btrfs: subvolumes belong to one filesystem, compression is on, inodes are unlimited', async () => {
    const mountpoint = withFilesystem(['mkfs.btrfs', '-q'], 'compress=zstd');
    run('btrfs', 'subvolume', 'create', join(mountpoint, 'images'));
    const inside = join(mountpoint, 'images', 'a.raw');
    const outside = join(mountpoint, 'b.raw');
    for (const path of [inside, outside]) writeFileSync(path, Buffer.alloc(MIB, 1));
    const [a, b] = [await filesystemOf(inside), await filesystemOf(outside)];
    expect(a.mount.device).toBe(b.mount.device);
    expect(a.traits).toMatchObject({ sharedExtents: 'possible', compression: 'on' });
    expect(valueOrThrow(a.space)).toMatchObject({ inodes: undefined, inodesFree: undefined });
    const images = [await storage.image(inside, 'raw'), await storage.image(outside, 'raw')];
    // Both have inode 257, each in its own subvolume.
    expect(new Set(images.map((image) => valueOrThrow(image).identity)).size).toBe(2);
  });

  it('is one, however many mounts and links lead to it', async () => {
    const mountpoint = withFilesystem(['mkfs.ext4', '-q'], 'ro');
    const bound = join(directory, 'bound here');
    mkdirSync(bound);
    run('mount', '--bind', mountpoint, bound);
    undo.push(() => {
      run('umount', bound);
    });
    symlinkSync(mountpoint, join(directory, 'link'));
    const table = storage.mounts;
    const mounts = [mountpoint, bound].map((path) => table.findMount(path));
    expect(mounts.map((mount) => mount?.mountpoint)).toEqual([mountpoint, bound]);
    const known = mounts.flatMap((mount) => mount ?? []);
    const deadline = unhurried();
    for (const order of [known, known.toReversed()]) {
      const filesystems = await readFilesystems(storage.files, order, deadline);
      // `bound here` comes before `mnt`, whichever image was met first.
      expect(filesystems.map(({ mount }) => mount.mountpoint)).toEqual([bound]);
    }
    expect(known.every((mount) => mount.readOnly)).toBe(true);

    const lost = await storage.image(join(directory, 'link', 'lost+found'), 'raw');
    expect(!lost.ok && lost.error).toMatchObject({ kind: 'unsupported' });
  });
});

describe('an image on a block device', () => {
  it('raw: capacity from sysfs, no allocation, the same device under every name', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'block-'));
    const storage = new StorageSource();
    execFileSync('truncate', ['-s', '64M', join(directory, 'lv')]);
    const device = new LoopDevice(join(directory, 'lv'));
    try {
      symlinkSync(device.path, join(directory, 'guest'));
      const image = valueOrThrow(await storage.image(device.path, 'raw'));
      const link = valueOrThrow(await storage.image(join(directory, 'guest'), 'raw'));
      expect(image).toMatchObject({
        kind: 'block',
        capacityBytes: 64 * MIB,
        fileSizeBytes: 64 * MIB,
        allocatedBytes: undefined,
        qcow2: undefined,
        blockDevice: { name: device.path.slice('/dev/'.length), readOnly: false },
      });
      expect(image.mount.type).toBe('devtmpfs');
      expect(link.identity).toBe(image.identity);
    } finally {
      storage.close();
      device.detach();
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('qcow2: its header is read from the device each time', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'block-'));
    const storage = new StorageSource();
    execFileSync('truncate', ['-s', '64M', join(directory, 'lv')]);
    const device = new LoopDevice(join(directory, 'lv'));
    try {
      createImage(device.path, 'qcow2', 1024 * MIB);
      const image = valueOrThrow(await storage.image(device.path, 'qcow2'));
      expect(image).toMatchObject({
        kind: 'block',
        capacityBytes: 1024 * MIB,
        fileSizeBytes: 64 * MIB,
        worstCase: { fullyAllocatedBytes: fullyAllocatedBytes(1024 * MIB, []) },
      });
      createImage(device.path, 'qcow2', 2048 * MIB);
      const changed = valueOrThrow(await storage.image(device.path, 'qcow2'));
      expect(changed.capacityBytes).toBe(2048 * MIB);
    } finally {
      storage.close();
      device.detach();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
