import { describe, expect, it } from 'vitest';

import { readMultiGenLru } from '../../../../src/sources/host/multi-gen-lru.ts';
import { AMD_HOST, failureOf, HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

describe('the multi-generational LRU', () => {
  it('shows its components as a bit mask', () => {
    expect(valueIn(readMultiGenLru(HOST))).toEqual({
      enabled: true,
      leafAgeing: true,
      nonLeafAgeing: true,
      minimumAgeSeconds: 1.5,
    });
  });

  it('is absent on kernels without', () => {
    expect(failureOf(readMultiGenLru(AMD_HOST))).toBe('absent');
  });
});
