import {
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  parseQemuCommandLine,
  QemuProcessFinder,
  type ExpectedProcess,
} from '../../../../src/sources/process/qemu-processes.ts';
import { failureOf, HOST, NOWHERE, valueIn } from '../../../support/sources/kernel-fixtures.ts';

const WEB = '6f2d0b5a-1111-4222-8333-0123456789ab';
const OTHER = '00000000-0000-4000-8000-000000000001';

/** libvirt says neither which run it is nor whom the process belongs to. */
const ANYBODY: ExpectedProcess = { runId: undefined, ownerUid: undefined };

describe('a command line', () => {
  const line = (...words: readonly string[]): string => words.map((word) => `${word}\0`).join('');

  it('of QEMU has a UUID and a name, in which a comma is written twice', () => {
    const words = line('qemu-kvm', '-name', 'guest=a,,b,debug-threads=on', '-uuid', WEB);
    expect(parseQemuCommandLine(words)).toEqual({ uuid: WEB, name: 'a,b' });
    const ending = line('qemu-kvm', '-name', 'guest=a,,,debug-threads=on', '-uuid', WEB);
    expect(parseQemuCommandLine(ending)?.name).toBe('a,');
  });

  it('gives the UUID as libvirt writes it', () => {
    expect(parseQemuCommandLine(line('kvm', '-uuid', WEB.toUpperCase()))).toEqual({
      uuid: WEB,
      name: undefined,
    });
  });

  it('may have the name alone, or after other options', () => {
    expect(parseQemuCommandLine(line('kvm', '-name', 'old', '-uuid', WEB))?.name).toBe('old');
    expect(
      parseQemuCommandLine(line('kvm', '-name', 'debug-threads=on,guest=x', '-uuid', WEB))?.name,
    ).toBe('x');
  });

  it('without a UUID argument is not of a guest', () => {
    expect(parseQemuCommandLine(line('qemu-img', 'info', 'a.qcow2'))).toBeUndefined();
    expect(parseQemuCommandLine(line('sh', '-c', `qemu -uuid ${WEB}`))).toBeUndefined();
    expect(parseQemuCommandLine(line('mkfs.xfs', '-uuid', 'generate'))).toBeUndefined();
    expect(parseQemuCommandLine('')).toBeUndefined();
  });
});

