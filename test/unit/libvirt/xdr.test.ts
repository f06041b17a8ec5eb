import { describe, expect, it } from 'vitest';

import { ProtocolError, XdrReader, XdrWriter } from '../../../src/libvirt/index.ts';
import { array, decode, string } from '../../../src/libvirt/xdr.ts';

const reader = (hex: string) => new XdrReader(Buffer.from(hex, 'hex'));

describe('reading XDR', () => {
  it('reads numbers big endian', () => {
    expect(reader('ffffffff').int()).toBe(-1);
    expect(reader('ffffffff').uint()).toBe(4294967295);
    expect(reader('ffffffffffffffff').hyper()).toBe(-1n);
    expect(reader('ffffffffffffffff').uhyper()).toBe(18446744073709551615n);
    expect(reader('3ff8000000000000').double()).toBe(1.5);
  });

  it('keeps every digit of counters above 2^53', () => {
    expect(reader('0020000000000001').uhyper()).toBe(9007199254740993n);
  });

  it('reads strings as UTF-8 and passes over their padding', () => {
    const it = reader('00000003' + 'c3bc6d00' + '00000005');
    expect(it.string()).toBe('üm');
    expect(it.int()).toBe(5);
    expect(it.remaining).toBe(0);
  });

  it('reads a buffer that is a part of a larger one', () => {
    const part = Buffer.from('0000000100000002', 'hex').subarray(4);
    expect(new XdrReader(part).int()).toBe(2);
  });

  it.each([
    ['a number cut off', '000000', (r: XdrReader) => r.int()],
    ['a hyper cut off', '00000000000000', (r: XdrReader) => r.uhyper()],
    ['a string longer than the message', '00000005' + '61626364', (r: XdrReader) => r.string()],
    ['a string without its padding', '00000001' + '61', (r: XdrReader) => r.string()],
    ['a string above 4 MiB', '00400001', (r: XdrReader) => r.string()],
    ['a string of 4 GiB', 'ffffffff', (r: XdrReader) => r.string()],
    ['a boolean that is neither', '00000002', (r: XdrReader) => r.bool()],
    ['more elements than allowed', '00000003', (r: XdrReader) => r.count(2, 0)],
    ['more elements than can be there', '00000002' + '00000000', (r: XdrReader) => r.count(9, 4)],
  ])('refuses %s', (_name, hex, read) => {
    expect(() => read(reader(hex))).toThrow(ProtocolError);
  });

  it('refuses bytes that are left over', () => {
    expect(() => decode(string, Buffer.from('0000000000000000', 'hex'))).toThrow(
      '4 bytes left over',
    );
  });

  it('does not allocate for an array whose elements cannot be there', () => {
    const names = array(string, 16384, 4);
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 1000; i++) {
      expect(() => decode(names, Buffer.from('00003fff' + '00000000', 'hex'))).toThrow(
        ProtocolError,
      );
    }
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(50e6);
  });
});

describe('writing XDR', () => {
  it('pads with zeros and grows as needed', () => {
    const writer = new XdrWriter(16);
    writer.string('abcde');
    writer.opaque(Buffer.from([1, 2]));
    writer.uhyper(1n);
    writer.double(1.5);
    writer.bool(true);
    expect(writer.finish().toString('hex')).toBe(
      '00000005' +
        '6162636465000000' +
        '01020000' +
        '0000000000000001' +
        '3ff8000000000000' +
        '00000001',
    );
  });
});
