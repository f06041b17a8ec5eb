import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

import { Deadline } from '../../../../src/runtime/deadline.ts';
import { OutcomeLog } from '../../../../src/model/outcome-log.ts';
import { StorageCollector } from '../../../../src/collect/storage-collector.ts';
import { ActiveThinPools } from '../../../../src/sources/lvm/active-thin-pools.ts';
import type { Roots } from '../../../../src/sources/kernel/roots.ts';
import { failureOf, NOWHERE, valueIn } from '../../../support/sources/kernel-fixtures.ts';

const VG = 'm2kPQdCd1rFgMIvN6jQYNxYc0ZNgaBWf';
const THIN = '7Rt5aZw3cXk9LqVb2NnYg8Hs4JdFu6Ep';
const WEB = 'yB3vK8sTq1DxZc6RwLf0Hj5MgN9pUaE2';

/**
 * What device-mapper shows of volume group `vg0` with thin pool `thin` and a thin volume in it, written
 * after the sources of the kernel and of LVM2 (no host with LVM was at hand): a linear volume has no
 * layer, a device without a UUID has an empty line.
 */
const DEVICES: Readonly<Record<string, string>> = {
  'dm-0': `LVM-${VG}${VG}\n`,
  'dm-1': `LVM-${VG}${WEB.toUpperCase()}-tmeta\n`,
  'dm-2': `LVM-${VG}${WEB.toLowerCase()}-tdata\n`,
  'dm-3': `LVM-${VG}${THIN}-tpool\n`,
  'dm-4': `LVM-${VG}${THIN}-pool\n`,
  'dm-5': `LVM-${VG}${WEB}\n`,
  'dm-6': 'CRYPT-LUKS2-0123456789abcdef0123456789abcdef-cryptroot\n',
  'dm-7': '\n',
};

/** A /sys with these devices, and a disk that is none of device-mapper. */
function host(uuids: Readonly<Record<string, string | undefined>>): Roots {
  const root = mkdtempSync(join(tmpdir(), 'thin-pools-'));
  onTestFinished(() => {
    rmSync(root, { recursive: true });
  });
  mkdirSync(join(root, 'block/sda'), { recursive: true });
  for (const [name, uuid] of Object.entries(uuids)) {
    mkdirSync(join(root, 'block', name, 'dm'), { recursive: true });
    if (uuid !== undefined) writeFileSync(join(root, 'block', name, 'dm/uuid'), uuid);
  }
  return { procfs: '/proc', sysfs: root, rootfs: '' };
}

const countOn = async (roots: Roots) => new ActiveThinPools(roots).count();

describe('the number of LVM thin pools', () => {
  it('is that of the pools, whose other devices and volumes are none', async () => {
    expect(valueIn(await countOn(host(DEVICES)))).toBe(1);
    const second = { ...DEVICES, 'dm-11': `LVM-${VG}${WEB}-tpool\n` };
    expect(valueIn(await countOn(host(second)))).toBe(2);
  });

  it('is 0 on a host without device-mapper, and on one without a pool', async () => {
    expect(valueIn(await countOn(host({})))).toBe(0);
    const linear = { 'dm-3': `LVM-${VG}${THIN}\n` };
    expect(valueIn(await countOn(host({ ...DEVICES, ...linear })))).toBe(0);
  });

  it('is that of the devices that are still there', async () => {
    expect(valueIn(await countOn(host({ ...DEVICES, 'dm-8': undefined })))).toBe(1);
  });

  it.each([
    ['is empty', '', 'malformed'],
    ['ends in the middle', `LVM-${VG}${THIN}-tpo`, 'malformed'],
  ])('is not told where a UUID %s', async (_, uuid, why) => {
    expect(failureOf(await countOn(host({ ...DEVICES, 'dm-3': uuid })))).toBe(why);
  });

  it('is not told where a UUID cannot be read (EISDIR)', async () => {
    const roots = host({ 'dm-3': undefined });
    mkdirSync(join(roots.sysfs, 'block/dm-3/dm/uuid'));
    expect(failureOf(await countOn(roots))).toBe('unreadable');
  });

  it('is absent where /sys is not in view', async () => {
    expect(failureOf(await countOn(NOWHERE))).toBe('absent');
  });

  it('is looked up again only after a while', async () => {
    const roots = host(DEVICES);
    const pools = new ActiveThinPools(roots);
    expect(valueIn(await pools.count())).toBe(1);
    rmSync(join(roots.sysfs, 'block/dm-3'), { recursive: true });
    expect(valueIn(await pools.count())).toBe(1);
  });
});

describe('thin pools nobody watches', () => {
  const collect = async (roots: Roots, withThinPools: boolean) => {
    const collector = new StorageCollector(roots, withThinPools);
    onTestFinished(() => {
      collector.close();
    });
    const log = new OutcomeLog(new Set(['image']));
    const storage = await collector.collect([], undefined, log, Deadline.in(10_000));
    const failed = log.outcomes().filter(({ success }) => !success);
    return { storage, failed };
  };

  it('are all of them where the collector is off', async () => {
    const { storage, failed } = await collect(host(DEVICES), false);
    expect(storage?.unwatchedThinPools).toBe(1);
    expect(failed).toEqual([]);
  });

  it('are not known where /sys is not in view, which is no failure', async () => {
    const { storage, failed } = await collect({ ...NOWHERE, procfs: '/proc' }, false);
    expect(storage?.unwatchedThinPools).toBeUndefined();
    expect(failed).toEqual([]);
  });

  it('are a failure of the collector where they are there but cannot be read', async () => {
    const { storage, failed } = await collect(host({ ...DEVICES, 'dm-3': '' }), false);
    expect(storage?.unwatchedThinPools).toBeUndefined();
    expect(failed.map(({ collector }) => collector)).toEqual(['image']);
  });
});
