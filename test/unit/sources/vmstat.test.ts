import { describe, expect, it } from 'vitest';

import { parseVmstat, readVmstat } from '../../../src/sources/vmstat.ts';
import { failureOf, HOST, valueIn } from './kernel-fixtures.ts';

describe('vmstat', () => {
  it('keeps counters beyond 2^53 exact', () => {
    const { counters } = valueIn(readVmstat(HOST));
    expect(counters.get('pgfault')).toBe(18446744073709551000n);
    expect(counters.get('pswpin')).toBe(1200345n);
    expect(counters.get('ksm_swpin_copy')).toBe(12n);
    expect(counters.get('swpin_zero')).toBe(77n);
  });

  it('adds up direct reclaims over the memory zones', () => {
    const vmstat = valueIn(readVmstat(HOST));
    expect(vmstat.directReclaimsByZone.get('normal')).toBe(1500n);
    expect(vmstat.directReclaims).toBe(3n + 1500n + 97n);
  });

  it('has no entry for what this kernel does not count', () => {
    const { counters, directReclaims } = valueIn(parseVmstat('pgfault 7\n', 'vmstat'));
    expect([...counters]).toEqual([['pgfault', 7n]]);
    expect(directReclaims).toBeUndefined();
  });

  it('is malformed when the kernel counts no events', () => {
    expect(failureOf(parseVmstat('nr_free_pages 5\n', 'vmstat'))).toBe('malformed');
  });
});
