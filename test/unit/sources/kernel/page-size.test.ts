import { describe, expect, it } from 'vitest';

import { parsePageSize, readPageSize } from '../../../../src/sources/kernel/page-size.ts';
import { failureOf, HOST, NOWHERE, valueIn } from '../../../support/sources/kernel-fixtures.ts';

function vector(
  byteOrder: 'BE' | 'LE',
  ...entries: readonly (readonly [bigint, bigint])[]
): Buffer {
  const buffer = Buffer.alloc(entries.length * 16);
  entries.forEach(([tag, value], index) => {
    if (byteOrder === 'LE') {
      buffer.writeBigUInt64LE(tag, index * 16);
      buffer.writeBigUInt64LE(value, index * 16 + 8);
    } else {
      buffer.writeBigUInt64BE(tag, index * 16);
      buffer.writeBigUInt64BE(value, index * 16 + 8);
    }
  });
  return buffer;
}

describe('the page size', () => {
  it('is 4096 on the x86 host the fixture comes from', () => {
    expect(valueIn(readPageSize(HOST))).toBe(4096);
  });

  it('is 65536 on some arm64 hosts, and big-endian on s390', () => {
    const entries = [
      [16n, 0xffn],
      [6n, 65536n],
      [0n, 0n],
    ] as const;
    expect(valueIn(parsePageSize(vector('LE', ...entries), 'auxv', 'LE'))).toBe(65536);
    expect(valueIn(parsePageSize(vector('BE', ...entries), 'auxv', 'BE'))).toBe(65536);
  });

  it('is malformed when missing, after the end, or no power of two', () => {
    expect(failureOf(parsePageSize(vector('LE', [0n, 0n], [6n, 4096n]), 'auxv', 'LE'))).toBe(
      'malformed',
    );
    expect(failureOf(parsePageSize(vector('LE', [6n, 4097n]), 'auxv', 'LE'))).toBe('malformed');
    expect(failureOf(parsePageSize(new Uint8Array(7), 'auxv', 'LE'))).toBe('malformed');
    expect(failureOf(readPageSize(NOWHERE))).toBe('absent');
  });
});
