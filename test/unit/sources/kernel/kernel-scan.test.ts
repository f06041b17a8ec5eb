import { describe, expect, it } from 'vitest';

import {
  bigDecimalAt,
  decimalAt,
  lineBigDecimal,
  lineDecimal,
  lineKibibytes,
  lineText,
  scanIntegers,
} from '../../../../src/sources/kernel/kernel-scan.ts';

const TEXT =
  'anon 4096\nfile_mapped 7\nfile 1\ninactive_file 2\nVmRSS:\t    12 kB\nlist:\t0-3,7 \n';

describe('a number in kernel text', () => {
  it('is that of the line that begins with the whole key', () => {
    expect(lineDecimal(TEXT, 'anon')).toBe(4096);
    expect(lineDecimal(TEXT, 'file')).toBe(1);
    expect(lineDecimal(TEXT, 'inactive_file')).toBe(2);
    expect(lineDecimal(TEXT, 'non')).toBeUndefined();
    expect(lineKibibytes(TEXT, 'VmRSS')).toBe(12 * 1024);
    expect(lineText(TEXT, 'list')).toBe('0-3,7');
  });

  it('is absent without the line, without digits, or at the end of a cut file', () => {
    expect(lineDecimal(TEXT, 'shmem')).toBeUndefined();
    expect(lineDecimal('max unlimited\n', 'max')).toBeUndefined();
    expect(lineDecimal('anon ', 'anon')).toBeUndefined();
    expect(lineDecimal('anon', 'anon')).toBeUndefined();
  });

  it('keeps every digit as a bigint, and is the nearest double otherwise', () => {
    const text = 'throttled_time 9007199254740993\n';
    expect(lineBigDecimal(text, 'throttled_time')).toBe(9_007_199_254_740_993n);
    expect(lineDecimal(text, 'throttled_time')).toBe(Number('9007199254740993'));
    expect(decimalAt('18446744073709551615', 0)).toBe(2 ** 64);
    expect(bigDecimalAt('42 ', 0)).toBe(42n);
  });
});

describe('integers in a row', () => {
  const fields = new Float64Array(4);

  it('are read with their signs until something else comes', () => {
    expect(scanIntegers('x 1 -2 30\n', 2, fields)).toBe(3);
    expect([...fields.subarray(0, 3)]).toEqual([1, -2, 30]);
    expect(scanIntegers('1 two 3', 0, fields)).toBe(1);
    expect(scanIntegers('', 0, fields)).toBe(0);
  });

  it('are read as far as there is room', () => {
    expect(scanIntegers('1 2 3 4 5 6', 0, fields)).toBe(4);
  });
});
