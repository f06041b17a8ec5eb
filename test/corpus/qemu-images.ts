import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { z } from 'zod';

import { StorageSource } from '../support/storage/storage-source.ts';
import type { Difference, Report } from './report.ts';
import { compare } from './second-reading.ts';

/** What is read of `qemu-img info --output=json`. */
const info = z.object({
  format: z.string(),
  'virtual-size': z.number(),
  'backing-filename': z.string().optional(),
});

/** QEMU's sample images, packed as they are, against qemu-img of this machine. */
export async function compareImages(samples: string, scratch: string): Promise<Report> {
  mkdirSync(scratch, { recursive: true });
  const names = readdirSync(samples)
    .filter((name) => name.endsWith('.bz2'))
    .sort();
  const differences: Difference[] = [];
  const notes: string[] = [];
  const storage = new StorageSource();
  let values = 0;
  try {
    for (const name of names) {
      const path = join(scratch, basename(name, '.bz2'));
      const options = { encoding: 'buffer', maxBuffer: 2 ** 30, stdio: 'pipe' } as const;
      writeFileSync(path, execFileSync('bzip2', ['-dc', join(samples, name)], options));
      const theirs = infoOf(path);
      if (theirs === undefined) {
        notes.push(`${name}: qemu-img does not open it`);
        continue;
      }
      const image = await storage.image(path, undefined);
      const unread = image.ok && image.value.capacityBytes === undefined;
      if (unread) notes.push(`${name}: the size of a ${theirs.format} is not read here`);
      const comparison = compare(
        image.ok
          ? {
              format: image.value.format,
              capacityBytes: image.value.capacityBytes,
              backing:
                image.value.below.kind === 'named'
                  ? image.value.below.name
                  : image.value.below.kind,
            }
          : { error: image.error.detail },
        {
          format: theirs.format,
          capacityBytes: unread ? undefined : theirs['virtual-size'],
          backing: theirs['backing-filename'] ?? 'nothing',
        },
      );
      values += comparison.values;
      differences.push(...comparison.differences.map((text) => ({ file: name, text })));
    }
  } finally {
    storage.close();
  }
  return { what: 'sample images of QEMU', files: names.length, values, differences, notes };
}

function infoOf(path: string): z.infer<typeof info> | undefined {
  try {
    const options = { encoding: 'utf8', stdio: 'pipe' } as const;
    return info.parse(
      JSON.parse(execFileSync('qemu-img', ['info', '--output=json', path], options)),
    );
  } catch (error) {
    // It ran, and refused the image.
    if (error instanceof Error && 'status' in error && typeof error.status === 'number') {
      return undefined;
    }
    throw error;
  }
}
