import { describe, expect, it } from 'vitest';

import { readCpuTopology } from '../../../src/sources/cpu-topology.ts';
import { AMD_HOST, failureOf, HOST, valueIn } from './kernel-fixtures.ts';

describe('CPU topology', () => {
  it('tells which CPUs exist, run, are isolated and tickless', () => {
    const topology = valueIn(readCpuTopology(HOST));
    expect(topology.present).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(topology.online).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(topology.offline).toEqual([7]);
    expect(topology.isolated).toEqual([5, 6]);
    expect(topology.tickless).toEqual([5, 6]);
  });

  it('counts cores, not hardware threads: 7 online threads are 4 cores in 2 packages', () => {
    const topology = valueIn(readCpuTopology(HOST));
    expect(topology.coreCount).toBe(4);
    expect(topology.packageCount).toBe(2);
  });

  it('places each CPU: its siblings, package and NUMA node', () => {
    const { cpus } = valueIn(readCpuTopology(HOST));
    expect(cpus[4]).toEqual({ cpu: 4, siblings: [0, 4], package: 0, node: 0 });
    // Its sibling, CPU 7, is offline.
    expect(cpus[3]).toEqual({ cpu: 3, siblings: [3], package: 1, node: 1 });
  });

  it('is absent where /sys is not', () => {
    expect(failureOf(readCpuTopology(AMD_HOST))).toBe('absent');
  });
});