describe('the QEMU process of a domain', () => {
  let procfs: string;
  let finder: QemuProcessFinder;
  const pidOf = async (uuid: string, expected = ANYBODY): Promise<number | undefined> =>
    valueIn(await finder.find(new Map([[uuid, expected]]))).get(uuid)?.pid;

  /** A QEMU as the fixture's, under another pid, with another start time, UUID, state or owner. */
  function addQemu(
    pid: number,
    startTimeTicks: number,
    uuid: string,
    state = 'S',
    { owner = 107, parent = 1, cgroup = '/' } = {},
  ): void {
    mkdirSync(`${procfs}/${pid}`, { recursive: true });
    const stat = readFileSync(`${HOST.procfs}/4242/stat`, 'utf8')
      .replace('4242 (qemu-system-x86) S', `${pid} (qemu-system-x86) ${state}`)
      .replace(/^(\d+ \(.*\) .) \d+/, `$1 ${parent}`)
      .replace(' 360000 ', ` ${startTimeTicks} `);
    const cmdline = readFileSync(`${HOST.procfs}/4242/cmdline`, 'utf8').replace(WEB, uuid);
    writeFileSync(`${procfs}/${pid}/stat`, stat);
    writeFileSync(`${procfs}/${pid}/cmdline`, cmdline);
    const uids = Array.from({ length: 4 }, () => owner).join('\t');
    writeFileSync(`${procfs}/${pid}/status`, `Name:\tqemu\nUid:\t${uids}\nGid:\t0\t0\t0\t0\n`);
    writeFileSync(`${procfs}/${pid}/cgroup`, `0::${cgroup}\n`);
  }

  beforeEach(() => {
    procfs = mkdtempSync(join(tmpdir(), 'qemu-'));
    for (const pid of [1, 2, 37, 900, 901, 4242, 4300]) {
      cpSync(`${HOST.procfs}/${pid}`, `${procfs}/${pid}`, { recursive: true });
    }
    finder = new QemuProcessFinder({ ...HOST, procfs });
  });
  afterEach(() => {
    rmSync(procfs, { recursive: true });
  });

  it('is found by UUID among all processes, with its name, start and stat', async () => {
    const process = valueIn(await finder.find(new Map([[WEB, ANYBODY]]))).get(WEB);
    expect(process).toMatchObject({
      uuid: WEB,
      name: 'web,front',
      pid: 4242,
      startTimeTicks: 360_000,
    });
    expect(process?.stat.guestSeconds).toBe(8000);
  });

  it('is found again without reading any command line', async () => {
    expect(await pidOf(WEB)).toBe(4242);
    rmSync(`${procfs}/4242/cmdline`);
    expect(await pidOf(WEB)).toBe(4242);
  });

  it('is simply not there for a domain without one', async () => {
    expect([...valueIn(await finder.find(new Map([[OTHER, ANYBODY]]))).keys()]).toEqual([]);
  });

  it('is not there any more when it has exited', async () => {
    expect(await pidOf(WEB)).toBe(4242);
    rmSync(`${procfs}/4242`, { recursive: true });
    expect(await pidOf(WEB)).toBeUndefined();
  });

  it('is not a zombie', async () => {
    expect(await pidOf(WEB)).toBe(4242);
    addQemu(4242, 360_000, WEB, 'Z');
    expect(await pidOf(WEB)).toBeUndefined();
  });

  it('is another one after a restart, even under the same pid', async () => {
    expect(await pidOf(WEB)).toBe(4242);
    addQemu(4242, 400_000, OTHER);
    addQemu(5000, 400_001, WEB);
    expect(await pidOf(WEB)).toBe(5000);
    expect(await pidOf(OTHER)).toBe(4242);
  });

  it('is what a wrapper started, not the wrapper, which shows the same arguments', async () => {
    addQemu(5000, 400_000, OTHER);
    addQemu(5001, 400_010, OTHER, 'S', { parent: 5000 });
    expect(await pidOf(OTHER)).toBe(5001);
  });

  describe('when another user starts one that looks the same', () => {
    const NOBODY = 65_534;
    const faultsOf = async (expected: ExpectedProcess) => {
      const reading = await finder.find(new Map([[OTHER, expected]]));
      return reading.ok ? (reading.faults ?? []).map(({ kind, detail }) => [kind, detail]) : [];
    };

    it('is the one that runs as the user libvirt gave it, whichever is younger', async () => {
      for (const [real, forged] of [
        [5000, 5001],
        [5003, 5002],
      ] as const) {
        addQemu(real, 400_000 + real, OTHER);
        addQemu(forged, 400_000 + forged, OTHER, 'S', { owner: NOBODY });
        expect(await pidOf(OTHER, { runId: 7, ownerUid: 107 })).toBe(real);
        for (const pid of [real, forged]) rmSync(`${procfs}/${pid}`, { recursive: true });
      }
    });

    it('is not the forged one, even when no other can be seen', async () => {
      addQemu(5001, 400_001, OTHER, 'S', { owner: NOBODY });
      expect(await pidOf(OTHER, { runId: 7, ownerUid: 107 })).toBeUndefined();
      expect(await faultsOf({ runId: 7, ownerUid: 107 })).toEqual([
        ['refused', 'process 5001 says it is this guest, and nobody vouches for it'],
      ]);
    });

    it('is the one that runs as the other QEMUs of libvirt, where libvirt does not say', async () => {
      addQemu(5000, 400_000, WEB);
      rmSync(`${procfs}/4242`, { recursive: true });
      addQemu(5001, 400_001, OTHER);
      addQemu(5002, 400_002, OTHER, 'S', { owner: NOBODY });
      const processes = valueIn(
        await finder.find(
          new Map([
            [WEB, { runId: 1, ownerUid: 107 }],
            [OTHER, ANYBODY],
          ]),
        ),
      );
      expect(processes.get(OTHER)?.pid).toBe(5001);
    });

    it('is none when nothing tells them apart, and that is said', async () => {
      addQemu(5000, 400_000, OTHER);
      addQemu(5001, 400_001, OTHER, 'S', { owner: NOBODY });
      expect(await pidOf(OTHER)).toBeUndefined();
      expect(await faultsOf(ANYBODY)).toEqual([
        ['refused', 'processes 5000, 5001 all say they are this guest'],
      ]);
    });

    it('is none of theirs when a set-user-id program stands in for it', async () => {
      addQemu(5000, 400_000, OTHER);
      writeFileSync(`${procfs}/5000/status`, 'Uid:\t65534\t107\t107\t107\n');
      expect(await pidOf(OTHER, { runId: 7, ownerUid: 107 })).toBeUndefined();
    });
  });

  describe('in a cgroup of its own', () => {
    let sysfs: string;
    const scope = (run: number) => `/machine.slice/machine-qemu\\x2d${run}\\x2dweb.scope`;

    beforeEach(() => {
      sysfs = mkdtempSync(join(tmpdir(), 'qemu-sys-'));
      const line = `30 1 0:26 / ${sysfs}/fs/cgroup rw - cgroup2 cgroup2 rw\n`;
      mkdirSync(`${procfs}/self`);
      writeFileSync(`${procfs}/self/mountinfo`, line);
      for (const run of [6, 7]) mkdirSync(`${sysfs}/fs/cgroup${scope(run)}`, { recursive: true });
      finder = new QemuProcessFinder({ ...HOST, procfs, sysfs });
    });
    afterEach(() => {
      rmSync(sysfs, { recursive: true });
    });

    it('is known by it, whoever it runs as', async () => {
      addQemu(5000, 400_000, OTHER, 'S', { owner: 9, cgroup: `${scope(7)}/libvirt/emulator` });
      addQemu(5001, 400_001, OTHER, 'S', { owner: 107 });
      expect(await pidOf(OTHER, { runId: 7, ownerUid: 107 })).toBe(5000);
    });

    it('is not known by that of another run', async () => {
      addQemu(5000, 400_000, OTHER, 'S', { cgroup: scope(7) });
      addQemu(5001, 400_001, OTHER, 'S', { cgroup: scope(6) });
      expect(await pidOf(OTHER, { runId: 7, ownerUid: undefined })).toBe(5000);
    });

    // Only root can give a directory away.
    it.skipIf(process.getuid?.() !== 0)('is not known by one a user made', async () => {
      const forged = `/user.slice${scope(7)}`;
      mkdirSync(`${sysfs}/fs/cgroup${forged}`, { recursive: true });
      chownSync(`${sysfs}/fs/cgroup${forged}`, 65_534, 65_534);
      addQemu(5000, 400_000, OTHER);
      addQemu(5001, 400_001, OTHER, 'S', { owner: 65_534, cgroup: forged });
      expect(await pidOf(OTHER, { runId: 7, ownerUid: 107 })).toBe(5000);
    });
  });

  it('is found when a domain starts later', async () => {
    expect(await pidOf(OTHER)).toBeUndefined();
    expect(await pidOf(OTHER)).toBeUndefined();
    addQemu(5000, 400_000, OTHER);
    expect(await pidOf(OTHER)).toBe(5000);
  });

  it('is found when the pid was once of another process', async () => {
    expect(await pidOf(WEB)).toBe(4242);
    // Scanned before, and taken for a process which is not QEMU.
    addQemu(900, 500_000, OTHER);
    expect(await pidOf(OTHER)).toBe(900);
  });

  it('is found when it was seen between fork and exec, under its parent’s name', async () => {
    addQemu(5000, 400_000, OTHER);
    const stat = readFileSync(`${procfs}/5000/stat`, 'utf8');
    const cmdline = readFileSync(`${procfs}/5000/cmdline`, 'utf8');
    writeFileSync(`${procfs}/5000/stat`, stat.replace('(qemu-system-x86)', '(rpc-libvirtd)'));
    writeFileSync(`${procfs}/5000/cmdline`, '/usr/sbin/libvirtd\0');
    expect(await pidOf(WEB)).toBe(4242);
    writeFileSync(`${procfs}/5000/stat`, stat);
    writeFileSync(`${procfs}/5000/cmdline`, cmdline);
    expect(await pidOf(OTHER)).toBe(5000);
  });

  it('is not asked for its command line while in uninterruptible sleep, but later', async () => {
    addQemu(5000, 400_000, OTHER, 'D');
    expect(await pidOf(OTHER)).toBeUndefined();
    addQemu(5000, 400_000, OTHER, 'S');
    expect(await pidOf(OTHER)).toBe(5000);
  });

  it('stays known while in uninterruptible sleep', async () => {
    expect(await pidOf(WEB)).toBe(4242);
    addQemu(4242, 360_000, WEB, 'D');
    expect(await pidOf(WEB)).toBe(4242);
  });

  it('can not be found without /proc', async () => {
    expect(failureOf(await new QemuProcessFinder(NOWHERE).find(new Map([[WEB, ANYBODY]])))).toBe(
      'absent',
    );
  });
});
