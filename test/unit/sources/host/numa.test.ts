import { describe, expect, it } from 'vitest';

import {
  parseNodeMeminfo,
  parseNumastat,
  readNumaNodes,
} from '../../../../src/sources/host/numa.ts';
import { AMD_HOST, failureOf, HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

describe('NUMA nodes', () => {
  it('each have CPUs and memory of their own', () => {
    const [first, second] = valueIn(readNumaNodes(HOST));
    expect(first?.cpus).toEqual([0, 1, 4, 5]);
    expect(first?.memory.freeBytes).toBe(1048576 * 1024);
    expect(second?.node).toBe(1);
    expect(second?.memory.anonymousBytes).toBe(88080384 * 1024);
    expect(second?.memory.fileBytes).toBe(10485760 * 1024);
    expect(
      second?.hugePages?.map(({ pageBytes, total, free }) => [pageBytes, total, free]),
    ).toEqual([
      [2 ** 21, 4096, 1024],
      [2 ** 30, 0, 0],
    ]);
  });

  it('count allocations which had to go to another node', () => {
    const [first, second] = valueIn(readNumaNodes(HOST));
    expect(first?.allocations?.foreign).toBe(1000n);
    expect(second?.allocations).toEqual({
      hit: 9000001n,
      miss: 1000n,
      foreign: 0n,
      local: 8999001n,
      other: 1000n,
    });
  });

  it('are absent on a kernel without NUMA', () => {
    expect(failureOf(readNumaNodes(AMD_HOST))).toBe('absent');
  });

  it('are malformed without a total; half a numastat is none', () => {
    expect(failureOf(parseNodeMeminfo('Node 0 MemFree: 4 kB\n', 'node0'))).toBe('malformed');
    expect(parseNumastat('numa_hit 1\nnuma_miss 2\n')).toBeUndefined();
  });
});
