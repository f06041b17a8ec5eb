import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  parseQcow2Header,
  type Qcow2HeaderFault,
} from '../../../../src/sources/images/qcow2-header.ts';
import { qcow2WorstCase } from '../../../../src/sources/images/qcow2-size.ts';
import type { Result } from '../../../../src/runtime/result.ts';
import {
  qcow2HeaderBytes,
  type HeaderFields,
} from '../../../support/sources/images/qcow2-header-bytes.ts';
import type { Qcow2Header } from '../../../../src/model/image.ts';

const BACKING_FORMAT = 0xe279_2aca;
const FEATURE_TABLE = 0x6803_f857;
const BITMAPS = 0x2385_2875;
const DATA_FILE = 0x4441_5441;
const ENCRYPTION = 0x0537_be77;

function parse(fields: HeaderFields = {}): Result<Qcow2Header, Qcow2HeaderFault> {
  return parseQcow2Header(qcow2HeaderBytes(fields));
}

function header(fields: HeaderFields = {}): Qcow2Header {
  const result = parse(fields);
  if (!result.ok) throw new Error(`${result.error.problem}: ${result.error.detail}`);
  return result.value;
}

describe('a qcow2 header', () => {
  it('of an empty 1 GiB image with the defaults of QEMU', () => {
    expect(header()).toEqual({
      version: 3,
      virtualSizeBytes: 1_073_741_824,
      clusterSizeBytes: 65_536,
      refcountBits: 16,
      encryption: 'none',
      encryptionHeaderBytes: 0,
      compression: 'zlib',
      l1Entries: 2,
      refcountTableClusters: 1,
      internalSnapshotCount: 0,
      bitmapCount: 0,
      dirty: false,
      corrupt: false,
      lazyRefcounts: false,
      extendedL2: false,
      hasExternalDataFile: false,
      externalDataFileIsRaw: false,
      externalDataFileName: undefined,
      backingFileName: undefined,
      backingFormat: undefined,
    });
  });

  it('of version 2 has no feature bits and refcounts of 16 bits', () => {
    const old = header({ version: 2, snapshots: 3 });
    expect(old).toMatchObject({ version: 2, refcountBits: 16, internalSnapshotCount: 3 });
  });

  it('names its backing file and the format of it', () => {
    const overlay = {
      backingOffset: 512n,
      backingName: '../base image.raw',
      extensions: [
        [FEATURE_TABLE, Buffer.alloc(96)],
        [BACKING_FORMAT, Buffer.from('raw')],
      ],
    } as const;
    expect(header(overlay)).toMatchObject({
      backingFileName: '../base image.raw',
      backingFormat: 'raw',
    });
    expect(header({ ...overlay, version: 2 })).toMatchObject({ backingFormat: 'raw' });
  });

  it('tells dirty from corrupt', () => {
    expect(header({ incompatible: 1n })).toMatchObject({ dirty: true, corrupt: false });
    expect(header({ incompatible: 2n })).toMatchObject({ dirty: false, corrupt: true });
    expect(header({ compatible: 1n })).toMatchObject({ lazyRefcounts: true, dirty: false });
  });

  it('names an external data file, and says whether it is raw', () => {
    const data = [[DATA_FILE, Buffer.from('/srv/guest.data')]] as const;
    expect(header({ incompatible: 4n, autoclear: 2n, extensions: data })).toMatchObject({
      hasExternalDataFile: true,
      externalDataFileIsRaw: true,
      externalDataFileName: '/srv/guest.data',
    });
    expect(header({ extensions: data }).externalDataFileName).toBeUndefined();
  });

  it('counts bitmaps only while they are valid', () => {
    const bitmaps = Buffer.alloc(24);
    bitmaps.writeUInt32BE(2, 0);
    expect(header({ autoclear: 1n, extensions: [[BITMAPS, bitmaps]] }).bitmapCount).toBe(2);
    expect(header({ autoclear: 0n, extensions: [[BITMAPS, bitmaps]] }).bitmapCount).toBe(0);
  });

  it('knows LUKS and the clusters its header takes', () => {
    const luks = Buffer.alloc(16);
    luks.writeBigUInt64BE(2_068_480n, 8);
    expect(header({ crypt: 2, extensions: [[ENCRYPTION, luks]] })).toMatchObject({
      encryption: 'luks',
      encryptionHeaderBytes: 2_068_480,
    });
    expect(header({ crypt: 1 }).encryption).toBe('aes');
  });

  it('knows zstd and extended L2 entries', () => {
    expect(header({ incompatible: 8n, compression: 1 }).compression).toBe('zstd');
    expect(header({ incompatible: 16n, l1Entries: 4 }).extendedL2).toBe(true);
  });

  it('rounds the size down to whole sectors, which is all a guest can see', () => {
    expect(header({ size: 1_000_000n }).virtualSizeBytes).toBe(1953 * 512);
  });

  it.each<[string, HeaderFields, string]>([
    ['version 1', { version: 1 }, 'unsupported'],
    ['version 4', { version: 4 }, 'unsupported'],
    ['an unknown incompatible feature', { incompatible: 32n }, 'unsupported'],
    ['an unknown encryption', { crypt: 3 }, 'unsupported'],
    ['an unknown compression', { incompatible: 8n, compression: 2 }, 'unsupported'],
    ['zstd without its feature bit', { compression: 1 }, 'invalid'],
    ['clusters of 256 bytes', { clusterBits: 8 }, 'invalid'],
    ['clusters of 4 MiB', { clusterBits: 22 }, 'invalid'],
    ['cluster bits beyond any shift', { clusterBits: 0xffff_ffff }, 'invalid'],
    ['subclusters of 256 bytes', { incompatible: 16n, clusterBits: 13 }, 'invalid'],
    ['a header shorter than version 3 has', { headerLength: 72 }, 'invalid'],
    ['a header longer than its cluster', { clusterBits: 9, headerLength: 513 }, 'invalid'],
    ['refcounts of 128 bits', { refcountOrder: 7 }, 'invalid'],
    ['an L1 table beyond 32 MiB', { l1Entries: 4_194_305 }, 'invalid'],
    ['an L1 table too small for the disk', { l1Entries: 1 }, 'invalid'],
    ['a disk of 2^64 bytes', { size: 0xffff_ffff_ffff_ffffn }, 'invalid'],
    ['an L1 table off the clusters', { l1Offset: 0x30001n }, 'invalid'],
    ['a refcount table beyond 8 MiB', { refcountTableClusters: 129 }, 'invalid'],
    ['more than 65536 snapshots', { snapshots: 65_537 }, 'invalid'],
    ['a backing name outside the cluster', { backingOffset: 65_537n, backingSize: 1 }, 'invalid'],
    ['a backing name of 1024 bytes', { backingOffset: 512n, backingSize: 1024 }, 'invalid'],
    [
      'a backing format of 16 bytes',
      { extensions: [[BACKING_FORMAT, Buffer.alloc(16, 'x')]] },
      'invalid',
    ],
    ['an extension of 4 GiB', { extensions: [[1, Buffer.alloc(8), 0xffff_ffff]] }, 'invalid'],
    [
      'a backing name behind what was read',
      { backingOffset: 1000n, backingSize: 100 },
      'truncated',
    ],
    [
      'an extension behind what was read',
      { extensions: [[1, Buffer.alloc(8), 2000]] },
      'truncated',
    ],
  ])('with %s is refused', (_, fields, problem) => {
    expect(parse(fields)).toMatchObject({ ok: false, error: { problem } });
  });

  it('is not seen in something else, or in too little', () => {
    expect(parseQcow2Header(Buffer.alloc(0))).toMatchObject({ error: { problem: 'not-qcow2' } });
    expect(parseQcow2Header(Buffer.alloc(1024))).toMatchObject({ error: { problem: 'not-qcow2' } });
    const bytes = qcow2HeaderBytes();
    expect(parseQcow2Header(bytes.subarray(0, 103))).toMatchObject({
      error: { problem: 'truncated' },
    });
    expect(parseQcow2Header(bytes.subarray(0, 104))).toMatchObject({
      error: { problem: 'truncated' },
    });
  });

  it('with any damage is parsed or refused: never a crash, nothing allocated by its say-so', () => {
    const data = Buffer.from('/srv/guest.data');
    const originals = [
      qcow2HeaderBytes(),
      qcow2HeaderBytes({ version: 2, backingOffset: 512n, backingName: 'base.raw' }),
      qcow2HeaderBytes({
        backingOffset: 512n,
        backingName: 'json:{"driver":"raw"}',
        extensions: [[BACKING_FORMAT, Buffer.from('raw')]],
      }),
      qcow2HeaderBytes({ incompatible: 4n, extensions: [[DATA_FILE, data]] }),
      qcow2HeaderBytes({ autoclear: 1n, extensions: [[BITMAPS, Buffer.alloc(24, 1)]] }),
    ];
    const damage = fc.array(
      fc.tuple(
        // Most of it where the fields are.
        fc.oneof({ weight: 4, arbitrary: fc.nat(159) }, { weight: 1, arbitrary: fc.nat(1023) }),
        fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255)),
      ),
      { minLength: 1, maxLength: 6 },
    );
    const buffers = process.memoryUsage().arrayBuffers;
    let parsed = 0;
    const scratch = Buffer.alloc(1024);
    fc.assert(
      fc.property(fc.constantFrom(...originals), damage, fc.nat(1500), (original, bytes, end) => {
        original.copy(scratch);
        for (const [at, value] of bytes) scratch[at] = value;
        const result = parseQcow2Header(scratch.subarray(0, Math.min(end, 1024)));
        if (!result.ok) return result.error.detail.length < 200;
        parsed += 1;
        const { backingFileName, backingFormat, externalDataFileName } = result.value;
        const worst = qcow2WorstCase(result.value);
        return (
          (backingFileName ?? '').length <= 1023 &&
          (backingFormat ?? '').length <= 15 &&
          (externalDataFileName ?? '').length <= 1024 &&
          Number.isFinite(worst.withSnapshotsBytes) &&
          worst.metadataBytes > 0
        );
      }),
      { numRuns: 100_000 },
    );
    // Both outcomes were met, many times.
    expect(parsed).toBeGreaterThan(10_000);
    expect(parsed).toBeLessThan(90_000);
    expect(process.memoryUsage().arrayBuffers - buffers).toBeLessThan(1024 * 1024);
  });
});
