import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { KernelThreadReader } from '../../../../src/sources/process/kernel-threads.ts';
import { failureOf, HOST, NOWHERE, valueIn } from '../../../support/sources/kernel-fixtures.ts';

const summary = async (reader: KernelThreadReader): Promise<readonly string[]> =>
  valueIn(await reader.readMemoryManagement()).map(
    ({ comm, cpuSeconds }) => `${comm} ${cpuSeconds}`,
  );

describe('kernel threads', () => {
  let procfs: string;

  beforeEach(() => {
    procfs = mkdtempSync(join(tmpdir(), 'kernel-threads-'));
    for (const pid of [2, 36, 37, 38, 45, 46, 50, 901, 4250]) {
      cpSync(`${HOST.procfs}/${pid}`, `${procfs}/${pid}`, { recursive: true });
    }
  });
  afterEach(() => {
    rmSync(procfs, { recursive: true });
  });

  it('of memory management are found by name and parent, with their CPU time', async () => {
    expect([...(await summary(new KernelThreadReader(HOST)))].sort()).toEqual([
      'kcompactd0 12',
      'khugepaged 43.21',
      'ksmd 3456.78',
      'kswapd0 90',
      'kswapd1 110',
    ]);
  });

  it('are not any process that calls itself so', async () => {
    writeFileSync(`${procfs}/901/stat`, FAKE_KSMD);
    const threads = valueIn(
      await new KernelThreadReader({ ...HOST, procfs }).readMemoryManagement(),
    );
    expect(threads.filter(({ comm }) => comm === 'ksmd').map(({ pid }) => pid)).toEqual([37]);
  });

  it('are looked for again when one is gone', async () => {
    const reader = new KernelThreadReader({ ...HOST, procfs });
    expect(await summary(reader)).toHaveLength(5);
    // Its node's memory went offline and came back: a new kswapd1 under another pid.
    rmSync(`${procfs}/46`, { recursive: true });
    cpSync(`${procfs}/45`, `${procfs}/60`, { recursive: true });
    writeFileSync(
      `${procfs}/60/stat`,
      '60 (kswapd1) S 2 0 0 0 -1 2097216 0 0 0 0 0 100 0 0 20 0 1 0 9999 0 0 1 0 0 0 0 0 0 0 2147483647 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n',
    );
    expect(await summary(reader)).toContain('kswapd1 1');
  });

  it('of virtio NICs belong to a QEMU process (kernels before 6.4)', async () => {
    const vhosts = valueIn(await new KernelThreadReader(HOST).readVhost(true));
    expect(vhosts).toEqual([{ pid: 4250, comm: 'vhost-4242', cpuSeconds: 56, ownerPid: 4242 }]);
  });

  describe('of virtio NICs', () => {
    const countAt = async (
      reader: KernelThreadReader,
      guestsChanged: boolean,
      now: number,
    ): Promise<number> => valueIn(await reader.readVhost(guestsChanged, now)).length;

    it('are seen at once when the caller says that guests changed', async () => {
      const reader = new KernelThreadReader({ ...HOST, procfs });
      expect(await countAt(reader, false, 0)).toBe(1);
      cpSync(`${procfs}/4250`, `${procfs}/4260`, { recursive: true });
      expect(await countAt(reader, false, 1000)).toBe(1);
      expect(await countAt(reader, true, 1000)).toBe(2);
    });

    it('are seen within a minute when a NIC was plugged into a running guest', async () => {
      const reader = new KernelThreadReader({ ...HOST, procfs });
      expect(await countAt(reader, true, 0)).toBe(1);
      cpSync(`${procfs}/4250`, `${procfs}/4260`, { recursive: true });
      expect(await countAt(reader, false, 59_999)).toBe(1);
      expect(await countAt(reader, false, 60_000)).toBe(2);
    });

    it('are seen under a pid that another process had before', async () => {
      const reader = new KernelThreadReader({ ...HOST, procfs });
      expect(await countAt(reader, true, 0)).toBe(1);
      rmSync(`${procfs}/901`, { recursive: true });
      cpSync(`${procfs}/4250`, `${procfs}/901`, { recursive: true });
      expect(await countAt(reader, true, 1000)).toBe(2);
    });

    it('are gone with their guest', async () => {
      const reader = new KernelThreadReader({ ...HOST, procfs });
      expect(await countAt(reader, true, 0)).toBe(1);
      rmSync(`${procfs}/4250`, { recursive: true });
      expect(await countAt(reader, false, 1000)).toBe(0);
    });
  });

  it('are looked for without holding up other work, however many processes there are', async () => {
    for (let pid = 10_000; pid < 11_000; pid += 1) {
      mkdirSync(`${procfs}/${pid}`);
      writeFileSync(`${procfs}/${pid}/stat`, FAKE_KSMD.replace('901', `${pid}`));
    }
    const reader = new KernelThreadReader({ ...HOST, procfs });
    let turns = 0;
    const counting = setInterval(() => {
      turns += 1;
    }, 0);
    const threads = valueIn(await reader.readMemoryManagement());
    const turnsOfOneWalk = turns;
    await reader.readVhost(true);
    clearInterval(counting);
    expect(threads).toHaveLength(5);
    expect(turnsOfOneWalk).toBeGreaterThan(3);
    expect(turns - turnsOfOneWalk).toBeGreaterThan(3);
  });

  it('can not be read without /proc', async () => {
    expect(failureOf(await new KernelThreadReader(NOWHERE).readMemoryManagement())).toBe('absent');
    expect(failureOf(await new KernelThreadReader(NOWHERE).readVhost(true))).toBe('absent');
  });
});

/** Parent is init and PF_KTHREAD is not set. */
const FAKE_KSMD =
  '901 (ksmd) S 1 901 901 0 -1 4194560 0 0 0 0 500 500 0 0 20 0 1 0 950 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n';
