import { execFileSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createImage, fullyAllocatedBytes, imageInfo, qemuImg, qemuIo } from './qemu-img.ts';
import { StorageSource, valueOrThrow, unhurried } from '../../support/storage/storage-source.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const TIB = 1024 ** 4;
const GEOMETRY_OPTION = /^(?:compat|cluster_size|refcount_bits|extended_l2|encrypt\.)/;

interface Qcow2Variant {
  readonly name: string;
  readonly sizeBytes: number;
  readonly options: readonly string[];
  readonly afterwards?: (path: string) => void;
}

/** Sets bits in the low byte of incompatible_features, which is byte 79 of the header. */
function setIncompatible(bits: number): (path: string) => void {
  return (path) => {
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.of(bits), 0, 1, 79);
    closeSync(file);
  };
}

const LUKS = ['encrypt.format=luks', 'encrypt.key-secret=key', 'encrypt.iter-time=10'];

const QCOW2_VARIANTS: readonly Qcow2Variant[] = [
  { name: 'defaults', sizeBytes: GIB, options: [] },
  { name: 'empty disk', sizeBytes: 0, options: [] },
  { name: 'one sector', sizeBytes: 512, options: [] },
  { name: 'odd number of sectors', sizeBytes: 12_345 * 512, options: [] },
  { name: 'version 2', sizeBytes: GIB, options: ['compat=0.10'] },
  ...['512', '4k', '2M'].map((cluster) => ({
    name: `version 2, clusters of ${cluster}`,
    sizeBytes: GIB,
    options: ['compat=0.10', `cluster_size=${cluster}`],
  })),
  ...['512', '1k', '2k', '4k', '8k', '32k', '128k', '256k', '512k', '1M', '2M'].map((cluster) => ({
    name: `clusters of ${cluster}`,
    sizeBytes: 10 * GIB + 512,
    options: [`cluster_size=${cluster}`],
  })),
  ...[1, 2, 4, 8, 32, 64].map((bits) => ({
    name: `refcounts of ${bits} bits`,
    sizeBytes: 100 * GIB,
    options: [`refcount_bits=${bits}`],
  })),
  ...['16k', '64k', '128k', '2M'].map((cluster) => ({
    name: `extended L2, clusters of ${cluster}`,
    sizeBytes: 100 * GIB,
    options: ['extended_l2=on', `cluster_size=${cluster}`],
  })),
  { name: '60 TiB', sizeBytes: 60 * TIB, options: ['cluster_size=2M'] },
  {
    name: 'small clusters and wide refcounts',
    sizeBytes: GIB,
    options: ['cluster_size=512', 'refcount_bits=64'],
  },
  { name: 'lazy refcounts', sizeBytes: GIB, options: ['lazy_refcounts=on'] },
  { name: 'metadata preallocated', sizeBytes: GIB, options: ['preallocation=metadata'] },
  { name: 'preallocated by falloc', sizeBytes: 64 * MIB, options: ['preallocation=falloc'] },
  { name: 'preallocated in full', sizeBytes: 64 * MIB, options: ['preallocation=full'] },
  { name: 'zstd', sizeBytes: GIB, options: ['compression_type=zstd'] },
  { name: 'LUKS', sizeBytes: GIB, options: LUKS },
  { name: 'LUKS, clusters of 2M', sizeBytes: GIB, options: [...LUKS, 'cluster_size=2M'] },
  {
    name: 'written to',
    sizeBytes: GIB,
    options: [],
    afterwards: (path) => {
      qemuIo(path, 'qcow2', 'write 1M 5M', 'write 900M 64k');
    },
  },
  {
    name: 'one internal snapshot',
    sizeBytes: GIB,
    options: [],
    afterwards: (path) => {
      qemuImg('snapshot', '-c', 'before', path);
    },
  },
  {
    name: 'three internal snapshots',
    sizeBytes: GIB,
    options: [],
    afterwards: (path) => {
      for (const name of ['a', 'b', 'c']) qemuImg('snapshot', '-c', name, path);
    },
  },
  {
    name: 'two persistent bitmaps',
    sizeBytes: GIB,
    options: [],
    afterwards: (path) => {
      for (const name of ['b0', 'b1']) qemuImg('bitmap', '--add', path, name);
    },
  },
  { name: 'dirty', sizeBytes: GIB, options: ['lazy_refcounts=on'], afterwards: setIncompatible(1) },
  { name: 'corrupt', sizeBytes: GIB, options: [], afterwards: setIncompatible(2) },
];

/** Formats of whose headers the size is not read. */
const CAPACITY_UNREAD: ReadonlySet<string> = new Set(['vpc', 'parallels']);

