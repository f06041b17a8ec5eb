import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  parseSchedstat,
  ProcessThreadReader,
  threadRole,
} from '../../../../src/sources/process/threads.ts';
import { failureOf, HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

const START = 360_000;

describe('the role of a thread', () => {
  it.each([
    ['CPU 0/KVM', { kind: 'vcpu', index: 0 }],
    ['CPU 127/TCG', { kind: 'vcpu', index: 127 }],
    ['ALL CPUs/TCG', { kind: 'all-vcpus' }],
    ['IO iothread1', { kind: 'iothread', id: 1 }],
    ['IO mon_iothread', { kind: 'monitor' }],
    ['vhost-4242', { kind: 'vhost' }],
    ['worker', { kind: 'other' }],
    ['vnc_worker', { kind: 'other' }],
    ['CPU x/KVM', { kind: 'other' }],
    ['IO iothread', { kind: 'other' }],
  ])('%s is seen from its name', (comm, role) => {
    expect(threadRole(comm, 5000, 4242)).toEqual(role);
  });

  it('is emulator for the main thread, whatever its name', () => {
    expect(threadRole('qemu:web', 4242, 4242)).toEqual({ kind: 'emulator' });
  });
});

describe('scheduler statistics', () => {
  it('are run time, wait time and slices', () => {
    expect(valueIn(parseSchedstat('385153 80039 2\n', 's'))).toEqual({
      runNanoseconds: 385153n,
      delayNanoseconds: 80039n,
      timeslices: 2n,
    });
  });

  it('of three zeros are none: the kernel keeps no sched_info', () => {
    expect(valueIn(parseSchedstat('0 0 0\n', 's'))).toBeUndefined();
  });

  it('are malformed with less or other than three numbers', () => {
    expect(failureOf(parseSchedstat('1 2\n', 's'))).toBe('malformed');
    expect(failureOf(parseSchedstat('1 -2 3\n', 's'))).toBe('malformed');
  });
});

describe('the threads of a guest', () => {
  let procfs: string;
  let reader: ProcessThreadReader;
  const task = (tid: number, file: string): string => `${procfs}/4242/task/${tid}/${file}`;
  const commOf = (tid: number): string | undefined =>
    valueIn(reader.read(4242, START, 'S')).find((thread) => thread.tid === tid)?.comm;

  beforeEach(() => {
    procfs = mkdtempSync(join(tmpdir(), 'threads-'));
    cpSync(`${HOST.procfs}/4242`, `${procfs}/4242`, { recursive: true });
    reader = new ProcessThreadReader({ ...HOST, procfs });
  });
  afterEach(() => {
    rmSync(procfs, { recursive: true });
  });

  it('are its vCPUs, I/O threads and helpers', () => {
    const roles = valueIn(reader.read(4242, START, 'S')).map(({ tid, role }) => [tid, role]);
    expect(roles).toEqual([
      [4242, { kind: 'emulator' }],
      [4243, { kind: 'other' }],
      [4244, { kind: 'iothread', id: 1 }],
      [4245, { kind: 'monitor' }],
      [4246, { kind: 'vcpu', index: 0 }],
      [4247, { kind: 'vcpu', index: 1 }],
      [4248, { kind: 'vcpu', index: 2 }],
      // Hot-plugged: vCPU numbers have gaps.
      [4249, { kind: 'vcpu', index: 11 }],
      [4251, { kind: 'other' }],
    ]);
  });

  it('have exact times past 2^53 nanoseconds', () => {
    const vcpu = valueIn(reader.read(4242, START, 'S')).find(({ tid }) => tid === 4246);
    expect(vcpu?.schedule).toEqual({
      runNanoseconds: 9007199254740993123n,
      delayNanoseconds: 450000000001n,
      timeslices: 8000000n,
    });
  });

  it('are named once for good, after two readings alike', () => {
    writeFileSync(task(4247, 'comm'), 'qemu-system-x86\n');
    expect(commOf(4247)).toBe('qemu-system-x86');
    // It has named itself now; a first reading alone is not believed.
    writeFileSync(task(4247, 'comm'), 'CPU 1/KVM\n');
    expect(commOf(4247)).toBe('CPU 1/KVM');
    expect(commOf(4247)).toBe('CPU 1/KVM');
    writeFileSync(task(4247, 'comm'), 'not read any more\n');
    expect(commOf(4247)).toBe('CPU 1/KVM');
  });

  it('are named anew when a thread id went to another thread, whose run time is less', () => {
    commOf(4251);
    commOf(4251);
    writeFileSync(task(4251, 'comm'), 'vnc_worker\n');
    writeFileSync(task(4251, 'schedstat'), '5 0 1\n');
    expect(commOf(4251)).toBe('vnc_worker');
  });

  it('are named anew in a new process under the same pid', () => {
    commOf(4247);
    commOf(4247);
    writeFileSync(task(4247, 'comm'), 'CPU 9/KVM\n');
    const threads = valueIn(reader.read(4242, START + 1, 'S'));
    expect(threads.find(({ tid }) => tid === 4247)?.comm).toBe('CPU 9/KVM');
  });

  it('come and go', () => {
    reader.read(4242, START, 'S');
    rmSync(`${procfs}/4242/task/4251`, { recursive: true });
    cpSync(`${procfs}/4242/task/4248`, `${procfs}/4242/task/4260`, { recursive: true });
    const tids = valueIn(reader.read(4242, START, 'S')).map(({ tid }) => tid);
    expect(tids).not.toContain(4251);
    expect(tids).toContain(4260);
  });

  it('have no times on a kernel without schedstat', () => {
    rmSync(task(4246, 'schedstat'));
    const vcpu = valueIn(reader.read(4242, START, 'S')).find(({ tid }) => tid === 4246);
    expect(vcpu).toEqual({
      tid: 4246,
      comm: 'CPU 0/KVM',
      role: { kind: 'vcpu', index: 0 },
      schedule: undefined,
      state: undefined,
      stillMs: 0,
    });
  });

  it('are absent when the process is gone', () => {
    expect(failureOf(reader.read(999_999, START, 'S'))).toBe('absent');
  });
});
