import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Deadline } from '../../../../src/runtime/deadline.ts';
import type { CollectorName } from '../../../../src/model/collectors.ts';
import { GuestProcessCollector } from '../../../../src/guests/process/guest-process-collector.ts';
import { OutcomeLog } from '../../../../src/model/outcome-log.ts';
import { QemuProcessFinder } from '../../../../src/sources/process/qemu-processes.ts';
import { cgroupHost, HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

const WEB = '6f2d0b5a-1111-4222-8333-0123456789ab';
const OF_PROCESSES: readonly CollectorName[] = ['process', 'cgroup', 'guestksm', 'smaps'];
const MINUTE_MS = 60_000;

describe('what is read of each QEMU process', () => {
  let procfs: string;
  beforeEach(() => {
    procfs = mkdtempSync(join(tmpdir(), 'guest-process-'));
    cpSync(HOST.procfs, procfs, { recursive: true });
    cpSync(cgroupHost('cgroup-v2').procfs, procfs, { recursive: true });
  });
  afterEach(() => {
    rmSync(procfs, { recursive: true });
  });

  /** One collection that has this long, on a host with one guest in a cgroup of its own. */
  const collected = async (milliseconds: number, { sysfs } = cgroupHost('cgroup-v2')) => {
    const roots = { ...cgroupHost('cgroup-v2'), procfs, sysfs };
    const log = new OutcomeLog(new Set(OF_PROCESSES));
    const processes = valueIn(
      await new QemuProcessFinder(roots).find(new Map([[WEB, { runId: 1, ownerUid: undefined }]])),
    );
    const collector = new GuestProcessCollector(roots, 4096);
    const facts = await collector.collect(
      processes,
      log,
      Deadline.in(milliseconds),
      () => undefined,
    );
    return { guest: facts.get(WEB), outcomes: log.outcomes() };
  };

  it('comes from /proc and the cgroup, device I/O with it', async () => {
    const { guest, outcomes } = await collected(MINUTE_MS);
    expect(guest?.process?.pid).toBe(4242);
    expect(guest?.cgroup?.io?.map(({ device }) => device)).toEqual(['nvme0n1', 'dm-3']);
    expect(outcomes.map(({ success }) => success)).toEqual([true, true, true, true]);
  });

  it('has failed for the cgroup when that does not say whether it is frozen', async () => {
    const sysfs = join(procfs, 'sysfs');
    cpSync(cgroupHost('cgroup-v2').sysfs, sysfs, { recursive: true });
    const scope = 'fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope';
    writeFileSync(join(sysfs, scope, 'cgroup.events'), '');
    const { guest, outcomes } = await collected(MINUTE_MS, { ...HOST, sysfs });
    expect(guest?.cgroup?.io).toHaveLength(2);
    const failed = outcomes.filter(({ success }) => !success);
    expect(failed.map(({ collector }) => collector)).toEqual(['cgroup']);
    expect(failed[0]?.errors[0]?.subject).toMatch(/cgroup\.events$/);
  });

  it('is missing of those not reached in time, and each collector says so', async () => {
    const { guest, outcomes } = await collected(-1);
    expect(guest).toBeUndefined();
    expect(outcomes.map(({ collector }) => collector)).toEqual(OF_PROCESSES);
    for (const { success, errors } of outcomes) {
      expect(success).toBe(false);
      expect(errors).toMatchObject([
        { kind: 'timeout', detail: '1 of 1 not read before the deadline' },
      ]);
    }
  });
});
