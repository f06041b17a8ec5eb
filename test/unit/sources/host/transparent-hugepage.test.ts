import { describe, expect, it } from 'vitest';

import { readTransparentHugePages } from '../../../../src/sources/host/transparent-hugepage.ts';
import { failureOf, HOST, NOWHERE, valueIn } from '../../../support/sources/kernel-fixtures.ts';

describe('transparent huge pages', () => {
  it('give the chosen word of each setting', () => {
    expect(valueIn(readTransparentHugePages(HOST))).toEqual({
      enabled: 'madvise',
      defrag: 'defer+madvise',
      sharedMemoryEnabled: 'never',
      pageBytes: 2 ** 21,
      khugepaged: {
        defrag: true,
        pagesToScan: 4096,
        scanSleepSeconds: 10,
        pagesCollapsed: 4242,
        fullScans: expect.any(Number) as unknown,
        maxEmptyPages: 511,
      },
    });
  });

  it('are absent on kernels without', () => {
    expect(failureOf(readTransparentHugePages(NOWHERE))).toBe('absent');
  });
});
