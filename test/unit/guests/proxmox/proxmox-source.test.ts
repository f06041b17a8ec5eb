import { Deadline } from '../../../../src/runtime/deadline.ts';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { LocalGuestCollector, type LocalGuests } from '../../../../src/guests/local-guests.ts';
import { ProxmoxSource } from '../../../../src/guests/proxmox/proxmox-source.ts';
import { ANY_SOURCE } from '../../../../src/guests/source.ts';
import { COLLECTORS } from '../../../../src/model/collectors.ts';
import type { Domain } from '../../../../src/model/domain.ts';
import { OutcomeLog } from '../../../../src/model/outcome-log.ts';
import { BlockingPool } from '../../../../src/sources/files/blocking-pool.ts';
import { HostFiles } from '../../../../src/sources/files/host-files.ts';
import { HOST } from '../../../support/sources/kernel-fixtures.ts';
import { VM_100 } from '../../../support/sources/proxmox-files.ts';
import { pveTree } from './pve-tree.ts';

const PATIENCE_MS = 120_000;
vi.setConfig({ testTimeout: PATIENCE_MS });
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** What pvestatd writes of a VM that runs, as vmstatus of qemu-server 9 has it. */
function statisticsOf(vmid: number, more: object = {}, ageSeconds = 1): string {
  const vm = {
    status: 'running',
    qmpstatus: 'running',
    ballooninfo: { actual: 3 * GIB, max_mem: 4 * GIB, total_mem: 2.9 * GIB, free_mem: GIB },
    blockstat: { scsi0: { rd_bytes: 7, failed_wr_operations: 2, unmap_bytes: '4096' } },
    ...more,
  };
  const timestamp = Math.floor(Date.now() / 1000) - ageSeconds;
  const newest = JSON.stringify({ qemu: { timestamp, data: { [vmid]: vm } } });
  // Older generations follow; none of them is read.
  return `${newest}\n${'{"qemu":{"timestamp":1,"data":{}}}\n'.repeat(180)}`;
}

/** A node with VM 100, whose QEMU runs, unless told otherwise. */
function node() {
  const tree = pveTree();
  const procfs = join(tree.rootfs, 'proc');
  for (const pid of [1, 2])
    cpSync(`${HOST.procfs}/${pid}`, `${procfs}/${pid}`, { recursive: true });
  cpSync(`${HOST.procfs}/stat`, `${procfs}/stat`);
  writeFileSync(`${procfs}/1/mountinfo`, '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n');
  tree.write('etc/pve/qemu-server/100.conf', VM_100);
  const addQemu = (pid: number, words: readonly string[], owner = 0): void => {
    cpSync(`${HOST.procfs}/4242`, `${procfs}/${pid}`, { recursive: true });
    const stat = readFileSync(`${HOST.procfs}/4242/stat`, 'utf8').replace('4242 (', `${pid} (`);
    writeFileSync(`${procfs}/${pid}/stat`, stat);
    writeFileSync(`${procfs}/${pid}/cmdline`, words.map((word) => `${word}\0`).join(''));
    const status = readFileSync(`${HOST.procfs}/4242/status`, 'utf8');
    const uids = Array.from({ length: 4 }, () => owner).join('\t');
    writeFileSync(`${procfs}/${pid}/status`, status.replace(/^Uid:.*$/m, `Uid:\t${uids}`));
    writeFileSync(`${procfs}/${pid}/cgroup`, '0::/\n');
  };
  // However busy the machine is: nothing hangs here.
  const pool = new BlockingPool({ working: 4, total: 8, patienceMs: PATIENCE_MS });
  onTestFinished(() => {
    pool.close();
  });
  const roots = { ...HOST, procfs, rootfs: tree.rootfs };
  const files = new HostFiles(pool, tree.rootfs);
  const proxmox = new ProxmoxSource(roots, files, 4096, ANY_SOURCE);
  const collector = new LocalGuestCollector(ANY_SOURCE, roots, 4096, files, proxmox);
  return {
    ...tree,
    addQemu,
    addVm: (pid: number, vmid: number) => {
      addQemu(pid, ['kvm', '-pidfile', `/var/run/qemu-server/${vmid}.pid`, '-m', '64']);
    },
    collect: async (): Promise<LocalGuests & { readonly failed: readonly string[] }> => {
      const log = new OutcomeLog(new Set(COLLECTORS.map(({ name }) => name)));
      const deadline = Deadline.in(PATIENCE_MS);
      const { told } = collector.collect(
        log,
        deadline,
        () => true,
        Promise.resolve(undefined),
        undefined,
      );
      const local = await told;
      const failures = log.outcomes().filter(({ success }) => !success);
      return {
        ...local,
        failed: failures.flatMap(({ collector, errors }) =>
          errors.map(({ detail }) => `${collector}: ${detail}`),
        ),
      };
    },
  };
}

