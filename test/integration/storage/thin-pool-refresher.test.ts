import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  findThinPoolProgram,
  ThinPoolRefresher,
  type ThinStorageReport,
} from '../../../src/sources/lvm/thin-pool-refresher.ts';
import { until } from '../../support/until.ts';
import { storageFixture } from '../../support/sources/storage-fixture.ts';

describe('asking lvs in the background', () => {
  let directory: string;
  let refresher: ThinPoolRefresher | undefined;

  /** A program in the place of lvs, which notes each start and end. */
  const start = (body: string, intervalMs: number, timeoutMs = 5000): ThinPoolRefresher => {
    const lvs = join(directory, 'lvs');
    const log = join(directory, 'log');
    writeFileSync(log, '');
    writeFileSync(
      lvs,
      `#!/bin/sh\nPATH=/usr/bin:/bin\necho "start $*" >>${log}\n${body}\necho end >>${log}\n`,
    );
    chmodSync(lvs, 0o755);
    writeFileSync(join(directory, 'lvs.json'), storageFixture('lvs.json'));
    refresher = new ThinPoolRefresher({
      program: { name: 'lvs', path: lvs },
      intervalMs,
      timeoutMs,
    });
    refresher.start();
    return refresher;
  };
  const reportOf = async (asked: ThinPoolRefresher): Promise<ThinStorageReport> => {
    await until('a report of lvs', () => asked.report !== undefined);
    if (asked.report === undefined) throw new Error('no report');
    return asked.report;
  };
  const log = (): string[] => readFileSync(join(directory, 'log'), 'utf8').trim().split('\n');

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'lvs-'));
  });
  afterEach(() => {
    refresher?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('keeps the last report and when it was taken', async () => {
    const before = performance.now();
    const asked = start(`cat ${join(directory, 'lvs.json')}`, 60_000);
    expect(asked.report).toBeUndefined();
    const { storage, takenAt } = await reportOf(asked);
    expect(storage.ok && storage.value.pools).toHaveLength(5);
    expect(takenAt).toBeGreaterThanOrEqual(before);
    expect(takenAt).toBeLessThanOrEqual(performance.now());
    expect(log()[0]).toContain('--reportformat json --units b --nosuffix -o vg_name,lv_name');
  });

  it('never runs two at a time', async () => {
    start('sleep 0.3', 50);
    await until('two runs of lvs', () => log().length > 3);
    log().forEach((line, i) => {
      expect(line.split(' ')[0]).toBe(i % 2 === 0 ? 'start' : 'end');
    });
  });

  it('kills one that hangs, and says so', async () => {
    const { storage } = await reportOf(start('exec sleep 30', 60_000, 200));
    expect(storage).toMatchObject({ ok: false, error: { kind: 'timeout', subject: 'lvs' } });
  });

  it('tells what lvs complained of', async () => {
    const body = 'echo "  /run/lock/lvm/P_global:aux: open failed: Permission denied" >&2; exit 5';
    const { storage } = await reportOf(start(body, 60_000));
    expect(storage).toMatchObject({ ok: false, error: { kind: 'denied' } });
  });
});

describe('the program to ask', () => {
  let directory: string;

  const install = (name: string): string => {
    writeFileSync(join(directory, name), '#!/bin/sh\n', { mode: 0o755 });
    return join(directory, name);
  };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'sbin-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it('is lvs wherever it is, else dmsetup, else none', () => {
    const directories = ['/nonexistent', directory];
    expect(findThinPoolProgram(directories)).toBeUndefined();
    const dmsetup = install('dmsetup');
    expect(findThinPoolProgram(directories)).toEqual({ name: 'dmsetup', path: dmsetup });
    const lvs = install('lvs');
    expect(findThinPoolProgram(directories)).toEqual({ name: 'lvs', path: lvs });
  });

  it('tells of pools only when it is dmsetup', async () => {
    const path = install('dmsetup');
    writeFileSync(
      path,
      `#!/bin/sh\n[ "$*" = "status --target thin-pool" ] || exit 3\n` +
        `printf 'docker-pool: 0 209715200 thin-pool 7 31129/262144 155648/163840 - rw ' && ` +
        `printf 'discard_passdown queue_if_no_space - 1024\\n'\n`,
    );
    const asked = new ThinPoolRefresher({
      program: { name: 'dmsetup', path },
      intervalMs: 60_000,
      timeoutMs: 5000,
    });
    asked.start();
    try {
      await expect
        .poll(() => asked.report?.storage, { timeout: 5000 })
        .toMatchObject({
          ok: true,
          // 100 GiB in 163840 blocks, 95 % of them used.
          value: {
            pools: [{ name: 'docker-pool', dataUsedBytes: 95 * 2 ** 30 }],
            volumes: undefined,
          },
        });
    } finally {
      asked.stop();
    }
  });
});
