import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { run } from '../../lab/command.ts';
import { eventually, ksmCounter, openLab, type Lab } from '../../lab/index.ts';
import { statusBytes } from '../support/process-readings.ts';

const MIB = 1024 * 1024;
/** 16 MiB of 4 KiB pages: what each of the two equal guests fills. */
const TOUCHED_PAGES = 4096;

describe('a lab of real guests', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await openLab();
    lab.ksm({ run: 1, pages_to_scan: 20_000, sleep_millisecs: 20, smart_scan: 0 });
    const small = await lab.filesystem({ type: 'tmpfs', sizeMib: 8 });
    await lab.startGuests([
      { name: 'twin-1', jobs: [{ kind: 'touch', mib: 16, pattern: 'same' }] },
      { name: 'twin-2', jobs: [{ kind: 'touch', mib: 16, pattern: 'same' }] },
      {
        name: 'filler & <co>',
        persistent: true,
        balloon: { kind: 'period', seconds: 1 },
        disks: [{ source: { kind: 'new', format: 'raw', sizeMib: 64, directory: small } }],
        jobs: [{ kind: 'fill', disk: 'vda', mib: 64 }],
      },
      {
        name: 'net',
        vcpus: { current: 2, maximum: 4, pins: ['0', '1'] },
        cpuTune: { shares: 512, periodUs: 100_000, quotaUs: 80_000 },
        nics: [{ target: 'labtap0', inboundKibPerSecond: 4096 }],
      },
    ]);
    await Promise.all(lab.guests.map((guest) => guest.waitFor('lab: started')));
  });

  afterAll(async () => {
    await lab.close();
  });

  it('gets every guest into user space with its jobs under way', () => {
    expect(lab.guest('twin-1').console()).toContain('lab: touch 16 same 0 done');
    expect(lab.guest('net').console()).toContain('lab: ready');
  });

  it('receives balloon statistics from inside a guest when there is a period', async () => {
    const stats = await eventually('fresh balloon statistics', 60_000, async () => {
      const text = await lab.virsh('dommemstat', 'twin-1');
      return statistic(text, 'last_update') > 0 && text;
    });
    // 128 MiB less what the kernel keeps for itself.
    expect(statistic(stats, 'available')).toBeGreaterThan(64 * 1024);
    expect(statistic(stats, 'available')).toBeLessThan(128 * 1024);
    const first = statistic(stats, 'last_update');
    await eventually('a second report', 60_000, async () => {
      return statistic(await lab.virsh('dommemstat', 'twin-1'), 'last_update') > first;
    });
  });

  it('has libvirt pause a guest that fills up the file system of its disk', async () => {
    const filler = lab.guest('filler & <co>');
    await filler.waitForState('paused (I/O error)');
    expect(await lab.virsh('domblkerror', filler.name)).toContain('vda: no space');
  });

  it('gives each guest cgroups with its shares, its memory and its vCPU threads', () => {
    const net = lab.guest('net');
    const cgroups = net.cgroups();
    const cpu = cgroups.get('cpu') ?? '';
    expect(readNumber(join(cpu, 'cpu.shares'))).toBe(512);
    expect(readNumber(join(cpu, 'vcpu1', 'cpu.cfs_quota_us'))).toBe(80_000);
    const memory = readNumber(join(cgroups.get('memory') ?? '', 'memory.usage_in_bytes'));
    expect(memory).toBeGreaterThan(64 * MIB);
    const tasks = readFileSync(join(cpu, 'vcpu1', 'tasks'), 'utf8')
      .trim()
      .split('\n');
    expect(tasks.map((tid) => net.threads().get(Number(tid)))).toEqual(['CPU 1/TCG']);
  });

  it('passes traffic both ways over tap, bridge and uplink, all seen through its sysfs', async () => {
    const net = lab.guest('net');
    expect(await net.taps()).toEqual(['labtap0']);
    const counters = () =>
      [
        'labtap0/statistics/rx_bytes',
        'labtap0/statistics/tx_bytes',
        'uplink0/statistics/tx_bytes',
      ].map((path) => readNumber(join(lab.sysfs, 'class/net', path)));
    const before = counters();
    const { peerAddress: peer } = lab.network;
    await net.command({ kind: 'ping', peer, count: 1 });
    await net.command({ kind: 'traffic', direction: 'tx', peer, kibPerSecond: 1024 });
    await net.command({ kind: 'traffic', direction: 'rx', peer, kibPerSecond: 1024 });
    await eventually('half a MiB in each direction', 60_000, () =>
      counters().every((value, index) => value - (before[index] ?? 0) > MIB / 2),
    );
    await net.command({ kind: 'stop', what: 'traffic' });
    expect(readdirSync(join(lab.sysfs, 'class/net/labbr0/brif')).toSorted()).toEqual([
      'labtap0',
      'uplink0',
    ]);
    expect(existsSync('/sys/class/net/labtap0')).toBe(false);
  });

  it('lets KSM merge two guests with equal memory, and parts them on command', async () => {
    const twin = lab.guest('twin-2');
    const merged = () => readNumber(`/proc/${twin.qemuPid()}/ksm_merging_pages`);
    // What is merged or parted shows only when ksmd has come by; after three rounds all is merged
    // that can be, what the guests' kernels have in common included.
    const settled = ksmCounter('full_scans') + 3;
    await eventually('three full scans', 180_000, () => ksmCounter('full_scans') >= settled);
    const before = merged();
    expect(before).toBeGreaterThan(TOUCHED_PAGES);
    expect(ksmCounter('pages_sharing')).toBeGreaterThan(TOUCHED_PAGES);
    await twin.command({ kind: 'touch', mib: 16, pattern: 'unique' });
    await eventually(
      'the touched pages are parted',
      180_000,
      () => before - merged() > TOUCHED_PAGES * 0.9,
      () => `${before} merged before, ${merged()} now`,
    );
  });

  it('reports a command that fails inside the guest', async () => {
    await expect(lab.guest('twin-1').command('sh false')).rejects.toThrow('failed');
  });

  it('squeezes a guest out into swap and lets it be again', async () => {
    await lab.swapFile(256);
    const pid = lab.qemuPid('net');
    const swapped = () => statusBytes(pid, 'VmSwap');
    expect(swapped()).toBe(0);
    const lift = await lab.squeezeMemory('net', 64 * MIB);
    await eventually('something is swapped out', 60_000, () => swapped() > MIB);
    lift();
    await lab.guest('net').command('sh true');
  });

  it('loses libvirtd without losing guests', async () => {
    const pid = lab.qemuPid('net');
    await lab.killDaemon();
    await expect(lab.virsh('list')).rejects.toThrow();
    await lab.startDaemon();
    expect(await lab.guest('net').state()).toBe('running (booted)');
    expect(lab.qemuPid('net')).toBe(pid);
  });

  it('stops a QEMU in its tracks and lets it go on', async () => {
    const pid = lab.qemuPid('twin-1');
    lab.pause(pid);
    await eventually('all its threads stand still', 60_000, () => /State:\s+T/.test(status(pid)));
    lab.resume(pid);
    await lab.guest('twin-1').command('sh true');
    expect(() => {
      lab.pause(process.pid);
    }).toThrow("not the lab's");
  });

  it('starts many guests without a system quickly, paused or not', async () => {
    const started = Date.now();
    const bare = await lab.startGuests(
      Array.from({ length: 10 }, (_, index) => ({
        name: `bare-${index}`,
        os: 'none' as const,
        paused: index % 2 === 1,
      })),
    );
    expect(Date.now() - started).toBeLessThan(60_000);
    const states = await Promise.all(bare.map((guest) => guest.state()));
    expect(states.filter((state) => state.startsWith('paused'))).toHaveLength(5);
    await Promise.all(bare.map((guest) => guest.destroy()));
  });

  it('reaches a server in its network namespace from the host', async () => {
    const port = 9999;
    const server = await lab.spawn(process.execPath, [
      '-e',
      `require('node:http').createServer((_, res) => res.end('lab')).listen(${port}, '${lab.network.labAddress}')`,
    ]);
    const text = await eventually('the server answers', 60_000, async () => {
      try {
        return await (await fetch(`http://${lab.network.labAddress}:${port}`)).text();
      } catch {
        return undefined;
      }
    });
    expect(text).toBe('lab');
    await server.stop();
    expect(server.isRunning()).toBe(false);
  });
});

