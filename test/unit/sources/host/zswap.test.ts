import { describe, expect, it } from 'vitest';

import { readZswap } from '../../../../src/sources/host/zswap.ts';
import { AMD_HOST, failureOf, HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

describe('zswap', () => {
  it('has settings, and counters where debugfs can be read', () => {
    expect(valueIn(readZswap(HOST))).toEqual({
      enabled: true,
      compressor: 'zstd',
      maxPoolPercent: 20,
      acceptThresholdPercent: 90,
      shrinkerEnabled: false,
      debug: {
        poolBytes: 256 * 2 ** 20,
        storedPages: 262144,
        writtenBackPages: 1200,
        poolLimitHits: 3,
        rejectedCompressPoor: 44,
        rejectedReclaimFail: 5,
      },
    });
  });

  it('is absent on kernels without', () => {
    expect(failureOf(readZswap(AMD_HOST))).toBe('absent');
  });
});
