import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { StorageSlice } from '../../../src/model/domain-config.ts';

import { createImage, imageInfo, qemuImg } from './qemu-img.ts';
import { StorageSource, valueOrThrow, unhurried } from '../../support/storage/storage-source.ts';
import type { ImageChain, ImageFile } from '../../../src/model/image.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

describe('images of other formats than raw and qcow2', () => {
  let directory: string;
  let storage: StorageSource;
  const at = (name: string): string => join(directory, name);
  const chainOf = async (
    name: string,
    declaredFormat: string | undefined,
    slice?: StorageSlice,
  ): Promise<ImageChain> => {
    const request = { path: at(name), declaredFormat, ...(slice === undefined ? {} : { slice }) };
    const disk = { declared: [request], declaredToTheEnd: false } as const;
    const deadline = unhurried();
    const [chain] = await storage.chains.read([disk], [], storage.mounts, deadline);
    if (chain === undefined) throw new Error('no chain');
    return chain;
  };
  const names = ({ images }: ImageChain): string[] =>
    images.map(({ role, depth, image }) =>
      [role, depth, image.format, image.resolvedPath.slice(directory.length + 1)].join(' '),
    );
  const leafOf = ({ images }: ImageChain): ImageFile => {
    const [leaf] = images;
    if (leaf === undefined) throw new Error('no leaf');
    return leaf.image;
  };
  const patch = (name: string, offset: number, bytes: Buffer): void => {
    const file = openSync(at(name), 'r+');
    writeSync(file, bytes, 0, bytes.length, offset);
    closeSync(file);
  };

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'formats-'));
    storage = new StorageSource();
    createImage(at('base.raw'), 'raw', 16 * MIB);
    createImage(at('base.qcow2'), 'qcow2', 16 * MIB);
    createImage(at('base.vmdk'), 'vmdk', 16 * MIB);
  });
  afterAll(() => {
    storage.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it.each(['raw', 'qcow2'])('QED: its base, of the format it says (%s)', async (format) => {
    const name = `over-${format}.qed`;
    createImage(at(name), 'qed', undefined, [
      `backing_file=base.${format}`,
      `backing_fmt=${format}`,
    ]);
    const info = imageInfo(at(name), 'qed');
    const chain = await chainOf(name, 'qed');
    expect(names(chain)).toEqual([`leaf 0 qed ${name}`, `backing 1 ${format} base.${format}`]);
    expect(chain.end).toEqual({ kind: 'complete' });
    expect(leafOf(chain).capacityBytes).toBe(info['virtual-size']);
    // QED keeps in mind only whether its base is raw.
    expect(leafOf(chain).below).toEqual({
      kind: 'named',
      name: info['backing-filename'],
      format: format === 'raw' ? 'raw' : undefined,
    });
  });

  it('qcow version 1: its base, of which it does not say the format', async () => {
    createImage(at('over.qcow'), 'qcow', undefined, ['backing_file=base.raw', 'backing_fmt=raw']);
    const info = imageInfo(at('over.qcow'), 'qcow');
    expect(info['backing-filename-format']).toBeUndefined();
    const chain = await chainOf('over.qcow', 'qcow');
    expect(names(chain)).toEqual(['leaf 0 qcow over.qcow', 'backing 1 raw base.raw']);
    expect(chain.images[1]?.image.formatFrom).toBe('probed');
    expect(chain.end).toEqual({ kind: 'complete' });
    expect(leafOf(chain).capacityBytes).toBe(info['virtual-size']);
  });

  it('VMDK: its parent, down to the last one', async () => {
    for (const [name, base] of [
      ['over.vmdk', 'base.vmdk'],
      ['over-over.vmdk', 'over.vmdk'],
    ] as const) {
      createImage(at(name), 'vmdk', undefined, [`backing_file=${base}`, 'backing_fmt=vmdk']);
    }
    const chain = await chainOf('over-over.vmdk', 'vmdk');
    expect(names(chain)).toEqual([
      'leaf 0 vmdk over-over.vmdk',
      'backing 1 vmdk over.vmdk',
      'backing 2 vmdk base.vmdk',
    ]);
    expect(chain.end).toEqual({ kind: 'complete' });
    for (const { image } of chain.images) {
      expect(image.capacityBytes).toBe(imageInfo(image.path, 'vmdk')['virtual-size']);
    }
  });

  it.each([
    ['monolithicFlat', ['flat.vmdk'], 'raw'],
    ['twoGbMaxExtentFlat', ['f001.vmdk', 'f002.vmdk', 'f003.vmdk'], 'raw'],
    ['twoGbMaxExtentSparse', ['s001.vmdk', 's002.vmdk', 's003.vmdk'], 'vmdk'],
  ])('VMDK, %s: the extents beside the descriptor', async (subformat, extents, format) => {
    const name = `${subformat}.vmdk`;
    createImage(at(name), 'vmdk', 5 * GIB, [`subformat=${subformat}`]);
    const chain = await chainOf(name, 'vmdk');
    expect(names(chain)).toEqual([
      `leaf 0 vmdk ${name}`,
      ...extents.map((extent) => `data 0 ${format} ${subformat}-${extent}`),
    ]);
    expect(chain.end).toEqual({ kind: 'complete' });
    const [leaf, ...data] = chain.images.map(({ image }) => image);
    expect(leaf?.capacityBytes).toBe(imageInfo(at(name), 'vmdk')['virtual-size']);
    // The descriptor does not grow; of flat extents it is known how far they do.
    expect(leaf?.worstCase?.fullyAllocatedBytes).toBe(statSync(at(name)).size);
    if (format === 'raw') {
      const grown = data.map((image) => image.worstCase?.fullyAllocatedBytes ?? 0);
      expect(grown.reduce((sum, bytes) => sum + bytes)).toBe(5 * GIB);
    }
  });

  it('VMDK: whatever the descriptor says is data of the image, or the chain has no known end', async () => {
    const text = readFileSync(at('monolithicFlat.vmdk'), 'utf8');
    writeFileSync(at('empty.vmdk'), text.replace(/^RW .*$/m, ''));
    expect((await chainOf('empty.vmdk', 'vmdk')).end).toMatchObject({ kind: 'unknown' });
    writeFileSync(at('gone.vmdk'), text.replace('monolithicFlat-flat', 'gone-flat'));
    expect((await chainOf('gone.vmdk', 'vmdk')).end).toMatchObject({
      kind: 'unreadable',
      error: { kind: 'absent' },
    });
    writeFileSync(at('url.vmdk'), text.replace('monolithicFlat-flat.vmdk', 'nbd://host/x'));
    expect((await chainOf('url.vmdk', 'vmdk')).end).toMatchObject({ kind: 'unreadable' });
  });

  it.each([
    ['vhdx', 'vhdx', []],
    ['dynamic VHD', 'vpc', []],
    ['fixed VHD', 'vpc', ['subformat=fixed']],
    ['vdi', 'vdi', []],
    ['static vdi', 'vdi', ['static=on']],
    ['parallels', 'parallels', []],
    ['streamOptimized', 'vmdk', ['subformat=streamOptimized']],
  ])('%s: complete, since it has nothing below it', async (name, format, options) => {
    const file = `${name}.${format}`;
    createImage(at(file), format, 16 * MIB, options);
    const chain = await chainOf(file, format);
    expect(names(chain)).toEqual([`leaf 0 ${format} ${file}`]);
    expect(chain.end).toEqual({ kind: 'complete' });
    const { capacityBytes } = leafOf(chain);
    if (capacityBytes !== undefined) {
      expect(capacityBytes).toBe(imageInfo(at(file), format)['virtual-size']);
    }
  });

  it('differencing images end unknown, never complete', async () => {
    createImage(at('child.vhd'), 'vpc', 16 * MIB);
    patch('child.vhd', 0x3c, Buffer.from([0, 0, 0, 4]));
    expect((await chainOf('child.vhd', 'vpc')).end.kind).toBe('unknown');

    createImage(at('child.vdi'), 'vdi', 16 * MIB);
    patch('child.vdi', 0x1b8, Buffer.alloc(16, 7));
    expect((await chainOf('child.vdi', 'vdi')).end.kind).toBe('unknown');

    createImage(at('child.vhdx'), 'vhdx', 16 * MIB);
    const bytes = readFileSync(at('child.vhdx'));
    const metadata = bytes.indexOf('metadata', 0, 'latin1');
    const id = bytes.indexOf(Buffer.from('3767a1ca36fa434db3b633f0aa44e76b', 'hex'), metadata);
    const flags = metadata + bytes.readUInt32LE(id + 16) + 4;
    patch('child.vhdx', flags, Buffer.of(bytes.readUInt8(flags) | 2));
    expect((await chainOf('child.vhdx', 'vhdx')).end.kind).toBe('unknown');
    expect(() => imageInfo(at('child.vhdx'), 'vhdx')).toThrow();

    writeFileSync(at('some.hds'), Buffer.alloc(4096));
    expect((await chainOf('some.hds', 'ploop')).end.kind).toBe('unknown');
  });

  it.each(['qed', 'qcow', 'vmdk', 'vdi', 'vhdx', 'vpc', 'luks', 'qcow2'])(
    'what is declared %s and is not says so',
    async (format) => {
      writeFileSync(at('zeros'), Buffer.alloc(MIB));
      expect((await chainOf('zeros', format)).end).toMatchObject({
        kind: 'bad-header',
        error: { kind: 'malformed' },
      });
      writeFileSync(at('nothing'), '');
      expect((await chainOf('nothing', format)).end.kind).toBe('bad-header');
    },
  );

  it('a qcow2 that does not name its data file ends unknown', async () => {
    createImage(at('nameless.qcow2'), 'qcow2', MIB, [`data_file=${at('nameless.data')}`]);
    const bytes = readFileSync(at('nameless.qcow2'));
    patch(
      'nameless.qcow2',
      bytes.indexOf(Buffer.from('44415441', 'hex')),
      Buffer.from('00000001', 'hex'),
    );
    expect((await chainOf('nameless.qcow2', 'qcow2')).end.kind).toBe('unknown');
  });
});

