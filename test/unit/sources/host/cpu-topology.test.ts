import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { CpuTopologyReader } from '../../../../src/sources/host/cpu-topology.ts';
import type { Roots } from '../../../../src/sources/kernel/roots.ts';
import { AMD_HOST, failureOf, HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

/** A host whose /sys has these files below devices/system/cpu, and whose /proc/cpuinfo says this. */
function hostWith(files: Readonly<Record<string, string>>, cpuinfo: string): Roots {
  const root = mkdtempSync(join(tmpdir(), 'topology-'));
  onTestFinished(() => {
    rmSync(root, { recursive: true });
  });
  const directory = join(root, 'sys/devices/system/cpu');
  mkdirSync(directory, { recursive: true });
  mkdirSync(join(root, 'proc'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  writeFileSync(join(root, 'proc/cpuinfo'), cpuinfo);
  return { procfs: join(root, 'proc'), sysfs: join(root, 'sys'), rootfs: '' };
}

/** The lists of a host with 20 cores of 8 threads. */
function power8(online: string, more: Readonly<Record<string, string>> = {}): Roots {
  return hostWith(
    { online: `${online}\n`, present: '0-159\n', offline: '1-7\n', ...more },
    'processor\t: 0\ncpu\t\t: POWER8E (raw), altivec supported\nclock\t\t: 3690.000000MHz\n',
  );
}

const PRIMARIES = Array.from({ length: 20 }, (_, core) => core * 8).join();

describe('POWER8, whose secondary threads are offline by design', () => {
  const threads = (roots: Roots) => valueIn(new CpuTopologyReader(roots).read()).threadsPerCpu;

  it('has 8 threads for guests where one CPU is online', () => {
    const topology = valueIn(
      new CpuTopologyReader(power8(PRIMARIES, { subcores_per_core: '1\n' })).read(),
    );
    expect(topology.online).toHaveLength(20);
    expect(topology.threadsPerCpu).toBe(8);
    expect(threads(power8(PRIMARIES))).toBe(8);
  });

  it('has those of a sub-core where cores are split', () => {
    const halves = Array.from({ length: 40 }, (_, half) => half * 4).join();
    expect(threads(power8(halves, { subcores_per_core: '2\n' }))).toBe(4);
  });

  it('counts as any other host when a single secondary thread is online', () => {
    expect(threads(power8(`0,4,${PRIMARIES.slice(2)}`, { subcores_per_core: '1\n' }))).toBe(1);
    expect(threads(power8('0-159', { subcores_per_core: '1\n' }))).toBe(1);
  });

  it('is not any host with SMT switched off', () => {
    const xeon = hostWith(
      { online: '0,2,4,6\n', present: '0-7\n', offline: '1,3,5,7\n' },
      'processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\n',
    );
    expect(threads(xeon)).toBe(1);
  });
});

describe('CPU topology', () => {
  it('tells which CPUs exist, run, are isolated and tickless', () => {
    const topology = valueIn(new CpuTopologyReader(HOST).read());
    expect(topology.present).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(topology.online).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(topology.offline).toEqual([7]);
    expect(topology.isolated).toEqual([5, 6]);
    expect(topology.tickless).toEqual([5, 6]);
  });

  it('counts cores, not hardware threads: 7 online threads are 4 cores in 2 packages', () => {
    const topology = valueIn(new CpuTopologyReader(HOST).read());
    expect(topology.coreCount).toBe(4);
    expect(topology.packageCount).toBe(2);
  });

  it('places each CPU: its siblings, package and NUMA node', () => {
    const { cpus } = valueIn(new CpuTopologyReader(HOST).read());
    expect(cpus[4]).toEqual({ cpu: 4, siblings: [0, 4], package: 0, node: 0 });
    // Its sibling, CPU 7, is offline.
    expect(cpus[3]).toEqual({ cpu: 3, siblings: [3], package: 1, node: 1 });
  });

  it('is read again when a CPU comes or goes, and what may change without one at each reading', () => {
    const roots = hostWith({ online: '0-1\n', present: '0-2\n', isolated: '\n' }, '');
    const cpus = join(roots.sysfs, 'devices/system/cpu');
    const pair = (cpu: number, siblings: string): void => {
      mkdirSync(join(cpus, `cpu${cpu}/topology`), { recursive: true });
      writeFileSync(join(cpus, `cpu${cpu}/topology/thread_siblings_list`), `${siblings}\n`);
    };
    for (const cpu of [0, 1]) pair(cpu, '0-1');
    const reader = new CpuTopologyReader(roots);
    expect(valueIn(reader.read()).coreCount).toBe(1);

    writeFileSync(join(cpus, 'isolated'), '1\n');
    expect(valueIn(reader.read()).isolated).toEqual([1]);

    pair(2, '2');
    writeFileSync(join(cpus, 'online'), '0-2\n');
    const { coreCount, cpus: places } = valueIn(reader.read());
    expect(coreCount).toBe(2);
    expect(places.map(({ cpu }) => cpu)).toEqual([0, 1, 2]);
  });

  it('is absent where /sys is not', () => {
    expect(failureOf(new CpuTopologyReader(AMD_HOST).read())).toBe('absent');
  });
});
