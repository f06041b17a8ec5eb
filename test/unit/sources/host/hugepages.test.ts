import { describe, expect, it } from 'vitest';

import {
  readHugePagePools,
  readNodeHugePagePools,
} from '../../../../src/sources/host/hugepages.ts';
import { AMD_HOST, failureOf, HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

describe('huge page pools', () => {
  it('are told apart by page size, smallest first', () => {
    expect(valueIn(readHugePagePools(HOST))).toEqual([
      {
        pageBytes: 2 ** 21,
        total: 8192,
        free: 2048,
        surplus: 0,
        reserved: 1024,
        overcommitLimit: 0,
      },
      { pageBytes: 2 ** 30, total: 4, free: 0, surplus: 0, reserved: 0, overcommitLimit: 0 },
    ]);
  });

  it('of a node have no reservations, for the kernel keeps those per host', () => {
    expect(valueIn(readNodeHugePagePools(HOST, 1))).toEqual([
      {
        pageBytes: 2 ** 21,
        total: 4096,
        free: 1024,
        surplus: 0,
        reserved: undefined,
        overcommitLimit: undefined,
      },
      {
        pageBytes: 2 ** 30,
        total: 0,
        free: 0,
        surplus: 0,
        reserved: undefined,
        overcommitLimit: undefined,
      },
    ]);
  });

  it('are absent on a kernel without hugetlbfs', () => {
    expect(failureOf(readHugePagePools(AMD_HOST))).toBe('absent');
    expect(failureOf(readNodeHugePagePools(HOST, 9))).toBe('absent');
  });
});