describe('after a lab', () => {
  it('nothing is left when it is closed', async () => {
    const before = await traces();
    const ksmBefore = ksmCounter('run');
    const lab = await openLab();
    const { root } = lab.directory;
    lab.ksm({ run: ksmBefore === 1 ? 0 : 1 });
    const filesystem = await lab.filesystem({ type: 'ext4', sizeMib: 16 });
    const block = await lab.blockDevice(16);
    await lab.swapFile(16);
    const [guest] = await lab.startGuests([
      {
        name: 'short-lived',
        os: 'none',
        nics: [{}],
        disks: [
          { source: { kind: 'new', format: 'qcow2', sizeMib: 8, directory: filesystem } },
          { source: { kind: 'block', format: 'raw', path: block } },
        ],
      },
    ]);
    expect(await traces()).not.toEqual(before);
    const pids = [guest?.qemuPid() ?? 0, lab.daemonPid()];
    await lab.close();
    await lab.close();
    expect(pids.filter(isRunning)).toEqual([]);
    expect(existsSync(root)).toBe(false);
    expect(ksmCounter('run')).toBe(ksmBefore);
    expect(await traces()).toEqual(before);
  });

  it('nothing is left when its owner is killed', async () => {
    const before = await traces();
    const owner = await labInAnotherProcess();
    process.kill(owner.pid, 'SIGKILL');
    await eventually('the reaper has cleaned up', 30_000, () => !existsSync(owner.root));
    expect(isRunning(owner.qemuPid)).toBe(false);
    expect(await traces()).toEqual(before);
  });

  it('nothing is left, after the next start, when owner and reaper are killed', async () => {
    const before = await traces();
    const owner = await labInAnotherProcess();
    process.kill(reaperOf(owner.root), 'SIGKILL');
    process.kill(owner.pid, 'SIGKILL');
    await sleep(500);
    expect(isRunning(owner.qemuPid)).toBe(true);
    const next = await openLab();
    expect(isRunning(owner.qemuPid)).toBe(false);
    await next.close();
    expect(await traces()).toEqual(before);
  });
});

