import { describe, expect, it } from 'vitest';

import {
  parseLegacyNumaStat,
  parseUnifiedNumaStat,
  readProcessNuma,
} from '../../../../src/sources/process/numa.ts';
import { cgroupHost, failureOf, valueIn } from '../../../support/sources/kernel-fixtures.ts';

describe('where a guest’s memory lies', () => {
  it('is counted in bytes on v2: 8 GiB and its shared memory on node 0, 3.75 GiB on node 1', () => {
    const path = `${cgroupHost('cgroup-v2').sysfs}/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope`;
    expect(valueIn(readProcessNuma({ version: 2, path }, 4096))).toEqual([
      {
        node: 0,
        swapBackedBytes: 8 * 2 ** 30 + 246_022_144,
        fileCacheBytes: 268_435_456 - 246_022_144,
      },
      { node: 1, swapBackedBytes: 3.75 * 2 ** 30, fileCacheBytes: 0 },
    ]);
  });

  it('is counted in pages on v1, the groups inside included', () => {
    const path = `${cgroupHost('cgroup-v1').sysfs}/fs/cgroup/memory/machine/qemu-3-db.libvirt-qemu`;
    expect(valueIn(readProcessNuma({ version: 1, path }, 4096))).toEqual([
      { node: 0, swapBackedBytes: 640_000 * 4096, fileCacheBytes: 60_000 * 4096 },
      { node: 1, swapBackedBytes: 260_000 * 4096, fileCacheBytes: 40_000 * 4096 },
    ]);
  });

  it('is absent on a kernel without NUMA, malformed without the anon line', () => {
    expect(failureOf(readProcessNuma({ version: 2, path: '/nowhere' }, 4096))).toBe('absent');
    expect(failureOf(parseUnifiedNumaStat('file N0=1\n', 'numa_stat'))).toBe('malformed');
  });

  it.each([
    ['more than any machine has', 'N0=18446744073709551615'],
    ['a node there cannot be', 'N9223372036854775808=1'],
    ['a node twice', 'N0=1 N0=2'],
  ])('is malformed with %s', (_, nodes) => {
    const unified = `anon ${nodes}\nfile ${nodes}\nshmem ${nodes}\n`;
    expect(failureOf(parseUnifiedNumaStat(unified, 's'))).toBe('malformed');
    const legacy = `anon=1 ${nodes}\nfile=1 ${nodes}\nunevictable=1 ${nodes}\n`;
    expect(failureOf(parseLegacyNumaStat(legacy, 4096, 's'))).toBe('malformed');
  });
});
