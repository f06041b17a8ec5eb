import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { PolicyStore } from '../../../src/config/policy-store.ts';
import { DEFAULT_POLICY, findLimit } from '../../../src/config/policy.ts';

describe('the policy in force', () => {
  let directory: string;
  let path: string;
  let clock = 1000;
  const promiseOf = (store: PolicyStore): number | undefined =>
    findLimit(store.policy, 'cpu.promised_ratio').warning;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'policy-'));
    path = join(directory, 'policy.yaml');
    clock = 1000;
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('is the built-in one until a file is read', async () => {
    writeFileSync(path, 'cpu: { promised_ratio: { warning: 6 } }');
    const store = new PolicyStore(path, () => clock);
    expect(store.policy).toBe(DEFAULT_POLICY);
    clock = 1001;
    await store.reload();
    expect(promiseOf(store)).toBe(6);
    expect([store.lastReadOk, store.loadedAtSeconds]).toEqual([true, 1001]);
  });

  it('stays when the new file is broken, says so, and recovers', async () => {
    writeFileSync(path, 'cpu: { promised_ratio: { warning: 6 } }');
    const store = new PolicyStore(path, () => clock);
    await store.reload();
    clock = 2000;
    writeFileSync(path, 'cpu: { promised_ratio: { warning: six } }');
    expect(await store.reload()).toEqual({
      ok: false,
      error: [`${path}:1: cpu.promised_ratio.warning: allowed is a ratio like 1.5 or 5%`],
    });
    expect(promiseOf(store)).toBe(6);
    expect([store.lastReadOk, store.loadedAtSeconds]).toEqual([false, 1000]);
    writeFileSync(path, 'cpu: { promised_ratio: { warning: 7 } }');
    await store.reload();
    expect(promiseOf(store)).toBe(7);
    expect([store.lastReadOk, store.loadedAtSeconds]).toEqual([true, 2000]);
  });

  it('counts maintenance from the writing of the file, whenever it is read, down to 0', async () => {
    writeFileSync(path, 'maintenance: 2h');
    utimesSync(path, 500, 500);
    const store = new PolicyStore(path, () => clock);
    expect(store.maintenanceRemainingSeconds).toBe(0);
    await store.reload();
    expect(store.maintenanceRemainingSeconds).toBe(6700);
    clock = 2000;
    await store.reload();
    expect(store.maintenanceRemainingSeconds).toBe(5700);
    clock = 7701;
    expect(store.maintenanceRemainingSeconds).toBe(0);
  });

  it('ends maintenance when the file no longer names it, and never lasts longer than it says', async () => {
    writeFileSync(path, 'maintenance: 2h');
    utimesSync(path, 90_000, 90_000);
    const store = new PolicyStore(path, () => clock);
    await store.reload();
    expect(store.maintenanceRemainingSeconds).toBe(7200);
    writeFileSync(path, 'reserves: { cpus: 1 }');
    await store.reload();
    expect(store.maintenanceRemainingSeconds).toBe(0);
  });

  it('stays when the file vanishes', async () => {
    writeFileSync(path, 'cpu: { promised_ratio: { warning: 6 } }');
    const store = new PolicyStore(path);
    await store.reload();
    rmSync(path);
    expect((await store.reload()).ok).toBe(false);
    expect(promiseOf(store)).toBe(6);
  });

  it('is what the file says at the last of several calls', async () => {
    writeFileSync(path, 'cpu: { promised_ratio: { warning: 6 } }');
    const store = new PolicyStore(path);
    const first = store.reload();
    writeFileSync(path, 'cpu: { promised_ratio: { warning: 8 } }');
    await Promise.all([first, store.reload()]);
    expect(promiseOf(store)).toBe(8);
  });

  it('needs no file', async () => {
    const store = new PolicyStore(undefined);
    expect(await store.reload()).toEqual({ ok: true, value: DEFAULT_POLICY });
  });
});
