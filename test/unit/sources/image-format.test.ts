import { describe, expect, it } from 'vitest';

import { declaredImageFormat, probeImageFormat } from '../../../src/sources/image-format.ts';

describe('probing an image format', () => {
  it('tells qcow version 1 from its successors', () => {
    expect(probeImageFormat(Buffer.from('QFI\xfb\0\0\0\x01', 'latin1'))).toBe('qcow');
    expect(probeImageFormat(Buffer.from('QFI\xfb\0\0\0\x02', 'latin1'))).toBe('qcow2');
    expect(probeImageFormat(Buffer.from('QFI\xfb\0\0\0\x03', 'latin1'))).toBe('qcow2');
  });

  it('finds the magic of VDI behind its text', () => {
    const start = Buffer.alloc(512);
    start.write('<<< QEMU VM Virtual Disk Image >>>\n');
    start.writeUInt32LE(0xbeda_107f, 0x40);
    expect(probeImageFormat(start)).toBe('vdi');
  });

  it('takes what it does not know, and what is empty, for raw', () => {
    expect(probeImageFormat(Buffer.alloc(512, 0x55))).toBe('raw');
    expect(probeImageFormat(Buffer.alloc(0))).toBe('raw');
    expect(probeImageFormat(Buffer.from('QF'))).toBe('raw');
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
