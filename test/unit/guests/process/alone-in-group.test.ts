import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { aloneInGroup } from '../../../../src/guests/process/alone-in-group.ts';
import { GuestProcessCollector } from '../../../../src/guests/process/guest-process-collector.ts';
import type { CollectorName } from '../../../../src/model/collectors.ts';
import { OutcomeLog } from '../../../../src/model/outcome-log.ts';
import { Deadline } from '../../../../src/runtime/deadline.ts';
import type { Roots } from '../../../../src/sources/kernel/roots.ts';
import {
  parseGuestCgroup,
  readCgroupMounts,
  type GuestCgroup,
} from '../../../../src/sources/cgroup/cgroup.ts';
import { readProcessStat } from '../../../../src/sources/process/stat.ts';
import { cgroupHost, HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

const UNIT = '/system.slice/guest@web.service';
const PID = 4242;

describe('a QEMU in a unit of systemd', () => {
  let directory: string;
  let roots: Roots;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'alone-'));
    roots = { procfs: join(directory, 'proc'), sysfs: join(directory, 'sys'), rootfs: '' };
    cpSync(HOST.procfs, roots.procfs, { recursive: true });
    cpSync(cgroupHost('cgroup-v2').procfs, roots.procfs, { recursive: true });
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  /** A group as the kernel shows it: one pid a line. */
  function putInto(path: string, pids: readonly number[]): void {
    const group = `${roots.sysfs}/fs/cgroup${path}`;
    mkdirSync(group, { recursive: true });
    writeFileSync(`${group}/cgroup.procs`, pids.map((pid) => `${pid}\n`).join(''));
    writeFileSync(`${group}/cgroup.events`, 'populated 1\nfrozen 0\n');
  }

  function groupOf(path: string): GuestCgroup {
    const mounts = valueIn(readCgroupMounts(roots));
    return valueIn(parseGuestCgroup(`0::${path}\n`, mounts, 'cgroup'));
  }

  it('that holds nothing else has the group to itself', () => {
    putInto(UNIT, [PID]);
    expect(aloneInGroup(roots)(groupOf(UNIT), PID)).toBe(true);
  });

  it.each([
    ['a helper of it', UNIT, [PID, 4300]],
    ['another process', UNIT, [4300]],
    ['nobody any more', UNIT, []],
  ])('shares it with %s', (_, path, pids) => {
    putInto(path, pids);
    expect(aloneInGroup(roots)(groupOf(path), PID)).toBe(false);
  });

  it.each([
    ['the session of a person', '/user.slice/user-1000.slice/session-3.scope'],
    ["a person's own unit", '/user.slice/user-1000.slice/user@1000.service/app.slice/vm.service'],
    ['a slice', '/system.slice'],
    ['the root of all', '/'],
    ['a pod', '/kubepods.slice/kubepods-pod1.slice/crio-1.scope'],
  ])('does not get %s for its own, though it is the only one there', (_, path) => {
    putInto(path, [PID]);
    expect(aloneInGroup(roots)(groupOf(path), PID)).toBe(false);
  });

  it('does not get a group that cannot be looked into', () => {
    expect(aloneInGroup(roots)(groupOf(UNIT), PID)).toBe(false);
  });

  it('has the numbers of the group from the look at which it is alone, and no longer', async () => {
    writeFileSync(`${roots.procfs}/${PID}/cgroup`, `0::${UNIT}\n`);
    const collector = new GuestProcessCollector(roots, 4096, aloneInGroup(roots));
    const collectors: readonly CollectorName[] = ['process', 'cgroup'];
    const stat = valueIn(readProcessStat(roots, PID));
    const qemu = {
      ...{ uuid: 'key', name: 'web', pid: PID, startTimeTicks: stat.startTimeTicks, stat },
      memoryFiles: [],
    };
    const hasGroup = async () => {
      const facts = await collector.collect(
        new Map([['key', qemu]]),
        new OutcomeLog(new Set(collectors)),
        Deadline.in(60_000),
        () => undefined,
      );
      return facts.get('key')?.cgroup !== undefined;
    };
    // The parent that waits until its QEMU is up.
    putInto(UNIT, [4241, PID]);
    expect(await hasGroup()).toBe(false);
    putInto(UNIT, [PID]);
    expect(await hasGroup()).toBe(true);
    putInto(UNIT, [PID, 5000]);
    expect(await hasGroup()).toBe(false);
  });
});