function guestsOf({ sources }: LocalGuests, source: 'proxmox' | 'process'): readonly Domain[] {
  return sources.get(source)?.guests ?? [];
}

describe('a node of Proxmox VE', () => {
  it('shows a VM with what its config, its process and pvestatd say', async () => {
    const { addVm, write, collect } = node();
    addVm(4300, 100);
    write('run/pve/metrics', statisticsOf(100));
    const seen = await collect();
    expect(guestsOf(seen, 'proxmox')).toMatchObject([
      {
        name: '100/web',
        uuid: 'pve:100',
        source: 'proxmox',
        active: true,
        autostart: true,
        state: 'running',
        monitor: 'responsive',
        config: {
          uuid: '6a1f8f0e-3c1b-4a43-9a55-0d1f7b7b0c11',
          // Not the 64 MiB of -m, which lie where memory can be plugged in.
          memory: { maximumBytes: 4 * GIB },
        },
        balloon: { currentBytes: 3 * GIB, maximumBytes: 4 * GIB },
        disks: [
          {
            device: 'scsi0',
            readBytes: 7n,
            readRequests: undefined,
            beyondLibvirt: { failedWrites: 2n, discardedBytes: 4096n },
          },
        ],
        process: { pid: 4300 },
      },
    ]);
    expect(guestsOf(seen, 'process')).toEqual([]);
    expect(seen.sources.get('proxmox')?.up).toBe(true);
  });

  it('says whose a VM is: its pool, its tags and its operating system', async () => {
    const { write, collect } = node();
    write('etc/pve/user.cfg', 'user:root@pam:1:0:::a@example.com:::\npool:shop:x:100:local:\n');
    const [vm] = guestsOf(await collect(), 'proxmox');
    expect(vm?.config).toMatchObject({
      owner: { manager: 'proxmox', tenant: 'shop', image: 'l26', user: undefined },
      metadataLabels: [{ label: 'tags', value: 'prod;web' }],
    });
  });

  it('tells how full a thin pool of LVM is, as pvestatd measured it, once for each pool', async () => {
    const { write, collect } = node();
    write(
      'etc/pve/storage.cfg',
      'lvmthin: local-lvm\n\tvgname pve\n\tthinpool data\n\n' +
        'lvmthin: same\n\tvgname pve\n\tthinpool data\n\ndir: local\n\tpath /var/lib/vz\n',
    );
    const measured = { type: 'lvmthin', active: 1, total: 100 * GIB, used: 70 * GIB };
    const timestamp = Math.floor(Date.now() / 1000);
    const data = { 'local-lvm': measured, same: measured, local: { ...measured, type: 'dir' } };
    write(
      'run/pve/metrics',
      `${JSON.stringify({ qemu: { timestamp, data: {} }, storage: { timestamp, data } })}\n`,
    );
    expect((await collect()).sources.get('proxmox')?.thinPools).toMatchObject([
      { vgName: 'pve', name: 'data', sizeBytes: 100 * GIB, dataUsedBytes: 70 * GIB },
    ]);
  });

  it('follows a change of the config at the next look', async () => {
    const { write, collect } = node();
    await collect();
    write('etc/pve/qemu-server/100.conf', VM_100.replace('memory: 4096', 'memory: 6144'));
    const [vm] = guestsOf(await collect(), 'proxmox');
    expect(vm?.config?.memory.maximumBytes).toBe(6 * GIB);
    expect(vm).toMatchObject({ active: false, state: 'shutoff', process: undefined });
  });

  it('leaves templates out, and a VM that moved away', async () => {
    const { write, remove, collect } = node();
    write('etc/pve/qemu-server/9000.conf', 'template: 1\nname: base\n');
    expect(guestsOf(await collect(), 'proxmox').map(({ name }) => name)).toEqual(['100/web']);
    remove('etc/pve/qemu-server/100.conf');
    expect(guestsOf(await collect(), 'proxmox')).toEqual([]);
  });

  it('shows a VM that moves here, and has no config yet, as a process', async () => {
    const { addVm, collect } = node();
    addVm(4300, 105);
    const seen = await collect();
    expect(guestsOf(seen, 'process')).toMatchObject([
      { source: 'process', process: { pid: 4300 } },
    ]);
  });

  it('does not take what a person starts for a VM', async () => {
    const { addQemu, collect } = node();
    addQemu(4300, ['kvm', '-pidfile', '/var/run/qemu-server/100.pid', '-m', '64'], 1000);
    const seen = await collect();
    expect(guestsOf(seen, 'proxmox')).toMatchObject([{ active: false, process: undefined }]);
    expect(guestsOf(seen, 'process')).toEqual([]);
    expect(seen.userQemus?.count).toBe(1);
    expect(seen.userQemus?.residentBytes).toBeGreaterThan(0);
  });

  it('names pvestatd, and no guest, where its statistics are old', async () => {
    const { addVm, write, collect } = node();
    addVm(4300, 100);
    write('run/pve/metrics', statisticsOf(100, { qmpstatus: 'io-error' }, 120));
    const seen = await collect();
    expect(guestsOf(seen, 'proxmox')).toMatchObject([
      { balloon: undefined, disks: undefined, monitor: 'unasked', state: 'running' },
    ]);
    expect(seen.failed.join()).toMatch(/balloon: written 12\d s ago: pvestatd does not run/);
    expect(seen.sources.get('proxmox')?.up).toBe(true);
  });

  it('says that a VM stopped on a failed write', async () => {
    const { addVm, write, collect } = node();
    addVm(4300, 100);
    write('run/pve/metrics', statisticsOf(100, { qmpstatus: 'io-error' }));
    const [vm] = guestsOf(await collect(), 'proxmox');
    expect(vm).toMatchObject({ state: 'paused', reason: 'ioerror' });
  });

  it('says that a VM does not answer pvestatd', async () => {
    const { addVm, write, collect } = node();
    addVm(4300, 100);
    const silent = { ballooninfo: undefined, blockstat: undefined };
    write('run/pve/metrics', statisticsOf(100, silent));
    const [vm] = guestsOf(await collect(), 'proxmox');
    expect(vm?.monitor).toBe('unresponsive');
  });

  it('says of a VM whose process has ended that it is off, before pvestatd does', async () => {
    const { write, collect } = node();
    write('run/pve/metrics', statisticsOf(100, { pid: 4300 }));
    expect(guestsOf(await collect(), 'proxmox')).toMatchObject([
      { active: false, state: 'shutoff', balloon: undefined },
    ]);
  });

  it('believes pvestatd about processes that /proc hides', async () => {
    const { write, remove, collect } = node();
    write('run/pve/metrics', statisticsOf(100, { pid: 4300 }));
    remove('proc/1/stat');
    expect(guestsOf(await collect(), 'proxmox')).toMatchObject([{ active: true }]);
  });

  it.each([
    ['is cut off', '{"qemu":{"timestamp":17'],
    ['has no end', 'x'.repeat(20 * MIB)],
    ['is empty', ''],
  ])('does without a file of statistics that %s', async (_, text) => {
    const { addVm, write, collect } = node();
    addVm(4300, 100);
    write('run/pve/metrics', text);
    const seen = await collect();
    expect(guestsOf(seen, 'proxmox')).toMatchObject([{ active: true, balloon: undefined }]);
    expect(seen.failed.some((failure) => failure.startsWith('block: '))).toBe(true);
  });

  it('keeps what it knew of a VM whose config cannot be read, and makes no sums', async () => {
    const { write, remove, collect } = node();
    await collect();
    remove('etc/pve/qemu-server/100.conf');
    write('etc/pve/qemu-server/100.conf/this-is-a-directory', '');
    const seen = await collect();
    expect(guestsOf(seen, 'proxmox').map(({ name }) => name)).toEqual(['100/web']);
    expect(seen.sources.get('proxmox')?.up).toBe(false);
  });

  it('counts containers that run, as guests of a class of their own', async () => {
    const { write, collect } = node();
    write('etc/pve/lxc/101.conf', 'arch: amd64\ncores: 2\nhostname: db\nmemory: 1024\n');
    expect(guestsOf(await collect(), 'proxmox')).toMatchObject([
      { name: '100/web' },
      { name: '101/db', active: false, config: { type: 'lxc' } },
    ]);
  });

  it('is no node where there is no /etc/pve', async () => {
    const { remove, collect } = node();
    remove('etc/pve');
    const seen = await collect();
    expect([...seen.sources.keys()]).toEqual(['process']);
    expect(seen.failed).toEqual([]);
  });

  it('is missed once it was there', async () => {
    const { remove, collect } = node();
    await collect();
    remove('etc/pve');
    expect((await collect()).sources.get('proxmox')?.up).toBe(false);
  });
});

