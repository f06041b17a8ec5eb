import { qcow2HeaderBytes } from '../support/sources/images/qcow2-header-bytes.ts';
import type { ImageFormat } from '../../src/model/image.ts';

export interface SampleImage {
  readonly format: ImageFormat;
  /** All of it. */
  readonly bytes: Buffer;
}

/** Sound images of every format whose header is read, with and without files below. */
export function sampleImages(): readonly SampleImage[] {
  return [
    ...qcow2Images().map((bytes) => ({ format: 'qcow2' as const, bytes })),
    { format: 'qcow', bytes: qcow() },
    { format: 'qed', bytes: qed() },
    { format: 'vdi', bytes: vdi() },
    { format: 'vpc', bytes: vpc() },
    { format: 'vhdx', bytes: vhdx() },
    { format: 'vmdk', bytes: vmdkDescriptor() },
    { format: 'vmdk', bytes: vmdkSparse() },
    { format: 'luks', bytes: luks1() },
    { format: 'luks', bytes: luks2() },
  ];
}

function qcow2Images(): readonly Buffer[] {
  const name = 'json:{"driver":"qcow2","file":{"driver":"file","filename":"/srv/base.qcow2"}}';
  return [
    qcow2HeaderBytes(),
    qcow2HeaderBytes({ version: 2 }),
    qcow2HeaderBytes({ backingOffset: 600n, backingName: '/srv/base.qcow2' }),
    qcow2HeaderBytes({
      backingOffset: 600n,
      backingName: name,
      extensions: [[0xe2792aca, Buffer.from('qcow2')]],
    }),
    qcow2HeaderBytes({
      incompatible: 0b100n,
      autoclear: 0b10n,
      extensions: [[0x44415441, Buffer.from('/srv/data.raw')]],
    }),
    qcow2HeaderBytes({ crypt: 2, extensions: [[0x0537be77, Buffer.alloc(16, 1)]] }),
    qcow2HeaderBytes({ snapshots: 3, incompatible: 0b10000n, refcountOrder: 6 }),
  ];
}

function qcow(): Buffer {
  const bytes = Buffer.alloc(4096);
  bytes.write('QFI\xfb\0\0\0\x01', 'latin1');
  bytes.writeBigUInt64BE(48n, 8);
  bytes.writeUInt32BE(5, 16);
  bytes.writeBigUInt64BE(16_777_216n, 24);
  bytes.write('b.raw', 48);
  return bytes;
}

function qed(): Buffer {
  const bytes = Buffer.alloc(4096);
  bytes.write('QED\0');
  bytes.writeBigUInt64LE(0b101n, 16);
  bytes.writeBigUInt64LE(16_777_216n, 48);
  bytes.writeUInt32LE(64, 56);
  bytes.writeUInt32LE(5, 60);
  bytes.write('b.raw', 64);
  return bytes;
}

/** src: QEMU block/vdi.c, VdiHeader. */
function vdi(): Buffer {
  const bytes = Buffer.alloc(1024);
  bytes.write('<<< QEMU VM Virtual Disk Image >>>\n');
  bytes.writeUInt32LE(0xbeda107f, 0x40);
  bytes.writeUInt32LE(0x00010001, 0x44);
  bytes.writeUInt32LE(0x180, 0x48);
  bytes.writeUInt32LE(1, 0x4c);
  bytes.writeUInt32LE(0x200, 0x154);
  bytes.writeUInt32LE(0x400, 0x158);
  bytes.writeUInt32LE(512, 0x168);
  bytes.writeBigUInt64LE(16_777_216n, 0x170);
  bytes.writeUInt32LE(1_048_576, 0x178);
  bytes.writeUInt32LE(16, 0x180);
  return bytes;
}

/** A dynamic disk: a copy of the footer, then the dynamic header (QEMU block/vpc.c). */
function vpc(): Buffer {
  const bytes = Buffer.alloc(2048);
  bytes.write('conectix');
  bytes.writeUInt32BE(2, 8);
  bytes.writeUInt32BE(0x10000, 12);
  bytes.writeBigUInt64BE(512n, 16);
  bytes.write('qemu', 28);
  bytes.writeBigUInt64BE(16_777_216n, 40);
  bytes.writeBigUInt64BE(16_777_216n, 48);
  bytes.writeUInt16BE(481, 56);
  bytes.writeUInt8(4, 58);
  bytes.writeUInt8(17, 59);
  bytes.writeUInt32BE(3, 60);
  bytes.write('cxsparse', 512);
  bytes.writeBigUInt64BE(0xffff_ffff_ffff_ffffn, 520);
  bytes.writeBigUInt64BE(1536n, 528);
  bytes.writeUInt32BE(8, 540);
  bytes.writeUInt32BE(2_097_152, 544);
  return bytes;
}

