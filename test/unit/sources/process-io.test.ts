import { describe, expect, it } from 'vitest';

import { parseProcessIo, readProcessIo } from '../../../src/sources/process-io.ts';
import { failureOf, HOST, valueIn } from './kernel-fixtures.ts';

describe('process I/O', () => {
  it('is what reached the storage, in bytes', () => {
    expect(valueIn(readProcessIo(HOST, 4242))).toEqual({
      readBytes: 282_624_000,
      writtenBytes: 4_096_000,
      cancelledWriteBytes: 8192,
    });
  });

  it('is absent when the process is gone, malformed when cut', () => {
    expect(failureOf(readProcessIo(HOST, 999_999))).toBe('absent');
    expect(failureOf(parseProcessIo('rchar: 1\n', 'io'))).toBe('malformed');
  });
});
