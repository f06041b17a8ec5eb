import { describe, expect, it } from 'vitest';

import {
  declaredImageFormat,
  probeImageFormat,
} from '../../../../src/sources/images/image-format.ts';
import type { ImageFormat } from '../../../../src/model/image.ts';

function probe(start: Buffer, path = '/images/disk'): ImageFormat {
  return probeImageFormat(start, path);
}

describe('probing an image format', () => {
  it('tells qcow version 1 from its successors', () => {
    expect(probe(Buffer.from('QFI\xfb\0\0\0\x01', 'latin1'))).toBe('qcow');
    expect(probe(Buffer.from('QFI\xfb\0\0\0\x02', 'latin1'))).toBe('qcow2');
    expect(probe(Buffer.from('QFI\xfb\0\0\0\x03', 'latin1'))).toBe('qcow2');
  });

  it('finds the magic of VDI behind its text', () => {
    const start = Buffer.alloc(512);
    start.write('<<< QEMU VM Virtual Disk Image >>>\n');
    start.writeUInt32LE(0xbeda_107f, 0x40);
    expect(probe(start)).toBe('vdi');
  });

  it('goes by the name of a DMG, as QEMU does, unless the bytes say otherwise', () => {
    expect(probe(Buffer.alloc(512), '/images/install.dmg')).toBe('dmg');
    expect(probe(Buffer.from('vhdxfile'), '/images/install.dmg')).toBe('vhdx');
    expect(probe(Buffer.alloc(512), '/images/dmg')).toBe('raw');
  });

  it('knows a cloop by the script it begins with', () => {
    const script =
      '#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0 && mount -r -t iso9660 /dev/cloop $1\n';
    expect(probe(Buffer.from(script.padEnd(512, '\0')))).toBe('cloop');
    expect(probe(Buffer.from('#!/bin/sh\n#V2.0 Format\necho'))).toBe('raw');
  });

  it.each([
    ['# Disk DescriptorFile\nversion=1\n', 'vmdk'],
    ['# made by hand\r\n   \r\nversion=3\r\n', 'vmdk'],
    ['version=2\n', 'vmdk'],
    ['# Disk DescriptorFile\nversion=4\n', 'raw'],
    ['# Disk DescriptorFile\n\nversion=1\n', 'raw'],
    ['# Disk DescriptorFile, and then nothing', 'raw'],
  ])('takes %j for %s', (text, format) => {
    expect(probe(Buffer.from(text))).toBe(format);
  });

  it('knows only the LUKS that QEMU opens', () => {
    expect(probe(Buffer.from('LUKS\xba\xbe\0\x01aes', 'latin1'))).toBe('luks');
    expect(probe(Buffer.from('LUKS\xba\xbe\0\x02\0', 'latin1'))).toBe('raw');
  });

  it('takes what it does not know, and what is empty, for raw', () => {
    expect(probe(Buffer.alloc(512, 0x55))).toBe('raw');
    expect(probe(Buffer.alloc(0))).toBe('raw');
    expect(probe(Buffer.from('QF'))).toBe('raw');
  });
});

describe('a declared image format', () => {
  it('is the driver name of QEMU, or raw by another name', () => {
    expect(declaredImageFormat('qcow2')).toBe('qcow2');
    expect(declaredImageFormat('iso')).toBe('raw');
    expect(declaredImageFormat('host_device')).toBe('raw');
  });

  it('which nobody here knows is other, not raw', () => {
    expect(declaredImageFormat('ploop')).toBe('other');
  });
});