/** What a lab could leave on the host: networks, mounts, loop devices, swap, cgroups. */
async function traces(): Promise<readonly string[]> {
  const [links, loops] = await Promise.all([run('ip', ['-br', 'link']), run('losetup', ['-a'])]);
  return [
    ...links.split('\n').filter((line) => line.includes('kvmlab')),
    ...(existsSync('/run/netns') ? readdirSync('/run/netns') : []),
    ...readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .filter((line) => line.includes('kvm-overcommit-lab') || line.includes('kvmlab')),
    ...loops.split('\n').filter((line) => line.includes('kvm-overcommit-lab')),
    ...readFileSync('/proc/swaps', 'utf8')
      .split('\n')
      .filter((line) => line.includes('lab-')),
    ...readdirSync('/sys/fs/cgroup/cpu').filter((name) => name.startsWith('kvmlab')),
  ];
}

/** A lab with one guest whose owner we can kill. */
async function labInAnotherProcess(): Promise<{
  readonly pid: number;
  readonly root: string;
  readonly qemuPid: number;
}> {
  const harness = new URL('../../lab/index.ts', import.meta.url).href;
  const script = `
    import { openLab } from '${harness}';
    const lab = await openLab();
    const guest = await lab.startGuest({ name: 'orphan', os: 'none', nics: [{}] });
    console.log(lab.directory.root + ' ' + guest.qemuPid());
    setInterval(() => undefined, 1000);
  `;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  for await (const text of owner.stdout.setEncoding('utf8')) {
    printed += String(text);
    if (printed.endsWith('\n')) break;
  }
  const [root = '', qemuPid = ''] = printed.trim().split(' ');
  return { pid: owner.pid ?? 0, root, qemuPid: Number(qemuPid) };
}

function reaperOf(root: string): number {
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const path = `/proc/${entry}/cmdline`;
    const words = existsSync(path) ? readFileSync(path, 'utf8').split('\0') : [];
    if (words[1]?.endsWith('reaper.ts') === true && words[2] === root) return Number(entry);
  }
  throw new Error(`no reaper for ${root}`);
}

function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/State:\s+[ZX]/.test(status(pid));
}

function status(pid: number): string {
  return readFileSync(`/proc/${pid}/status`, 'utf8');
}

function readNumber(path: string): number {
  return Number(readFileSync(path, 'utf8').trim());
}

function statistic(text: string, name: string): number {
  return Number(new RegExp(`${name} (\\d+)`).exec(text)?.[1] ?? 0);
}
