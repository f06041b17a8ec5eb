import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { NamelessVcpus } from '../../../../src/guests/process/nameless-vcpus.ts';
import type { GuestProcess } from '../../../../src/model/domain.ts';
import type { ThreadRole } from '../../../../src/model/process.ts';
import { readProcessStat } from '../../../../src/sources/process/stat.ts';
import { HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

const PID = 4242;
const KEY = 'pid:4242:360000';
/** Field 43 of /proc/<pid>/stat counts from the end of the command's name. */
const GUEST_TIME = 40;

describe('the vCPUs of a QEMU whose threads all have one name', () => {
  let procfs: string;
  let vcpus: NamelessVcpus;

  beforeEach(() => {
    procfs = mkdtempSync(join(tmpdir(), 'nameless-'));
    cpSync(`${HOST.procfs}/${PID}/stat`, `${procfs}/${PID}/stat`);
    vcpus = new NamelessVcpus({ ...HOST, procfs });
  });
  afterEach(() => {
    rmSync(procfs, { recursive: true });
  });

  /** As QEMU 7.2 without debug-threads has them: the process's own name, whatever a thread does. */
  function thread(tid: number, guestTicks: number): void {
    const whole = readFileSync(`${HOST.procfs}/${PID}/stat`, 'utf8').trim();
    const end = whole.lastIndexOf(')');
    const fields = whole.slice(end + 2).split(' ');
    fields[GUEST_TIME] = String(guestTicks);
    mkdirSync(`${procfs}/${PID}/task/${tid}`, { recursive: true });
    writeFileSync(
      `${procfs}/${PID}/task/${tid}/stat`,
      `${tid} (qemu-system-x86) ${fields.join(' ')}\n`,
    );
  }

  function process(
    threads: readonly (readonly [tid: number, role: ThreadRole])[],
    guestSeconds = 8000,
  ): GuestProcess {
    return {
      pid: PID,
      startSeconds: 100,
      stat: { ...valueIn(readProcessStat({ ...HOST, procfs }, PID)), guestSeconds },
      status: undefined,
      threads: threads.map(([tid, role]) => ({
        tid,
        comm: 'qemu-system-x86',
        role,
        schedule: undefined,
        state: 'S',
        stillMs: 0,
      })),
      ksm: undefined,
      smaps: undefined,
    };
  }

  const OTHER: ThreadRole = { kind: 'other' };
  const MAIN: ThreadRole = { kind: 'emulator' };
  const rolesOf = ({ threads }: GuestProcess) => threads?.map(({ tid, role }) => [tid, role]);

  it('are those that have been in guest mode, numbered in the order they were started', () => {
    for (const [tid, ticks] of [
      [4246, 700],
      [4243, 0],
      [4245, 12],
      [4247, 1],
    ] as const) {
      thread(tid, ticks);
    }
    // /proc lists threads in any order.
    const named = vcpus.name(
      KEY,
      process([
        [PID, MAIN],
        [4246, OTHER],
        [4243, OTHER],
        [4245, OTHER],
        [4247, OTHER],
      ]),
    );
    expect(rolesOf(named)).toEqual([
      [PID, MAIN],
      [4246, { kind: 'vcpu', index: 1 }],
      [4243, OTHER],
      [4245, { kind: 'vcpu', index: 0 }],
      [4247, { kind: 'vcpu', index: 2 }],
    ]);
  });

  it('stay what they are while their stat cannot be read, since they were seen once', () => {
    thread(4243, 5);
    const all = process([
      [PID, MAIN],
      [4243, OTHER],
    ]);
    vcpus.name(KEY, all);
    rmSync(`${procfs}/${PID}/task/4243`, { recursive: true });
    expect(rolesOf(vcpus.name(KEY, all))).toEqual([
      [PID, MAIN],
      [4243, { kind: 'vcpu', index: 0 }],
    ]);
  });

  it('are none under TCG, which has no guest mode, whatever a thread says', () => {
    thread(4243, 5);
    const emulated = process(
      [
        [PID, MAIN],
        [4243, OTHER],
      ],
      0,
    );
    expect(vcpus.name(KEY, emulated)).toBe(emulated);
  });

  it('keep the names QEMU gave them where it gave some', () => {
    thread(4243, 5);
    thread(4244, 5);
    const named = process([
      [PID, MAIN],
      [4243, { kind: 'vcpu', index: 3 }],
      [4244, OTHER],
    ]);
    expect(vcpus.name(KEY, named)).toBe(named);
  });

  it('of a process that has ended do not name the threads of a later one with its number', () => {
    thread(4243, 5);
    const first = process([
      [PID, MAIN],
      [4243, OTHER],
    ]);
    vcpus.name(KEY, first);
    vcpus.retain(new Set(['pid:4242:999999']));
    thread(4243, 0);
    expect(rolesOf(vcpus.name('pid:4242:999999', first))).toEqual([
      [PID, MAIN],
      [4243, OTHER],
    ]);
    expect(rolesOf(vcpus.name(KEY, first))).toEqual([
      [PID, MAIN],
      [4243, OTHER],
    ]);
  });
});