/** A region table that leads to metadata with the size of the disk (QEMU block/vhdx.c). */
function vhdx(): Buffer {
  const bytes = Buffer.alloc(1024 * 1024 + 128 * 1024);
  bytes.write('vhdxfile');
  bytes.write('regi', 192 * 1024);
  bytes.writeUInt32LE(1, 192 * 1024 + 8);
  guid(bytes, '8B7CA206-4790-4B9A-B8FE-575F050F886E', 192 * 1024 + 16);
  bytes.writeBigUInt64LE(1_048_576n, 192 * 1024 + 32);
  bytes.writeUInt32LE(1_048_576, 192 * 1024 + 40);
  bytes.write('metadata', 1_048_576);
  bytes.writeUInt16LE(2, 1_048_576 + 10);
  guid(bytes, '2FA54224-CD1B-4876-B211-5DBED83BF4B8', 1_048_576 + 32);
  bytes.writeUInt32LE(65_536, 1_048_576 + 48);
  bytes.writeUInt32LE(8, 1_048_576 + 52);
  guid(bytes, 'CAA16737-FA36-4D43-B3B6-33F0AA44E76B', 1_048_576 + 64);
  bytes.writeUInt32LE(65_544, 1_048_576 + 80);
  bytes.writeUInt32LE(8, 1_048_576 + 84);
  bytes.writeBigUInt64LE(16_777_216n, 1_048_576 + 65_536);
  return bytes;
}

/** As Microsoft stores one: the first three parts little-endian. */
function guid(bytes: Buffer, text: string, at: number): void {
  const [a = '', b = '', c = '', d = '', e = ''] = text.split('-');
  bytes.writeUInt32LE(Number.parseInt(a, 16), at);
  bytes.writeUInt16LE(Number.parseInt(b, 16), at + 4);
  bytes.writeUInt16LE(Number.parseInt(c, 16), at + 6);
  Buffer.from(d + e, 'hex').copy(bytes, at + 8);
}

const DESCRIPTOR = [
  '# Disk DescriptorFile',
  'version=1',
  'CID=fffffffe',
  'parentCID=12345678',
  'createType="vmfsSparse"',
  'parentFileNameHint="../base.vmdk"',
  'RW 2048 VMFSSPARSE "delta one.vmdk"',
  'RW 2048 FLAT "/other/flat.vmdk" 128',
  'RDONLY 2048 FLAT "ignored.vmdk" 0',
  'RW 2048 ZERO "zero.vmdk"',
  '',
].join('\n');

function vmdkDescriptor(): Buffer {
  return Buffer.from(DESCRIPTOR);
}

/** A header, then the descriptor in sector 1 (QEMU block/vmdk.c, VMDK4Header). */
function vmdkSparse(): Buffer {
  const bytes = Buffer.alloc(64 * 1024);
  bytes.write('KDMV');
  bytes.writeUInt32LE(1, 4);
  bytes.writeUInt32LE(3, 8);
  bytes.writeBigUInt64LE(32_768n, 12);
  bytes.writeBigUInt64LE(128n, 20);
  bytes.writeBigUInt64LE(1n, 28);
  bytes.writeBigUInt64LE(20n, 36);
  bytes.writeUInt32LE(512, 44);
  const descriptor = DESCRIPTOR.replace('vmfsSparse', 'monolithicSparse');
  bytes.write(descriptor.replace(/RW 2048 VMFSSPARSE.*/, 'RW 32768 SPARSE "a.vmdk"'), 512);
  return bytes;
}

function luks1(): Buffer {
  const bytes = Buffer.alloc(2 * 1024 * 1024);
  bytes.write('LUKS\xba\xbe\0\x01', 'latin1');
  bytes.write('aes', 8);
  bytes.writeUInt32BE(4096, 104);
  bytes.writeUInt32BE(32, 108);
  return bytes.subarray(0, 65_536);
}

function luks2(): Buffer {
  const bytes = Buffer.alloc(65_536);
  bytes.write('LUKS\xba\xbe\0\x02', 'latin1');
  bytes.writeBigUInt64BE(16_384n, 8);
  bytes.write('{"segments":{"0":{"type":"crypt","offset":"32768","size":"dynamic"}}}', 4096);
  return bytes;
}
