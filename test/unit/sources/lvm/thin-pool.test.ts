import { describe, expect, it } from 'vitest';

import { parseDmsetupThinPools, parseLvs } from '../../../../src/sources/lvm/thin-pool.ts';
import { storageFixture } from '../../../support/sources/storage-fixture.ts';
import type { ThinPool, ThinStorage } from '../../../../src/model/storage.ts';

const GIB = 1024 ** 3;
const TIB = 1024 ** 4;

describe('dmsetup status of thin pools', () => {
  const pools = (): readonly ThinPool[] => {
    const parsed = parseDmsetupThinPools(storageFixture('dmsetup-status-thin-pool'));
    if (!parsed.ok) throw new Error(parsed.error.detail);
    return parsed.value.pools;
  };

  it('a pool of 1000 GiB at 95 %: blocks of 64 KiB, metadata blocks of 4 KiB', () => {
    expect(pools()[0]).toEqual({
      vgName: undefined,
      name: 'vg0-thin-tpool',
      sizeBytes: 1000 * GIB,
      dataUsedBytes: 15_564_800 * 65_536,
      metadataSizeBytes: GIB,
      metadataUsedBytes: 31_129 * 4096,
      state: 'rw',
      needsCheck: false,
      queueWhenFull: true,
      monitored: undefined,
      vgFreeBytes: undefined,
    });
  });

  it('a pool without data space', () => {
    const [, full] = pools();
    expect(full).toMatchObject({ state: 'out-of-data-space', queueWhenFull: false });
    expect(full?.dataUsedBytes).toBe(full?.sizeBytes);
  });

  it('a pool whose metadata ran out: read-only and to be checked', () => {
    const [, , hurt] = pools();
    expect(hurt).toMatchObject({ state: 'ro', needsCheck: true });
    expect(hurt?.metadataUsedBytes).toBe(hurt?.metadataSizeBytes);
  });

  it('a failed pool tells nothing else', () => {
    expect(pools()[3]).toMatchObject({
      name: 'vg0-dead-tpool',
      state: 'failed',
      dataUsedBytes: undefined,
      metadataUsedBytes: undefined,
      needsCheck: undefined,
    });
  });

  it('a line of an older kernel, without needs_check and low watermark', () => {
    expect(pools()[4]).toMatchObject({ state: 'rw', needsCheck: false, queueWhenFull: true });
  });

  it.each([
    ['data', 'a-pool: 0 2097152 thin-pool 1 10/4096 16385/16384 - rw'],
    ['metadata', 'a-pool: 0 2097152 thin-pool 1 4097/4096 10/16384 - rw'],
  ])('a pool with more %s used than there is, is none', (_, line) => {
    expect(parseDmsetupThinPools(`${line}\n`)).toMatchObject({
      ok: false,
      error: { kind: 'malformed' },
    });
  });

  it('no pools, and no status at all', () => {
    expect(parseDmsetupThinPools('No devices found\n')).toEqual({
      ok: true,
      value: { pools: [], volumes: undefined },
    });
    expect(parseDmsetupThinPools('vg0-root: 0 1024 linear \n')).toMatchObject({
      ok: false,
      error: { kind: 'malformed' },
    });
  });
});

describe('lvs', () => {
  const storage = (): ThinStorage => {
    const parsed = parseLvs(storageFixture('lvs.json'));
    if (!parsed.ok) throw new Error(parsed.error.detail);
    return parsed.value;
  };

  it('lists thin pools and thin volumes only', () => {
    expect(storage().pools.map((pool) => `${pool.vgName ?? ''}/${pool.name}`)).toEqual([
      'vg0/thin',
      'vg0/full',
      'vg0/hurt',
      'vg0/dead',
      'vg1/asleep',
    ]);
    expect(storage().volumes?.map((volume) => volume.name)).toEqual(['web', 'web-before']);
  });

  it('a pool at 95 % with room to extend', () => {
    expect(storage().pools[0]).toEqual({
      vgName: 'vg0',
      name: 'thin',
      sizeBytes: TIB,
      dataUsedBytes: Math.round(0.95 * TIB),
      metadataSizeBytes: GIB,
      metadataUsedBytes: Math.round(0.1187 * GIB),
      state: 'rw',
      needsCheck: false,
      queueWhenFull: true,
      monitored: true,
      vgFreeBytes: 100 * GIB,
    });
  });

  it('pools that are full, read-only, failed and not active', () => {
    expect(storage().pools.slice(1)).toMatchObject([
      { state: 'out-of-data-space', queueWhenFull: false, monitored: false },
      { state: 'ro', needsCheck: true },
      { state: 'failed', needsCheck: undefined, dataUsedBytes: undefined },
      { state: 'unknown', dataUsedBytes: undefined, monitored: undefined, vgFreeBytes: 0 },
    ]);
  });

  it('a volume with its pool, its device and what of it is mapped', () => {
    expect(storage().volumes).toEqual([
      {
        vgName: 'vg0',
        name: 'web',
        poolName: 'thin',
        sizeBytes: 2 * TIB,
        usedBytes: Math.round(0.405 * 2 * TIB),
        device: '253:7',
        origin: undefined,
      },
      {
        vgName: 'vg0',
        name: 'web-before',
        poolName: 'thin',
        sizeBytes: 2 * TIB,
        usedBytes: undefined,
        device: undefined,
        origin: 'web',
      },
    ]);
  });

  it('lists a pool once although lvs may write a row for each of its segments', () => {
    const once = storage();
    const rows = JSON.parse(storageFixture('lvs.json')) as { report: { lv: unknown[] }[] };
    const twice = {
      report: rows.report.map(({ lv }) => ({ lv: lv.flatMap((row) => [row, row]) })),
    };
    expect(parseLvs(JSON.stringify(twice))).toEqual({ ok: true, value: once });
  });

  it('of which more than 100 % is used is none', () => {
    const text = storageFixture('lvs.json').replace('"95.00"', '"9500000000"');
    expect(text).not.toBe(storageFixture('lvs.json'));
    expect(parseLvs(text)).toMatchObject({ ok: false, error: { kind: 'malformed' } });
  });

  it('without any volume, and without JSON', () => {
    expect(parseLvs('{"report":[{"lv":[]}]}')).toEqual({
      ok: true,
      value: { pools: [], volumes: [] },
    });
    expect(parseLvs('  LV VG Attr')).toMatchObject({ ok: false, error: { kind: 'malformed' } });
    expect(parseLvs('{"report":[{"lv":[{}]}]}')).toMatchObject({ ok: false });
  });
});
