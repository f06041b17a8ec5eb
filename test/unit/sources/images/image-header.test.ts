import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { HeaderError, ReadMore } from '../../../../src/sources/images/header-facts.ts';
import { probeImageFormat } from '../../../../src/sources/images/image-format.ts';
import { readHeader } from '../../../../src/sources/images/image-header.ts';
import { failed, found, type Result } from '../../../../src/runtime/result.ts';
import { IMAGE_FORMATS, type HeaderFacts, type ImageFormat } from '../../../../src/model/image.ts';

type HeaderReading = Result<HeaderFacts, HeaderError>;

const MOST_READ_AT_ONCE = 128 * 1024;

/** Reads an image of these bytes, and keeps account of what was asked for. */
async function read(
  format: ImageFormat,
  image: Buffer,
): Promise<{ readonly result: HeaderReading; readonly reads: number }> {
  let reads = 0;
  const more: ReadMore = (at, length) => {
    reads += 1;
    expect(Number.isSafeInteger(at) && at >= 0).toBe(true);
    expect(length).toBeLessThanOrEqual(MOST_READ_AT_ONCE);
    return Promise.resolve(found(image.subarray(at, at + length)));
  };
  const result = await readHeader(format, image.subarray(0, 1024), image.length, more);
  return { result, reads };
}

async function factsOf(format: ImageFormat, image: Buffer): Promise<HeaderReading> {
  return (await read(format, image)).result;
}

function qed(features: bigint, name: string, at = 64): Buffer {
  const bytes = Buffer.alloc(4096);
  bytes.write('QED\0');
  bytes.writeBigUInt64LE(features, 16);
  bytes.writeBigUInt64LE(16_777_216n, 48);
  bytes.writeUInt32LE(at, 56);
  bytes.writeUInt32LE(name.length, 60);
  bytes.write(name, at);
  return bytes;
}

function qcow(name: string, length = name.length): Buffer {
  const bytes = Buffer.alloc(4096);
  bytes.write('QFI\xfb\0\0\0\x01', 'latin1');
  bytes.writeBigUInt64BE(48n, 8);
  bytes.writeUInt32BE(length, 16);
  bytes.writeBigUInt64BE(16_777_216n, 24);
  bytes.write(name, 48);
  return bytes;
}

function descriptor(...lines: readonly string[]): Buffer {
  return Buffer.from(['# Disk DescriptorFile', 'version=1', ...lines, ''].join('\n'));
}