describe('the size the guest sees', () => {
  let directory: string;
  let storage: StorageSource;
  const at = (name: string): string => join(directory, name);
  const capacityOf = async (
    name: string,
    format: string | undefined,
    slice?: StorageSlice,
  ): Promise<number | undefined> => {
    const request = {
      path: at(name),
      declaredFormat: format,
      ...(slice === undefined ? {} : { slice }),
    };
    const deadline = unhurried();
    const [image] = await storage.images.read([request], storage.mounts, deadline);
    if (image === undefined) throw new Error('no image');
    return valueOrThrow(image).capacityBytes;
  };

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'sizes-'));
    storage = new StorageSource();
  });
  afterAll(() => {
    storage.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it.each([0, 1, 511, 512, 513, 1_000_001])(
    'of a raw file of %i bytes is in sectors',
    async (size) => {
      writeFileSync(at('odd.raw'), Buffer.alloc(size));
      expect(await capacityOf('odd.raw', 'raw')).toBe(
        imageInfo(at('odd.raw'), 'raw')['virtual-size'],
      );
    },
  );

  it.each([16 * MIB, 16 * MIB + 512, 1_000_001])(
    'of a LUKS disk is its payload (%i)',
    async (size) => {
      createImage(at('disk.luks'), 'luks', size, ['key-secret=key', 'iter-time=10']);
      expect(await capacityOf('disk.luks', 'luks')).toBe(
        imageInfo(at('disk.luks'), 'luks')['virtual-size'],
      );
      expect(await capacityOf('disk.luks', undefined)).toBe(
        imageInfo(at('disk.luks'), 'luks')['virtual-size'],
      );
      const { size: fileSize } = statSync(at('disk.luks'));
      expect(await capacityOf('disk.luks', 'raw')).toBe(Math.ceil(fileSize / 512) * 512);
    },
  );

  it('of a LUKS2 disk is its payload, by the JSON of its header', async () => {
    // As cryptsetup 2.6 writes it: 16 KiB of header twice, keys up to 16 MiB.
    const disk = Buffer.alloc(20 * MIB);
    disk.write('LUKS\xba\xbe\0\x02', 0, 'latin1');
    disk.writeBigUInt64BE(16_384n, 8);
    const segment = { type: 'crypt', offset: '16777216', size: 'dynamic', sector_size: 512 };
    disk.write(JSON.stringify({ keyslots: {}, segments: { 0: segment } }), 4096);
    writeFileSync(at('disk.luks2'), disk);
    expect(await capacityOf('disk.luks2', 'luks')).toBe(4 * MIB);
    // QEMU probes version 1 only.
    expect(qemuImg('info', at('disk.luks2'))).toContain('file format: raw');
    expect(await capacityOf('disk.luks2', undefined)).toBe(20 * MIB);
  });

  it('of a slice is the size of the slice', async () => {
    writeFileSync(at('container'), Buffer.alloc(4 * MIB));
    createImage(at('inner.qcow2'), 'qcow2', GIB);
    execFileSync(
      'dd',
      [`if=${at('inner.qcow2')}`, `of=${at('container')}`, 'bs=512', 'seek=2048', 'conv=notrunc'],
      { stdio: 'ignore' },
    );
    const slice = { offsetBytes: MIB, sizeBytes: 2 * MIB };
    const json = {
      driver: 'raw',
      offset: MIB,
      size: 2 * MIB,
      file: { driver: 'file', filename: at('container') },
    };
    const sizeOf = (options: object): number =>
      imageInfo(`json:${JSON.stringify(options)}`, undefined)['virtual-size'];
    expect(await capacityOf('container', 'raw', slice)).toBe(sizeOf(json));
    expect(await capacityOf('container', 'qcow2', slice)).toBe(
      sizeOf({ driver: 'qcow2', file: json }),
    );
    // Beside the slice lies somebody else's data.
    const beside = { offsetBytes: 0, sizeBytes: MIB };
    expect(await capacityOf('container', 'qcow2', beside)).toBeUndefined();
  });
});

