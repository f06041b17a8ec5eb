import { readFileSync } from 'node:fs';

import { BlockingPool, type PoolLimits } from '../../../src/sources/files/blocking-pool.ts';
import { HostFiles } from '../../../src/sources/files/host-files.ts';
import { ImageChainReader } from '../../../src/sources/images/image-chain.ts';
import { ImageReader } from '../../../src/sources/images/image-file.ts';
import { parseMountinfo, type MountTable } from '../../../src/sources/files/mounts.ts';
import { Deadline } from '../../../src/runtime/deadline.ts';
import type { Result } from '../../../src/runtime/result.ts';
import type { Roots } from '../../../src/sources/kernel/roots.ts';
import type { ImageFile } from '../../../src/model/image.ts';

const UNHURRIED_MS = 60_000;

/** For what is there and answers: on a busy machine a read may wait for its turn. */
export function unhurried(): Deadline {
  return Deadline.in(UNHURRIED_MS);
}

/** This machine's storage, read the way the exporter reads it. */
export class StorageSource {
  static readonly roots: Roots = { procfs: '/proc', sysfs: '/sys', rootfs: '' };
  readonly pool: BlockingPool;
  readonly files: HostFiles;
  readonly images: ImageReader;
  readonly chains: ImageChainReader;

  constructor(limits?: PoolLimits) {
    this.pool = new BlockingPool(limits);
    this.files = new HostFiles(this.pool, StorageSource.roots.rootfs);
    this.images = new ImageReader(this.files, StorageSource.roots);
    this.chains = new ImageChainReader(this.images, this.files);
  }

  get mounts(): MountTable {
    const table = parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8'), 'mountinfo');
    return valueOrThrow(table);
  }

  async image(
    path: string,
    declaredFormat: string | undefined,
    withinMs = UNHURRIED_MS,
  ): Promise<Result<ImageFile>> {
    const deadline = Deadline.in(withinMs);
    const [image] = await this.images.read([{ path, declaredFormat }], this.mounts, deadline);
    if (image === undefined) throw new Error(`no answer for ${path}`);
    return image;
  }

  close(): void {
    this.pool.close();
  }
}

export function valueOrThrow<T>(reading: Result<T>): T {
  if (!reading.ok) throw new Error(`${reading.error.subject}: ${reading.error.detail}`);
  return reading.value;
}
