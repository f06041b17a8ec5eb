import { describe, expect, it } from 'vitest';

import { readMemorySysctl } from '../../../src/sources/memory-sysctl.ts';
import { failureOf, HOST, NOWHERE, valueIn } from './kernel-fixtures.ts';

describe('memory settings', () => {
  it('say how the kernel hands out memory', () => {
    expect(valueIn(readMemorySysctl(HOST))).toEqual({
      overcommitMode: 1,
      overcommitRatioPercent: 50,
      // 0 means that the ratio counts.
      overcommitBytes: undefined,
      swappiness: 10,
      minFreeBytes: 67584 * 1024,
      numaBalancing: 1,
      schedulerStatistics: false,
    });
  });

  it('are absent without /proc/sys', () => {
    expect(failureOf(readMemorySysctl(NOWHERE))).toBe('absent');
  });
});