describe('disk images made by qemu-img', () => {
  let directory: string;
  let storage: StorageSource;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'images-'));
    storage = new StorageSource();
  });
  afterAll(() => {
    storage.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it.each(QCOW2_VARIANTS)(
    'qcow2, $name: agrees with qemu-img info and measure',
    async ({ name, sizeBytes, options, afterwards }) => {
      const path = join(directory, `${name}.qcow2`);
      createImage(path, 'qcow2', sizeBytes, options);
      afterwards?.(path);
      const image = valueOrThrow(await storage.image(path, 'qcow2'));
      const info = imageInfo(path, 'qcow2');
      const specific = info['format-specific']?.data;
      if (image.qcow2 === undefined) throw new Error('no header was read');
      const header = image.qcow2;

      expect(image).toMatchObject({
        format: 'qcow2',
        formatFrom: 'declared',
        capacityBytes: info['virtual-size'],
        fileSizeBytes: statSync(path).size,
        allocatedBytes: info['actual-size'],
      });
      expect(header).toMatchObject({
        version: specific?.compat === '0.10' ? 2 : 3,
        clusterSizeBytes: info['cluster-size'],
        refcountBits: specific?.['refcount-bits'],
        compression: specific?.['compression-type'],
        encryption: specific?.encrypt?.format ?? 'none',
        lazyRefcounts: specific?.['lazy-refcounts'] ?? false,
        extendedL2: specific?.['extended-l2'] ?? false,
        dirty: info['dirty-flag'],
        corrupt: specific?.corrupt ?? false,
        internalSnapshotCount: info.snapshots?.length ?? 0,
        bitmapCount: specific?.bitmaps?.length ?? 0,
        backingFileName: undefined,
        hasExternalDataFile: false,
      });

      const measured = fullyAllocatedBytes(
        sizeBytes,
        options.filter((option) => GEOMETRY_OPTION.test(option)),
      );
      expect(image.worstCase?.fullyAllocatedBytes).toBe(measured);
      expect(image.worstCase?.withSnapshotsBytes).toBeGreaterThanOrEqual(measured);
      expect(image.worstCase?.withSnapshotsBytes === measured).toBe(info.snapshots === undefined);

      const probed = valueOrThrow(await storage.image(path, undefined));
      expect(probed).toMatchObject({ format: 'qcow2', formatFrom: 'probed' });
      rmSync(path);
    },
  );

  it.each(['raw', 'qcow', 'qed', 'vmdk', 'vdi', 'vhdx', 'vpc', 'parallels', 'luks'])(
    'knows a %s image by its first bytes',
    async (format) => {
      const path = join(directory, `probe.${format}`);
      const options = format === 'luks' ? ['key-secret=key', 'iter-time=10'] : [];
      createImage(path, format, 16 * MIB, options);
      const image = valueOrThrow(await storage.image(path, undefined));
      expect(image).toMatchObject({ format, formatFrom: 'probed' });
      expect(image.capacityBytes).toBe(
        CAPACITY_UNREAD.has(format) ? undefined : imageInfo(path, format)['virtual-size'],
      );
      expect(image.below).toEqual({ kind: 'nothing' });
      expect(image.fileSizeBytes).toBe(statSync(path).size);
    },
  );

  it.each(['off', 'falloc', 'full'])('raw, preallocation %s', async (preallocation) => {
    const path = join(directory, `${preallocation}.raw`);
    createImage(path, 'raw', 16 * MIB, [`preallocation=${preallocation}`]);
    // qemu-img writes the first 4 KiB of a sparse image, to find out about alignment later.
    expect(valueOrThrow(await storage.image(path, 'raw'))).toMatchObject({
      format: 'raw',
      capacityBytes: 16 * MIB,
      fileSizeBytes: 16 * MIB,
      allocatedBytes: preallocation === 'off' ? 4096 : 16 * MIB,
      qcow2: undefined,
      worstCase: { fullyAllocatedBytes: 16 * MIB, metadataBytes: 0, withSnapshotsBytes: 16 * MIB },
    });
  });

  it('shows an empty sparse 100G raw as 100 GiB of capacity and nothing allocated', async () => {
    const path = join(directory, 'talk.raw');
    execFileSync('truncate', ['-s', '100G', path]);
    expect(valueOrThrow(await storage.image(path, 'raw'))).toMatchObject({
      capacityBytes: 107_374_182_400,
      allocatedBytes: 0,
    });
  });

  it('shows an empty 100G qcow2 with the overhead it really has', async () => {
    const path = join(directory, 'talk.qcow2');
    createImage(path, 'qcow2', 100 * GIB);
    const du = execFileSync('du', ['--block-size=1', path], { encoding: 'utf8' });
    const image = valueOrThrow(await storage.image(path, 'qcow2'));
    expect(image.capacityBytes).toBe(107_374_182_400);
    expect(image.allocatedBytes).toBe(Number(du.split('\t')[0]));
    expect(image.allocatedBytes).toBeGreaterThan(0);
    // 1 header cluster, 200 clusters of L2, 1 of L1, 51 of refcounts, 1 of their table.
    expect(image.worstCase?.metadataBytes).toBe(16_646_144);
  });

  it('believes a declared raw even where the guest wrote a qcow2 header into it', async () => {
    const path = join(directory, 'trap.raw');
    createImage(path, 'qcow2', GIB);
    const image = valueOrThrow(await storage.image(path, 'raw'));
    const capacityBytes = imageInfo(path, 'raw')['virtual-size'];
    expect(image).toMatchObject({ format: 'raw', capacityBytes, qcow2: undefined });
  });

  it('is not outgrown by an image that is written in full, snapshot after snapshot', async () => {
    const path = join(directory, 'grown.qcow2');
    const size = 8 * MIB;
    createImage(path, 'qcow2', size, ['cluster_size=4k']);
    qemuIo(path, 'qcow2', 'write -P 1 0 8M');
    const full = valueOrThrow(await storage.image(path, 'qcow2'));
    expect(full.fileSizeBytes).toBeLessThanOrEqual(full.worstCase?.fullyAllocatedBytes ?? 0);
    for (const pattern of [2, 3, 4]) {
      qemuImg('snapshot', '-c', `s${pattern}`, path);
      const before = valueOrThrow(await storage.image(path, 'qcow2'));
      qemuIo(path, 'qcow2', `write -P ${pattern} 0 8M`);
      const after = valueOrThrow(await storage.image(path, 'qcow2'));
      // Growth between two snapshots: the disk once, however many snapshots there are.
      expect((after.allocatedBytes ?? 0) - (before.allocatedBytes ?? 0)).toBeLessThanOrEqual(
        before.worstCase?.fullyAllocatedBytes ?? 0,
      );
    }
    const image = valueOrThrow(await storage.image(path, 'qcow2'));
    expect(image.qcow2?.internalSnapshotCount).toBe(3);
    expect(image.allocatedBytes).toBeGreaterThan(4 * size);
    expect(image.fileSizeBytes).toBeLessThanOrEqual(image.worstCase?.withSnapshotsBytes ?? 0);
  });

  it('notices a snapshot, a dirty bit and growth from one scrape to the next', async () => {
    const path = join(directory, 'changing.qcow2');
    createImage(path, 'qcow2', GIB);
    const before = valueOrThrow(await storage.image(path, 'qcow2'));
    qemuImg('snapshot', '-c', 's', path);
    const snapshot = valueOrThrow(await storage.image(path, 'qcow2'));
    setIncompatible(3)(path);
    const broken = valueOrThrow(await storage.image(path, 'qcow2'));
    const facts = [before, snapshot, broken].map(({ qcow2 }) =>
      qcow2 === undefined ? [] : [qcow2.internalSnapshotCount, qcow2.dirty, qcow2.corrupt],
    );
    expect(facts).toEqual([
      [0, false, false],
      [1, false, false],
      [1, true, true],
    ]);
    expect(snapshot.allocatedBytes).toBeGreaterThan(before.allocatedBytes ?? Infinity);
  });

  it('costs the main thread little where a thousand guests are idle', async () => {
    const template = join(directory, 'template.qcow2');
    createImage(template, 'qcow2', GIB);
    const old = new Date(Date.now() - 3_600_000);
    const requests = Array.from({ length: 1000 }, (_, i) => {
      const path = join(directory, `idle${i}.qcow2`);
      copyFileSync(template, path);
      utimesSync(path, old, old);
      return { path, declaredFormat: 'qcow2' };
    });
    // Of CPU time, not of time: a busy machine must not count.
    const milliseconds: number[] = [];
    for (let scrape = 0; scrape < 8; scrape += 1) {
      const before = process.threadCpuUsage();
      const deadline = unhurried();
      const images = await storage.images.read(requests, storage.mounts, deadline);
      const { user, system } = process.threadCpuUsage(before);
      milliseconds.push((user + system) / 1000);
      expect(images.every((image) => image.ok && image.value.capacityBytes === GIB)).toBe(true);
    }
    expect(Math.min(...milliseconds)).toBeLessThan(20);
  });
});
