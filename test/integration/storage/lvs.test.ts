import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { VolumeGroup } from '../../support/storage/volume-group.ts';

const MIB = 1024 ** 2;

describe("what Debian's lvs says of a volume group", () => {
  let group: VolumeGroup;
  beforeAll(() => {
    group = new VolumeGroup();
  });
  afterAll(() => {
    group[Symbol.dispose]();
  });

  it('is a pool and two volumes, neither the plain volume nor what LVM hides', () => {
    expect(group.lvs()).toEqual({
      pools: [
        {
          vgName: group.name,
          name: 'pool',
          sizeBytes: 16 * MIB,
          dataUsedBytes: undefined,
          metadataSizeBytes: 4 * MIB,
          metadataUsedBytes: undefined,
          state: 'unknown',
          needsCheck: undefined,
          queueWhenFull: true,
          monitored: undefined,
          // 15 extents less 2 of the plain volume, 4 of data, 1 of metadata and 1 spare.
          vgFreeBytes: 7 * 4 * MIB,
        },
      ],
      volumes: [
        {
          vgName: group.name,
          name: 'web',
          poolName: 'pool',
          sizeBytes: 400 * MIB,
          usedBytes: undefined,
          device: undefined,
          origin: undefined,
        },
        {
          vgName: group.name,
          name: 'web-before',
          poolName: 'pool',
          sizeBytes: 400 * MIB,
          usedBytes: undefined,
          device: undefined,
          origin: 'web',
        },
      ],
    });
  });

  it('is read right although lvs writes a row for each segment', () => {
    expect(group.rowsOf('thick')).toBe(2);
    expect(group.rowsOf('pool')).toBe(1);
  });

  it('does not depend on how lvm.conf wants words written', () => {
    const plain = group.lvs();
    group.configure('report { binary_values_as_numeric=1 headings=0 units="g" suffix=1 }');
    try {
      expect(group.lvs()).toEqual(plain);
    } finally {
      group.configure('');
    }
  });
});