describe('a QEMU that nobody manages', () => {
  it('is a guest with what its command line promises', async () => {
    const { addQemu, collect } = node();
    // Its process has the threads of four.
    addQemu(4300, ['qemu-system-x86_64', '-m', '512', '-smp', '4', '-name', 'hand']);
    expect(guestsOf(await collect(), 'process')).toMatchObject([
      {
        name: 'hand',
        active: true,
        state: 'running',
        reason: 'unknown',
        monitor: 'unasked',
        config: { memory: { maximumBytes: 512 * MIB }, vcpu: { current: 4, maximum: 4 } },
      },
    ]);
  });

  it('has the vCPUs that were plugged in since', async () => {
    const { addQemu, collect } = node();
    addQemu(4300, ['qemu-system-x86_64', '-m', '512', '-smp', '2,maxcpus=8']);
    const [guest] = guestsOf(await collect(), 'process');
    expect(guest?.config?.vcpu).toMatchObject({ current: 4, maximum: 8 });
  });

  it('keeps its memory unknown where it reads its options from a file', async () => {
    const { addQemu, collect } = node();
    addQemu(4300, ['qemu-system-x86_64', '-name', 'c1', '-readconfig', '/run/incus/c1/qemu.conf']);
    const [guest] = guestsOf(await collect(), 'process');
    expect(guest?.config?.memory.maximumBytes).toBeUndefined();
    expect(guest?.config?.vcpu.current).toBeUndefined();
  });

  const incus = (directory: string) => [
    ...['qemu-system-x86_64', '-name', 'c1', '-nodefaults'],
    ...['-readconfig', `/run/incus/${directory}/qemu.conf`],
    ...['-pidfile', `/run/incus/${directory}/qemu.pid`],
  ];
  const sized = (mib: number) => `[memory]\nsize = "${mib}M"\n\n[smp-opts]\ncpus = "4"\n`;

  it('is as large as the file says that it was started with, whatever is in it later', async () => {
    const { addQemu, write, collect } = node();
    addQemu(4300, incus('shop_c1'));
    write('run/incus/shop_c1/qemu.conf', sized(256));
    const size = async () => {
      const seen = await collect();
      expect(seen.failed).toEqual([]);
      const [guest] = guestsOf(seen, 'process');
      return { memory: guest?.config?.memory.maximumBytes, vcpus: guest?.config?.vcpu.current };
    };
    expect(await size()).toEqual({ memory: 256 * MIB, vcpus: 4 });
    write('run/incus/shop_c1/qemu.conf', sized(512));
    expect(await size()).toEqual({ memory: 256 * MIB, vcpus: 4 });
    const [guest] = guestsOf(await collect(), 'process');
    expect(guest?.config?.owner).toMatchObject({ manager: 'incus', tenant: 'shop' });
  });

  it.each([
    ['is too large', sized(256) + '#'.repeat(MIB)],
    ['is no such file', 'a text'],
  ])('is of unknown size where the file that says it %s, which is said', async (_, text) => {
    const { addQemu, write, collect } = node();
    addQemu(4300, incus('c1'));
    write('run/incus/c1/qemu.conf', text);
    const seen = await collect();
    expect(guestsOf(seen, 'process')[0]?.config?.memory.maximumBytes).toBeUndefined();
    expect(seen.failed).toHaveLength(1);
    expect(seen.failed[0]).toMatch(/^process: /);
    // Once it can be read it is.
    write('run/incus/c1/qemu.conf', sized(256));
    const [guest] = guestsOf(await collect(), 'process');
    expect(guest?.config?.memory.maximumBytes).toBe(256 * MIB);
  });

  it('shares its name with nobody', async () => {
    const { addQemu, collect } = node();
    for (const pid of [4300, 4301]) addQemu(pid, ['kvm', '-name', 'twin', '-m', '64']);
    const names = guestsOf(await collect(), 'process').map(({ name }) => name);
    expect(names).toEqual(['twin (4300)', 'twin (4301)']);
  });
});
