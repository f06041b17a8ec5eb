import { describe, expect, it } from 'vitest';

import { parseMeminfo, readMeminfo } from '../../../../src/sources/host/meminfo.ts';
import { failureOf, HOST, NOWHERE, valueIn } from '../../../support/sources/kernel-fixtures.ts';

describe('meminfo', () => {
  it('gives bytes where the kernel says kB', () => {
    const memory = valueIn(readMeminfo(HOST));
    expect(memory.totalBytes).toBe(263982384 * 1024);
    expect(memory.availableBytes).toBe(41234560 * 1024);
    expect(memory.committedBytes).toBe(301989888 * 1024);
    expect(memory.zswappedBytes).toBe(1024 ** 3);
  });

  it('gives the default huge page pool in pages', () => {
    expect(valueIn(readMeminfo(HOST)).defaultHugePages).toEqual({
      pageBytes: 2097152,
      total: 8192,
      free: 2048,
      reserved: 1024,
      surplus: 0,
    });
  });

  it('leaves out what an old kernel does not have, instead of 0', () => {
    const text = 'MemTotal:       1024 kB\nMemFree:         512 kB\nCached:            0 kB\n';
    const memory = valueIn(parseMeminfo(text, 'meminfo'));
    expect(memory.cachedBytes).toBe(0);
    expect(memory.availableBytes).toBeUndefined();
    expect(memory.zswapBytes).toBeUndefined();
    expect(memory.defaultHugePages).toBeUndefined();
  });

  it('does not take Active(anon) for Active or SwapCached for Cached', () => {
    const text = 'MemTotal: 8 kB\nMemFree: 4 kB\nSwapCached: 3 kB\n';
    expect(valueIn(parseMeminfo(text, 'meminfo')).cachedBytes).toBeUndefined();
  });

  it('is malformed without a total, absent without a file', () => {
    expect(failureOf(parseMeminfo('MemFree: 4 kB\n', 'meminfo'))).toBe('malformed');
    expect(failureOf(parseMeminfo('MemTotal: 4 MB\nMemFree: 4 kB\n', 'meminfo'))).toBe('malformed');
    expect(failureOf(readMeminfo(NOWHERE))).toBe('absent');
  });
});
