import { z } from 'zod';

import { run } from '../../lab/command.ts';
import type { Lab } from '../../lab/index.ts';

/** What stat and qemu-img say of files and file systems: an account of them that is not ours. */

export interface FileSize {
  readonly allocatedBytes: number;
  readonly sizeBytes: number;
}

export async function fileSize(path: string): Promise<FileSize> {
  const [blocks, unit, size] = numbers(await run('stat', ['-c', '%b %B %s', path]));
  return { allocatedBytes: (blocks ?? NaN) * (unit ?? NaN), sizeBytes: size ?? NaN };
}

export interface FilesystemSpace {
  readonly sizeBytes: number;
  readonly freeBytes: number;
  readonly availBytes: number;
  readonly files: number;
  readonly filesFree: number;
}

/** `stat -f`: blocks in all, free, and free to anyone. */
export async function filesystemSpace(path: string): Promise<FilesystemSpace> {
  const [unit = NaN, all = NaN, free = NaN, avail = NaN, files = NaN, filesFree = NaN] = numbers(
    await run('stat', ['-f', '-c', '%S %b %f %a %c %d', path]),
  );
  return {
    sizeBytes: unit * all,
    freeBytes: unit * free,
    availBytes: unit * avail,
    files,
    filesFree,
  };
}

const imageInfo = z.object({
  format: z.string(),
  'virtual-size': z.number(),
  'actual-size': z.number(),
  'cluster-size': z.number().optional(),
  'full-backing-filename': z.string().optional(),
});

/** `qemu-img info`, of an image a QEMU may have open. */
export async function qemuImgInfo(lab: Lab, path: string): Promise<z.infer<typeof imageInfo>> {
  const text = await lab.programs.run('qemu-img', ['info', '-U', '--output=json', path]);
  return imageInfo.parse(JSON.parse(text));
}

/** What `qemu-img measure` says a qcow2 of this virtual size takes when every cluster is written. */
export async function fullyAllocatedBytes(lab: Lab, sizeBytes: number): Promise<number> {
  const text = await lab.programs.run('qemu-img', [
    ...['measure', '--output=json', '-O', 'qcow2', '--size', String(sizeBytes)],
  ]);
  return z.object({ 'fully-allocated': z.number() }).parse(JSON.parse(text))['fully-allocated'];
}

function numbers(text: string): readonly number[] {
  return text.trim().split(' ').map(Number);
}
