import { describe, expect, it } from 'vitest';

import { parseKsm, readKsm } from '../../../../src/sources/host/ksm.ts';
import {
  AMD_HOST,
  failureOf,
  HOST,
  NOWHERE,
  valueIn,
} from '../../../support/sources/kernel-fixtures.ts';

describe('KSM', () => {
  it('of a new kernel has the advisor, zero pages and the profit', () => {
    const ksm = valueIn(readKsm(HOST));
    expect(ksm).toMatchObject({
      run: 1,
      pagesShared: 100_000,
      pagesSharing: 900_000,
      zeroPages: 40_000,
      mergeAcrossNodes: false,
      smartScan: true,
      sleepSeconds: 0.02,
      advisorMode: 'scan-time',
      advisorMaxCpuPercent: 70,
    });
    // (sharing + zero pages) pages - 64 bytes for each of the 1,052,500 tracked.
    expect(ksm.generalProfitBytes).toBe(940_000 * 4096 - 1_052_500 * 64);
  });

  it('of kernel 6.1 has none of these', () => {
    const ksm = valueIn(readKsm(AMD_HOST));
    expect(ksm.run).toBe(2);
    expect(ksm.fullScans).toBe(9);
    expect(ksm.zeroPages).toBeUndefined();
    expect(ksm.generalProfitBytes).toBeUndefined();
    expect(ksm.advisorMode).toBeUndefined();
    expect(ksm.smartScan).toBeUndefined();
  });

  it('can make a loss', () => {
    const files = new Map([
      ['run', '1\n'],
      ['general_profit', '-4096\n'],
    ]);
    expect(valueIn(parseKsm(files, 'ksm')).generalProfitBytes).toBe(-4096);
  });

  it('is absent on a kernel without it and malformed without run', () => {
    expect(failureOf(readKsm(NOWHERE))).toBe('absent');
    expect(failureOf(parseKsm(new Map(), 'ksm'))).toBe('malformed');
  });
});
