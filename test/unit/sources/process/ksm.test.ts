import { execFileSync } from 'node:child_process';
import { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { Deadline } from '../../../../src/runtime/deadline.ts';
import { DeadlineFileReader } from '../../../../src/sources/kernel/deadline-file.ts';
import { parseProcessKsm, ProcessKsmReader } from '../../../../src/sources/process/ksm.ts';
import type { Roots } from '../../../../src/sources/kernel/roots.ts';
import { failureOf, HOST, valueIn } from '../kernel-fixtures.ts';

const reader = (roots: Roots): ProcessKsmReader =>
  new ProcessKsmReader(roots, new DeadlineFileReader());

/** A /proc in which ksm_stat of process 6001 never answers: a named pipe nobody writes to. */
function procWithStuckKsmStat(): string {
  const procfs = mkdtempSync(join(tmpdir(), 'ksm-'));
  mkdirSync(`${procfs}/self`);
  mkdirSync(`${procfs}/6001`);
  cpSync(`${HOST.procfs}/6001/ksm_merging_pages`, `${procfs}/6001/ksm_merging_pages`);
  execFileSync('mkfifo', [`${procfs}/6001/ksm_stat`]);
  return procfs;
}

/** Ends the reads which are stuck, for Node can not exit before, and removes the tree. */
function release(procfs: string, ...pipes: readonly string[]): void {
  for (const pipe of pipes.length === 0 ? ['ksm_stat'] : pipes) {
    const fd = openSync(`${procfs}/6001/${pipe}`, 'r+');
    writeSync(fd, 'late');
    closeSync(fd);
  }
  rmSync(procfs, { recursive: true });
}

describe('KSM of a process', () => {
  it('of a new kernel comes in two syntaxes', async () => {
    expect(valueIn(await reader(HOST).read(4242, Deadline.in(1000)))).toEqual({
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
    expect(valueIn(await reader(HOST).read(6012, Deadline.in(1000)))).toEqual({
      rmapItems: 4096,
      zeroPages: 16,
      mergingPages: 12,
      profitBytes: 28 * 4096 - 4096 * 64,
      mergeAny: undefined,
      mergeable: undefined,
    });
  });

  it('of kernel 6.1 has its merged pages in a file of their own', async () => {
    expect(valueIn(await reader(HOST).read(6001, Deadline.in(1000)))).toEqual({
      rmapItems: 4096,
      zeroPages: undefined,
      mergingPages: 2048,
      profitBytes: undefined,
      mergeAny: undefined,
      mergeable: undefined,
    });
  });

  it('is the merged pages alone when the lock a new kernel takes for it is held', async () => {
    const procfs = procWithStuckKsmStat();
    cpSync(`${HOST.procfs}/self/ksm_stat`, `${procfs}/self/ksm_stat`);
    const ksm = valueIn(await reader({ ...HOST, procfs }).read(6001, Deadline.in(30)));
    expect(ksm.mergingPages).toBe(2048);
    expect(ksm.rmapItems).toBeUndefined();
    release(procfs);
  });

  it('needs no deadline on kernels which take no lock: not even a stuck reader stops it', async () => {
    const procfs = procWithStuckKsmStat();
    cpSync(`${HOST.procfs}/6012`, `${procfs}/6012`, { recursive: true });
    const files = new DeadlineFileReader();
    const stuck = [`${procfs}/6001/ksm_stat`, `${procfs}/6001/also_stuck`];
    execFileSync('mkfifo', [`${procfs}/6001/also_stuck`]);
    await Promise.all(stuck.map((path) => files.read(path, Deadline.in(20))));
    const ksm = await new ProcessKsmReader({ ...HOST, procfs }, files).read(
      6012,
      Deadline.in(1000),
    );
    expect(valueIn(ksm).mergingPages).toBe(12);
    release(procfs, 'ksm_stat', 'also_stuck');
  });

  it('is absent for a zombie, whose file is empty, and for a process that is gone', async () => {
    expect(failureOf(await reader(HOST).read(4300, Deadline.in(1000)))).toBe('absent');
    expect(failureOf(await reader(HOST).read(999_999, Deadline.in(1000)))).toBe('absent');
  });

  it('is malformed when the file says something else', () => {
    expect(failureOf(parseProcessKsm('VmRSS: 12 kB\n', 'ksm_stat'))).toBe('malformed');
  });
});
