import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { readMemorySysctl } from '../../../../src/sources/host/memory-sysctl.ts';
import { failureOf, HOST, NOWHERE, valueIn } from '../../../support/sources/kernel-fixtures.ts';

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

  it('have a fault where a size is more than 64 bits can count', () => {
    const procfs = mkdtempSync(join(tmpdir(), 'sysctl-'));
    try {
      cpSync(`${HOST.procfs}/sys`, `${procfs}/sys`, { recursive: true });
      writeFileSync(`${procfs}/sys/vm/min_free_kbytes`, '18446744073709551615\n');
      expect(readMemorySysctl({ ...HOST, procfs })).toMatchObject({
        ok: true,
        value: { minFreeBytes: undefined },
        faults: [{ kind: 'malformed' }],
      });
    } finally {
      rmSync(procfs, { recursive: true });
    }
  });
});
