import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Deadline } from '../../../../src/runtime/deadline.ts';
import type { Result } from '../../../../src/runtime/result.ts';
import { DeadlineFileReader } from '../../../../src/sources/kernel/deadline-file.ts';
import { parseProcessKsm, ProcessKsmReader } from '../../../../src/sources/process/ksm.ts';
import type { Roots } from '../../../../src/sources/kernel/roots.ts';
import type { ProcessKsm } from '../../../../src/model/process.ts';
import { failureOf, HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

const START = 4_000_000;

const reader = (roots: Roots): ProcessKsmReader =>
  new ProcessKsmReader(roots, new DeadlineFileReader());

const read = (roots: Roots, pid: number): Promise<Result<ProcessKsm>> =>
  reader(roots).read({ pid, startTimeTicks: START }, Deadline.in(1000));

describe('KSM of a process', () => {
  it('of a new kernel comes in two syntaxes', async () => {
    expect(valueIn(await read(HOST, 4242))).toEqual({
      rmapItems: 1_048_576,
      zeroPages: 1000,
      mergingPages: 786_432,
      // (786,432 + 1,000) pages - 64 bytes for each rmap item.
      profitBytes: 787_432 * 4096 - 1_048_576 * 64,
      mergeAny: false,
      mergeable: true,
    });
  });

  it('of kernel 6.12 has four lines, and may be a loss', async () => {
    expect(valueIn(await read(HOST, 6012))).toEqual({
      rmapItems: 4096,
      zeroPages: 16,
      mergingPages: 12,
      profitBytes: 28 * 4096 - 4096 * 64,
      mergeAny: undefined,
      mergeable: undefined,
    });
  });

  it('of kernel 6.1 has its merged pages in a file of their own', async () => {
    expect(valueIn(await read(HOST, 6001))).toEqual({
      rmapItems: 4096,
      zeroPages: undefined,
      mergingPages: 2048,
      profitBytes: undefined,
      mergeAny: undefined,
      mergeable: undefined,
    });
  });

  it('is absent for a zombie, whose file is empty, and for a process that is gone', async () => {
    expect(failureOf(await read(HOST, 4300))).toBe('absent');
    expect(failureOf(await read(HOST, 999_999))).toBe('absent');
  });

  it('is malformed when the file says something else', () => {
    expect(failureOf(parseProcessKsm('VmRSS: 12 kB\n', 'ksm_stat'))).toBe('malformed');
  });
});

/** As kernel 6.18 prints it of a process that nothing was merged of. */
function ksmStat(rmapItems: number, mergingPages: number, mergeable: string): string {
  return `ksm_rmap_items ${rmapItems}\nksm_zero_pages 0\nksm_merging_pages ${mergingPages}\nksm_process_profit 0\nksm_merge_any: no\nksm_mergeable: ${mergeable}\n`;
}

describe('KSM of a process that ksmd has nothing of', () => {
  let roots: Roots;
  let ksm: ProcessKsmReader;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const root = mkdtempSync(join(tmpdir(), 'process-ksm-'));
    roots = { procfs: join(root, 'proc'), sysfs: join(root, 'sys'), rootfs: '' };
    mkdirSync(join(roots.procfs, '7'), { recursive: true });
    cpSync(join(HOST.procfs, 'self'), join(roots.procfs, 'self'), { recursive: true });
    mkdirSync(join(roots.sysfs, 'kernel/mm/ksm'), { recursive: true });
    ksm = reader(roots);
    scan(false);
    write(ksmStat(0, 0, 'yes'));
  });
  afterEach(() => {
    vi.useRealTimers();
    rmSync(join(roots.procfs, '..'), { recursive: true });
  });

  const write = (text: string): void => {
    writeFileSync(join(roots.procfs, '7/ksm_stat'), text);
  };
  const scan = (run: boolean, pagesScanned = 1000): void => {
    writeFileSync(join(roots.sysfs, 'kernel/mm/ksm/run'), `${Number(run)}\n`);
    writeFileSync(join(roots.sysfs, 'kernel/mm/ksm/pages_scanned'), `${pagesScanned}\n`);
  };
  const collect = async (startTimeTicks = START): Promise<ProcessKsm> => {
    ksm.startCollection(new Set([7]));
    return valueIn(await ksm.read({ pid: 7, startTimeTicks }, Deadline.in(60_000)));
  };

  it('is asked every half minute while ksmd does not scan: only whether it may be merged can change', async () => {
    expect(await collect()).toMatchObject({ rmapItems: 0, mergeable: true });
    write(ksmStat(0, 0, 'no'));
    vi.advanceTimersByTime(29_000);
    expect(await collect()).toMatchObject({ mergeable: true });
    vi.advanceTimersByTime(1_000);
    expect(await collect()).toMatchObject({ mergeable: false });
  });

  it('is asked at each collection from the one on that sees ksmd scan', async () => {
    await collect();
    scan(true);
    write(ksmStat(10, 4, 'yes'));
    expect(await collect()).toMatchObject({ rmapItems: 10, mergingPages: 4 });
    write(ksmStat(12, 6, 'yes'));
    expect(await collect()).toMatchObject({ rmapItems: 12, mergingPages: 6 });
  });

  it('is asked at once when ksmd has scanned between two collections and stands still again', async () => {
    await collect();
    scan(false, 1200);
    write(ksmStat(10, 4, 'yes'));
    expect(await collect()).toMatchObject({ rmapItems: 10, mergingPages: 4 });
  });

  it.each(['run', 'pages_scanned'])(
    'is asked at each collection where the kernel does not show %s',
    async (file) => {
      rmSync(join(roots.sysfs, 'kernel/mm/ksm', file));
      await collect();
      write(ksmStat(10, 4, 'yes'));
      expect(await collect()).toMatchObject({ rmapItems: 10 });
    },
  );

  it('is asked again of another process under the same number', async () => {
    await collect();
    write(ksmStat(0, 0, 'no'));
    expect(await collect(START + 1)).toMatchObject({ mergeable: false });
  });

  it('is not what it was when something of it was merged: a stopped ksmd leaves that, the guest writes to it', async () => {
    write(ksmStat(10, 4, 'yes'));
    expect(await collect()).toMatchObject({ mergingPages: 4 });
    write(ksmStat(10, 3, 'yes'));
    expect(await collect()).toMatchObject({ mergingPages: 3 });
  });
});
