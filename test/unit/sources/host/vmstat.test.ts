import { describe, expect, it } from 'vitest';

import { parseVmstat, readVmstat } from '../../../../src/sources/host/vmstat.ts';
import { failureOf, HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

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

  it('adds up what kernels before 4.8 count by memory zone', () => {
    // Linux 3.10 of CentOS 7; pgscan_direct_throttle is no zone.
    const text = `pgfault 87650123
pgmajfault 5511
pgsteal_kswapd_dma 0
pgsteal_kswapd_dma32 1200
pgsteal_kswapd_normal 34000
pgsteal_kswapd_movable 0
pgsteal_direct_dma 0
pgsteal_direct_dma32 5
pgsteal_direct_normal 70
pgsteal_direct_movable 0
pgscan_kswapd_dma 1
pgscan_kswapd_dma32 1300
pgscan_kswapd_normal 35000
pgscan_kswapd_movable 0
pgscan_direct_dma 0
pgscan_direct_dma32 6
pgscan_direct_normal 80
pgscan_direct_movable 0
pgscan_direct_throttle 9
slabs_scanned 1
pageoutrun 1
allocstall 4
workingset_refault 21
workingset_activate 12
`;
    const { counters, directReclaims } = valueIn(parseVmstat(text, 'vmstat'));
    expect(counters.get('pgscan_kswapd')).toBe(36_301n);
    expect(counters.get('pgscan_direct')).toBe(86n);
    expect(counters.get('pgsteal_kswapd')).toBe(35_200n);
    expect(counters.get('pgsteal_direct')).toBe(75n);
    expect(counters.get('pgscan_direct_throttle')).toBe(9n);
    expect(counters.get('workingset_refault_file')).toBe(21n);
    expect(counters.get('workingset_activate_file')).toBe(12n);
    expect(counters.has('workingset_refault_anon')).toBe(false);
    expect(directReclaims).toBe(4n);
  });

  it('gives no sum over zones of which one makes no sense', () => {
    const text = 'pgfault 7\npgscan_kswapd_dma32 1\npgscan_kswapd_normal many\n';
    const reading = parseVmstat(text, 'vmstat');
    expect(valueIn(reading).counters.has('pgscan_kswapd')).toBe(false);
    expect(reading.ok && reading.faults?.some(({ detail }) => detail.includes('normal'))).toBe(
      true,
    );
  });
});
