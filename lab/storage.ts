import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { run } from './command.ts';
import type { DiskSource } from './guest-spec.ts';
import type { HostPrograms } from './host.ts';
import type { Journal } from './journal.ts';
import { ensurePackages } from './packages.ts';

export type FilesystemType = 'ext4' | 'xfs' | 'btrfs' | 'tmpfs';

/** Package with mkfs, and the smallest size it accepts. */
const MAKERS = {
  ext4: { package: 'e2fsprogs', command: ['mkfs.ext4', '-q', '-m', '0'], minimumMib: 4 },
  xfs: { package: 'xfsprogs', command: ['mkfs.xfs', '-q'], minimumMib: 300 },
  btrfs: { package: 'btrfs-progs', command: ['mkfs.btrfs', '-q'], minimumMib: 114 },
} as const;

/** Makes a file system of its own and mounts it, for exporter and guests at the same path. */
export async function mountFilesystem(
  options: {
    readonly type: FilesystemType;
    readonly sizeMib: number;
    readonly mountPoint: string;
    /** The file the file system lies in, not used for tmpfs. */
    readonly image: string;
  },
  journal: Journal,
): Promise<void> {
  const { type, sizeMib, mountPoint, image } = options;
  mkdirSync(mountPoint, { recursive: true });
  journal.record({ kind: 'mount', path: mountPoint });
  if (type === 'tmpfs') {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}M`, 'tmpfs', mountPoint]);
    return;
  }
  const maker = MAKERS[type];
  if (sizeMib < maker.minimumMib) {
    throw new Error(`${type} needs at least ${maker.minimumMib} MiB`);
  }
  await ensurePackages([maker.package]);
  await run('truncate', ['-s', `${sizeMib}M`, image]);
  const [command, ...args] = maker.command;
  await run(command, [...args, image]);
  // The loop device made by mount is detached by the kernel when it is unmounted.
  await run('mount', ['-t', type, '-o', 'loop', image, mountPoint]);
}

/** A block device (a loop device over a sparse file). */
export async function attachLoopDevice(
  image: string,
  sizeMib: number,
  journal: Journal,
): Promise<string> {
  await run('truncate', ['-s', `${sizeMib}M`, image]);
  journal.record({ kind: 'loop', file: image });
  return (await run('losetup', ['--find', '--show', image])).trim();
}

/** Makes the image of a disk if it is to be made, and says where it is. */
export async function prepareDisk(
  source: DiskSource,
  imageDirectory: string,
  name: string,
  programs: HostPrograms,
): Promise<string> {
  if (source.kind !== 'new') return source.path;
  const directory = source.directory ?? imageDirectory;
  mkdirSync(directory, { recursive: true });
  let base = source.base;
  for (let depth = source.backingDepth ?? 0; depth > 0; depth--) {
    const backing = join(directory, `${name}.base${depth}.qcow2`);
    await createImage(programs, backing, 'qcow2', source.sizeMib, base, undefined);
    base = backing;
  }
  const path = join(directory, `${name}.${source.format}`);
  await createImage(programs, path, source.format, source.sizeMib, base, source.preallocation);
  return path;
}

async function createImage(
  programs: HostPrograms,
  path: string,
  format: 'qcow2' | 'raw',
  sizeMib: number,
  base: string | undefined,
  preallocation: string | undefined,
): Promise<void> {
  await programs.run('qemu-img', [
    ...['create', '-q', '-f', format],
    ...(base === undefined ? [] : ['-b', base, '-F', 'qcow2']),
    ...(preallocation === undefined ? [] : ['-o', `preallocation=${preallocation}`]),
    path,
    `${sizeMib}M`,
  ]);
}