describe('what is probed', () => {
  let directory: string;
  let storage: StorageSource;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'probes-'));
    mkdirSync(join(directory, 'sub.dmg'));
    storage = new StorageSource();
  });
  afterAll(() => {
    storage.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const text = (content: string, size = 4096): Buffer => {
    const bytes = Buffer.alloc(size);
    bytes.write(content, 'latin1');
    return bytes;
  };
  const bochs = text('Bochs Virtual HD Image');
  bochs.write('Redolog', 32);
  bochs.write('Growing', 48);
  bochs.writeUInt32LE(0x20000, 64);
  const undoable = Buffer.from(bochs);
  undoable.write('Undoable', 48);
  const parallels = (version: number): Buffer => {
    const bytes = text('WithoutFreeSpace');
    bytes.writeUInt32LE(version, 16);
    return bytes;
  };
  const cloop =
    '#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0 && mount -r -t iso9660 /dev/cloop $1\n';

  it.each([
    ['install.dmg', text(''), 'dmg'],
    ['install.DMG', text(''), 'raw'],
    ['.dmg', text(''), 'dmg'],
    ['live.cloop', text(cloop), 'cloop'],
    ['script.sh', text('#!/bin/sh\necho\n'), 'raw'],
    ['bochs.img', bochs, 'bochs'],
    ['undoable.img', undoable, 'raw'],
    ['parallels.hds', parallels(2), 'parallels'],
    ['parallels.3', parallels(3), 'raw'],
    ['text.vmdk', text('# Disk DescriptorFile\nversion=1\ncreateType="x"\n'), 'vmdk'],
    ['hand.vmdk', text('# mine\r\n  \r\nversion=3\r\n'), 'vmdk'],
    ['four.vmdk', text('# Disk DescriptorFile\nversion=4\n'), 'raw'],
    ['no-version.vmdk', text('# Disk DescriptorFile\nCID=1\n'), 'raw'],
    ['cowd', text('COWD'), 'vmdk'],
    ['kdmv', text('KDMV'), 'vmdk'],
    ['vhdx', text('vhdxfile'), 'vhdx'],
    ['vpc', text('conectix'), 'vpc'],
    ['qed', text('QED\0'), 'qed'],
    ['qcow', text('QFI\xfb\0\0\0\x01'), 'qcow'],
    ['qcow2', text('QFI\xfb\0\0\0\x04'), 'qcow2'],
    ['qcow0', text('QFI\xfb\0\0\0\0'), 'raw'],
    ['luks1', text('LUKS\xba\xbe\0\x01'), 'luks'],
    ['luks2', text('LUKS\xba\xbe\0\x02'), 'raw'],
    ['short', Buffer.from('QF'), 'raw'],
    ['empty', Buffer.alloc(0), 'raw'],
  ])('%s is what QEMU takes it for', async (name, content, format) => {
    const path = join(directory, name);
    writeFileSync(path, content);
    const image = valueOrThrow(await storage.image(path, undefined));
    expect(image.format).toBe(format);
    // Half of these are headers only, which QEMU refuses once it knows what they are.
    expect([format, format === 'raw' ? 'raw' : 'refused']).toContain(probedBy(path));
  });

  /** The format qemu-img finds, or `refused` where it finds one and cannot open it. */
  function probedBy(path: string): string {
    try {
      return /^file format: (\S+)$/m.exec(qemuImg('info', path))?.[1] ?? 'nothing';
    } catch {
      return 'refused';
    }
  }
});
