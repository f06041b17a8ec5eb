import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { KernelThreadReader } from '../../../src/sources/kernel-threads.ts';
import { failureOf, HOST, NOWHERE, valueIn } from './kernel-fixtures.ts';

const summary = (reader: KernelThreadReader): readonly string[] =>
  valueIn(reader.readMemoryManagement()).map(({ comm, cpuSeconds }) => `${comm} ${cpuSeconds}`);

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

  it('of memory management are found by name and parent, with their CPU time', () => {
    expect([...summary(new KernelThreadReader(HOST))].sort()).toEqual([
      'kcompactd0 12',
      'khugepaged 43.21',
      'ksmd 3456.78',
      'kswapd0 90',
      'kswapd1 110',
    ]);
  });

  it('are not any process that calls itself so', () => {
    writeFileSync(`${procfs}/901/stat`, FAKE_KSMD);
    const threads = valueIn(new KernelThreadReader({ ...HOST, procfs }).readMemoryManagement());
    expect(threads.filter(({ comm }) => comm === 'ksmd').map(({ pid }) => pid)).toEqual([37]);
  });

  it('are looked for again when one is gone', () => {
    const reader = new KernelThreadReader({ ...HOST, procfs });
    expect(summary(reader)).toHaveLength(5);
    // Its node's memory went offline and came back: a new kswapd1 under another pid.
    rmSync(`${procfs}/46`, { recursive: true });
    cpSync(`${procfs}/45`, `${procfs}/60`, { recursive: true });
    writeFileSync(
      `${procfs}/60/stat`,
      '60 (kswapd1) S 2 0 0 0 -1 2097216 0 0 0 0 0 100 0 0 20 0 1 0 9999 0 0 1 0 0 0 0 0 0 0 2147483647 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n',
    );
    expect(summary(reader)).toContain('kswapd1 1');
  });

  it('of virtio NICs belong to a QEMU process (kernels before 6.4)', () => {
    const vhosts = valueIn(new KernelThreadReader(HOST).readVhost(true));
    expect(vhosts).toEqual([{ pid: 4250, comm: 'vhost-4242', cpuSeconds: 56, ownerPid: 4242 }]);
  });

  it('of new guests are seen once the caller says that guests changed', () => {
    const reader = new KernelThreadReader({ ...HOST, procfs });
    expect(valueIn(reader.readVhost(false))).toHaveLength(1);
    cpSync(`${procfs}/4250`, `${procfs}/4260`, { recursive: true });
    expect(valueIn(reader.readVhost(false))).toHaveLength(1);
    expect(valueIn(reader.readVhost(true))).toHaveLength(2);
  });

  it('can not be read without /proc', () => {
    expect(failureOf(new KernelThreadReader(NOWHERE).readMemoryManagement())).toBe('absent');
  });
});

/** Parent is init and PF_KTHREAD is not set. */
const FAKE_KSMD =
  '901 (ksmd) S 1 901 901 0 -1 4194560 0 0 0 0 500 500 0 0 20 0 1 0 950 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n';
