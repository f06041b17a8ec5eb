import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  judgeOwner,
  QemuCensus,
  type CountedQemu,
  type Witness,
} from '../../../../src/sources/process/qemu-census.ts';
import { HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

const MIB = 1024 ** 2;

describe('whose a QEMU is', () => {
  const witness = (known: Partial<Witness>): Witness => ({
    ownerUid: 0,
    groups: ['/system.slice/cron.service'],
    scope: undefined,
    guestSeconds: 0,
    virtualBytes: 1024 * MIB,
    saidMemoryBytes: 512 * MIB,
    ...known,
  });
  const session = ['/user.slice/user-1000.slice/session-3.scope'];

  it.each<[string, Partial<Witness>]>([
    ['one that root started by hand', { groups: session }],
    ['one in a scope of libvirt', { ownerUid: 64_055, scope: { manager: 'libvirt' } }],
    ['one of a service that KVM runs', { ownerUid: 107, guestSeconds: 3 }],
    [
      'one of a pod that KVM runs',
      { groups: ['/kubepods/pod1/x'], ownerUid: 107, guestSeconds: 1 },
    ],
  ])('the host: %s', (_, known) => {
    expect(judgeOwner(witness(known))).toBe('host');
  });

  it.each<[string, Partial<Witness>]>([
    ['one of a person', { ownerUid: 1000, groups: session, guestSeconds: 50 }],
    ['one of a person in a job of cron', { ownerUid: 1000, guestSeconds: 50 }],
    ['a setuid program under another name', { groups: session, virtualBytes: 20 * MIB }],
    ['one of a service that KVM never ran', { ownerUid: 33 }],
    ['one whose users differ', { ownerUid: undefined }],
    ['one of root in a container that KVM never ran', { groups: ['/kubepods/pod1/x'] }],
    ['one in a container of LXC', { groups: ['/lxc/101/ns/x'], guestSeconds: 9 }],
    ['one of a rootless container', { ownerUid: 100_000, guestSeconds: 9 }],
  ])('nobody that counts: %s', (_, known) => {
    expect(judgeOwner(witness(known))).toBe('user');
  });
});

describe('the census of QEMUs', () => {
  let procfs: string;
  let census: QemuCensus;
  const take = async (): Promise<readonly CountedQemu[]> => valueIn(await census.take());

  function addProcess(
    pid: number,
    words: readonly string[],
    {
      owner = 0,
      parent = 1,
      comm = 'qemu-system-x86',
      group = '/',
      start = 500_000,
      state = 'S',
    } = {},
  ): void {
    mkdirSync(`${procfs}/${pid}`, { recursive: true });
    const stat = readFileSync(`${HOST.procfs}/4242/stat`, 'utf8')
      .replace('4242 (qemu-system-x86) S', `${pid} (${comm}) ${state}`)
      .replace(/^(\d+ \(.*\) .) \d+/, `$1 ${parent}`)
      .replace(' 360000 ', ` ${start} `);
    writeFileSync(`${procfs}/${pid}/stat`, stat);
    writeFileSync(`${procfs}/${pid}/cmdline`, words.map((word) => `${word}\0`).join(''));
    const uids = Array.from({ length: 4 }, () => owner).join('\t');
    writeFileSync(`${procfs}/${pid}/status`, `Name:\tqemu\nUid:\t${uids}\n`);
    writeFileSync(`${procfs}/${pid}/cgroup`, `0::${group}\n`);
  }

  beforeEach(() => {
    procfs = mkdtempSync(join(tmpdir(), 'census-'));
    for (const pid of [1, 2])
      cpSync(`${HOST.procfs}/${pid}`, `${procfs}/${pid}`, { recursive: true });
    census = new QemuCensus({ ...HOST, procfs });
  });
  afterEach(() => {
    rmSync(procfs, { recursive: true });
  });

  it('has a QEMU that was started without any manager', async () => {
    addProcess(700, ['qemu-system-x86_64', '-m', '512', '-name', 'hand']);
    expect(await take()).toMatchObject([
      { pid: 700, owner: 'host', commandLine: { name: 'hand', memoryBytes: 512 * MIB } },
    ]);
  });

  it('sees one that was started since the last', async () => {
    expect(await take()).toEqual([]);
    addProcess(700, ['qemu-system-x86_64', '-m', '512']);
    expect(await take()).toHaveLength(1);
  });

  it('sees a shell of half a minute that has just become a QEMU by exec', async () => {
    writeFileSync(`${procfs}/uptime`, '5029.00 9000.00\n');
    addProcess(700, ['sh', '-c', 'exec qemu-system-x86_64'], { comm: 'sh' });
    expect(await take()).toEqual([]);
    addProcess(700, ['qemu-system-x86_64', '-m', '512']);
    expect(await take()).toHaveLength(1);
  });

  it('counts a QEMU that daemonizes once, not its waiting parent as well', async () => {
    addProcess(700, ['qemu-system-x86_64', '-daemonize']);
    addProcess(701, ['qemu-system-x86_64', '-daemonize'], { parent: 700 });
    expect((await take()).map(({ pid }) => pid)).toEqual([701]);
  });

  it('leaves out the one that libvirt asks what QEMU can do', async () => {
    addProcess(700, ['qemu-system-x86_64', '-machine', 'none,accel=kvm:tcg']);
    expect(await take()).toEqual([]);
  });

  it("keeps a person's apart, whatever it says it is", async () => {
    addProcess(700, ['kvm', '-id', '100', '-pidfile', '/var/run/qemu-server/100.pid', '-m', '9'], {
      owner: 1000,
      group: '/user.slice/user-1000.slice/session-3.scope',
    });
    expect(await take()).toMatchObject([{ owner: 'user', scope: undefined }]);
  });

  it("says that it could not look at root's QEMU that waits in the kernel, and looks again", async () => {
    const words = ['qemu-system-x86_64', '-m', '512'];
    addProcess(700, words, { state: 'D' });
    const first = await census.take();
    expect(first).toMatchObject({ ok: true, value: [], faults: [{ kind: 'timeout' }] });
    addProcess(700, words);
    expect(await take()).toHaveLength(1);
    // Once known it stays known: nothing that takes a lock is read of it.
    addProcess(700, words, { state: 'D' });
    expect(await census.take()).toMatchObject({ ok: true, value: [{ pid: 700 }] });
  });

  it('does not mind what a person has waiting in the kernel under such a name', async () => {
    addProcess(700, ['qemu-system-x86_64', '-m', '512'], { state: 'D', owner: 1000 });
    expect(await census.take()).toEqual({ ok: true, value: [] });
  });
});