describe('the header of an image', () => {
  it('QED: the name counts only while its feature bit is set', async () => {
    expect(await factsOf('qed', qed(0b101n, 'b.raw'))).toMatchObject({
      value: { below: { kind: 'named', name: 'b.raw', format: 'raw' }, capacityBytes: 16_777_216 },
    });
    expect(await factsOf('qed', qed(0b001n, 'b'))).toMatchObject({
      value: { below: { kind: 'named', name: 'b', format: undefined } },
    });
    expect(await factsOf('qed', qed(0b010n, 'b'))).toMatchObject({
      value: { below: { kind: 'nothing' } },
    });
    expect(await factsOf('qed', qed(0b1000n, 'b'))).toMatchObject({
      error: { problem: 'unsupported' },
    });
  });

  it('QED: the name may stand further on than is read at first, but not beyond 64 KiB', async () => {
    expect(await factsOf('qed', qed(1n, 'far.raw', 2048))).toMatchObject({
      value: { below: { name: 'far.raw' } },
    });
    const beyond = qed(1n, 'b');
    beyond.writeUInt32LE(0xffff_ffff, 56);
    expect(await factsOf('qed', beyond)).toMatchObject({
      ok: false,
      error: { problem: 'malformed' },
    });
  });

  it('qcow: the name, and no longer one than QEMU takes', async () => {
    expect(await factsOf('qcow', qcow('b.raw'))).toMatchObject({
      value: { below: { kind: 'named', name: 'b.raw', format: undefined } },
    });
    expect(await factsOf('qcow', qcow('b', 1024))).toMatchObject({ ok: false });
    expect(await factsOf('qcow', qcow('b', 0))).toMatchObject({
      value: { below: { kind: 'nothing' } },
    });
  });

  it('VMDK: extents and parent out of the text', async () => {
    const text = descriptor(
      'createType="vmfsSparse"',
      'parentFileNameHint="../base.vmdk"',
      'RW 2048 VMFSSPARSE "delta one.vmdk"',
      'RW 2048 FLAT "/other/flat.vmdk" 128',
      'RDONLY 2048 FLAT "ignored.vmdk" 0',
      'RW 0 FLAT "empty.vmdk" 0',
      'RW 2048 ZERO "zero.vmdk"',
    );
    expect(await factsOf('vmdk', text)).toMatchObject({
      value: {
        below: { kind: 'named', name: '../base.vmdk', format: 'vmdk' },
        dataFiles: [
          { name: './delta one.vmdk', format: 'vmdk' },
          { name: '/other/flat.vmdk', format: 'raw' },
        ],
        capacityBytes: 2 * 2048 * 512,
      },
    });
  });

  it.each([
    ['without a type', descriptor('RW 1 FLAT "a" 0')],
    ['of a physical disk', descriptor('createType="fullDevice"', 'RW 1 FLAT "/dev/sda" 0')],
    ['whose parent does not end', descriptor('createType="vmfs"', 'parentFileNameHint="b')],
    [
      'of more sectors than there are',
      descriptor('createType="vmfs"', `RW ${'9'.repeat(19)} VMFS "a"`),
    ],
  ])('VMDK: a descriptor %s is no good', async (_, text) => {
    expect(await factsOf('vmdk', text)).toMatchObject({ ok: false });
  });

  it.each([
    ['no JSON', '{"segments":'],
    ['no segments', '{}'],
    ['two segments', '{"segments":{"0":{"offset":"1","size":"dynamic"},"1":{}}}'],
    ['an offset behind the end', '{"segments":{"0":{"offset":"99999999","size":"dynamic"}}}'],
    ['an offset that is no number', '{"segments":{"0":{"offset":"1e9","size":"dynamic"}}}'],
    [
      'an offset of 400 digits',
      `{"segments":{"0":{"offset":"${'9'.repeat(400)}","size":"dynamic"}}}`,
    ],
    ['a size that is none', '{"segments":{"0":{"offset":"4096","size":"-5"}}}'],
  ])('LUKS2: with %s it gives no size', async (_, json) => {
    const bytes = Buffer.alloc(1_048_576);
    bytes.write('LUKS\xba\xbe\0\x02', 'latin1');
    bytes.write(json, 4096);
    expect(await factsOf('luks', bytes)).toMatchObject({ ok: false });
  });

  it('that could not be read on says why', async () => {
    const more: ReadMore = () => Promise.resolve(failed('timeout', '/b', 'no answer'));
    for (const [format, start] of [
      ['qed', qed(1n, 'b', 2048)],
      ['vhdx', Buffer.from('vhdxfile')],
      ['vmdk', descriptor('createType="vmfs"')],
      ['vpc', Buffer.alloc(512)],
    ] as const) {
      const result = await readHeader(format, start.subarray(0, 1024), 1e6, more);
      expect(result).toMatchObject({ ok: false, error: { kind: 'timeout' } });
    }
  });
});

/** Starts of images of every kind, so that damage to them gets past the magic. */
const VHDX = ((): Buffer => {
  const bytes = Buffer.alloc(400_000);
  bytes.write('vhdxfile');
  bytes.write('regi', 196_608);
  bytes.writeUInt32LE(1, 196_616);
  Buffer.from('06a27c8b90479a4bb8fe575f050f886e', 'hex').copy(bytes, 196_624);
  bytes.writeBigUInt64LE(262_144n, 196_640);
  bytes.write('metadata', 262_144);
  bytes.writeUInt16LE(2, 262_154);
  Buffer.from('3767a1ca36fa434db3b633f0aa44e76b', 'hex').copy(bytes, 262_176);
  bytes.writeUInt32LE(65_536, 262_192);
  Buffer.from('2442a52f1bcd7648b2115dbed83bf4b8', 'hex').copy(bytes, 262_208);
  bytes.writeUInt32LE(65_544, 262_224);
  bytes.writeBigUInt64LE(16_777_216n, 262_144 + 65_544);
  return bytes;
})();

function sparseVmdk(): Buffer {
  const bytes = Buffer.alloc(16_384);
  bytes.write('KDMV');
  bytes.writeBigUInt64LE(32_768n, 12);
  bytes.writeBigUInt64LE(1n, 28);
  bytes.write('CID=1\nparentCID=2\nparentFileNameHint="base.vmdk"\n', 512);
  return bytes;
}

