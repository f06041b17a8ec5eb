import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { Deadline } from '../../../src/runtime/deadline.ts';
import { DeadlineFileReader } from '../../../src/sources/kernel/deadline-file.ts';
import type { Roots } from '../../../src/sources/kernel/roots.ts';
import { ProcessKsmReader } from '../../../src/sources/process/ksm.ts';
import { makeFifo, releaseFifo } from '../../support/fifo.ts';
import { HOST, valueIn } from '../../support/sources/kernel-fixtures.ts';

const reader = (roots: Roots): ProcessKsmReader =>
  new ProcessKsmReader(roots, new DeadlineFileReader());

/** A /proc in which ksm_stat of process 6001 never answers. */
function procWithStuckKsmStat(): string {
  const procfs = mkdtempSync(join(tmpdir(), 'ksm-'));
  mkdirSync(`${procfs}/self`);
  mkdirSync(`${procfs}/6001`);
  cpSync(`${HOST.procfs}/6001/ksm_merging_pages`, `${procfs}/6001/ksm_merging_pages`);
  makeFifo(`${procfs}/6001/ksm_stat`);
  return procfs;
}

/** Ends the reads that are stuck and removes the tree. */
function release(procfs: string, pipes: readonly string[] = ['ksm_stat']): void {
  for (const pipe of pipes) releaseFifo(`${procfs}/6001/${pipe}`);
  rmSync(procfs, { recursive: true });
}

describe('KSM of a process whose ksm_stat does not answer', () => {
  it('is the merged pages alone when the lock a new kernel takes for it is held', async () => {
    const procfs = procWithStuckKsmStat();
    cpSync(`${HOST.procfs}/self/ksm_stat`, `${procfs}/self/ksm_stat`);
    const ksm = valueIn(
      await reader({ ...HOST, procfs }).read({ pid: 6001, startTimeTicks: 1 }, Deadline.in(30)),
    );
    expect(ksm.mergingPages).toBe(2048);
    expect(ksm.rmapItems).toBeUndefined();
    release(procfs);
  });

  it('needs no deadline on kernels which take no lock: not even a stuck reader stops it', async () => {
    const procfs = procWithStuckKsmStat();
    cpSync(`${HOST.procfs}/6012`, `${procfs}/6012`, { recursive: true });
    const files = new DeadlineFileReader();
    const stuck = [`${procfs}/6001/ksm_stat`, `${procfs}/6001/also_stuck`];
    makeFifo(`${procfs}/6001/also_stuck`);
    await Promise.all(stuck.map((path) => files.read(path, Deadline.in(20))));
    const ksm = await new ProcessKsmReader({ ...HOST, procfs }, files).read(
      { pid: 6012, startTimeTicks: 1 },
      Deadline.in(1000),
    );
    expect(valueIn(ksm).mergingPages).toBe(12);
    release(procfs, ['ksm_stat', 'also_stuck']);
  });
});