function luks(version: number): Buffer {
  const bytes = Buffer.alloc(16_384);
  bytes.write('LUKS\xba\xbe', 'latin1');
  bytes.writeUInt16BE(version, 6);
  bytes.writeUInt32BE(8, 104);
  bytes.write('{"segments":{"0":{"offset":"8192","size":"dynamic"}}}', 4096);
  return bytes;
}

function vdi(): Buffer {
  const bytes = Buffer.alloc(1024);
  bytes.writeUInt32LE(0xbeda_107f, 0x40);
  bytes.writeBigUInt64LE(16_777_216n, 0x170);
  return bytes;
}

function vpc(): Buffer {
  const bytes = Buffer.alloc(1024);
  bytes.write('conectix');
  bytes.writeUInt32BE(3, 0x3c);
  return bytes;
}

const SOUND: readonly (readonly [ImageFormat, Buffer])[] = [
  ['qed', qed(0b101n, 'base.raw')],
  ['qcow', qcow('base.raw')],
  ['vmdk', sparseVmdk()],
  ['vmdk', descriptor('createType="vmfs"', 'parentFileNameHint="b"', 'RW 2048 VMFS "a"')],
  ['luks', luks(1)],
  ['luks', luks(2)],
  ['vdi', vdi()],
  ['vpc', vpc()],
  ['vhdx', VHDX],
];

/** Bytes of interest to a parser: extremes, and what is there already a little off. */
const damage = fc.array(
  fc.record({
    at: fc.oneof(fc.nat(128), fc.nat(1023), fc.nat(16_383)),
    bytes: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 8 }),
      fc.constantFrom(0, 1, 0x7f, 0x80, 0xff).map((byte) => new Uint8Array(8).fill(byte)),
    ),
  }),
  { minLength: 1, maxLength: 4 },
);

function soundResult({ result, reads }: Awaited<ReturnType<typeof read>>): void {
  expect(reads).toBeLessThanOrEqual(4);
  if (!result.ok) return;
  const { capacityBytes, dataFiles, below } = result.value;
  if (capacityBytes !== undefined) {
    expect(Number.isSafeInteger(capacityBytes) && capacityBytes >= 0).toBe(true);
    expect(capacityBytes % 512).toBe(0);
  }
  expect(dataFiles.length).toBeLessThanOrEqual(1024);
  if (below.kind === 'named') expect(below.name.length).toBeLessThanOrEqual(4095);
}

describe('whatever bytes a guest writes into a header', () => {
  it('are read in few, bounded reads, without a crash and without a size that is none', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...SOUND),
        damage,
        fc.option(fc.nat(2048), { nil: undefined, freq: 4 }),
        async ([format, sound], changes, cutAt) => {
          const image = Buffer.from(sound);
          for (const { at, bytes } of changes)
            image.set(
              bytes.subarray(0, Math.max(0, image.length - at)),
              Math.min(at, image.length),
            );
          soundResult(await read(format, cutAt === undefined ? image : image.subarray(0, cutAt)));
        },
      ),
      { numRuns: 20_000 },
    );
  });

  it('random ones likewise, of whatever format they are declared', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...IMAGE_FORMATS),
        fc.uint8Array({ maxLength: 2048 }),
        async (format, bytes) => {
          const image = Buffer.from(bytes);
          soundResult(await read(format, image));
          expect(IMAGE_FORMATS).toContain(probeImageFormat(image, '/b'));
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('a descriptor full of lines, quotes or brackets takes no long time', async () => {
    for (const filling of [
      '\n',
      '"',
      ' ',
      'RW 1 FLAT "',
      'RW 1 FLAT "a" 0\n',
      '[',
      '{"a":',
      '\\',
    ]) {
      const text = Buffer.from(filling.repeat(Math.ceil(MOST_READ_AT_ONCE / filling.length)));
      const head = Buffer.from('createType="vmfs"\n');
      const before = performance.now();
      await read('vmdk', Buffer.concat([head, text]).subarray(0, MOST_READ_AT_ONCE - 1));
      const luks2 = luks(2);
      await read('luks', Buffer.concat([luks2.subarray(0, 4096), text]));
      expect(performance.now() - before).toBeLessThan(500);
    }
  });
});
