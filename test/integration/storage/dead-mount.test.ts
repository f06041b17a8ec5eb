import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { Deadline } from '../../../src/runtime/deadline.ts';
import { readFilesystems } from '../../../src/sources/files/filesystem.ts';
import { FuseMount, installBindfs } from '../../support/storage/fuse-mount.ts';
import { StorageSource, valueOrThrow } from '../../support/storage/storage-source.ts';

/** Long enough for a healthy file on a busy machine; whatever is quick takes less than half of it. */
const PATIENCE_MS = 1_000;
const AT_ONCE_MS = PATIENCE_MS / 2;
const MIB = 1024 * 1024;

describe('a mount whose server has died', () => {
  let directory: string;
  let healthy: string;
  let mounts: FuseMount[];
  let storage: StorageSource;

  const mount = async (name: string, source = join(directory, 'exported')): Promise<FuseMount> => {
    const mounted = await FuseMount.of(source, join(directory, name));
    mounts.push(mounted);
    return mounted;
  };
  const timed = async <T>(work: Promise<T>): Promise<{ value: T; ms: number }> => {
    const from = performance.now();
    const value = await work;
    return { value, ms: performance.now() - from };
  };

  beforeAll(installBindfs);

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'dead-mount-'));
    mounts = [];
    healthy = join(directory, 'healthy.raw');
    writeFileSync(healthy, '');
    truncateSync(healthy, 8 * MIB);
    mkdirSync(join(directory, 'exported'));
    writeFileSync(join(directory, 'exported', 'disk.raw'), 'x'.repeat(4096));
    storage = new StorageSource({ working: 4, total: 8, patienceMs: PATIENCE_MS });
  });

  afterEach(async () => {
    storage.close();
    for (const mounted of mounts.reverse()) await mounted.unmount();
    rmSync(directory, { recursive: true, force: true });
  });

  it('fails with timeout within the patience, while images elsewhere are read', async () => {
    const nfs = await mount('nfs');
    // Not to time the start of the first file process on a busy machine.
    await storage.image(healthy, 'raw');
    nfs.die();
    const paths = [join(nfs.mountpoint, 'disk.raw'), healthy];
    const requests = paths.map((path) => ({ path, declaredFormat: 'raw' }));
    const { value, ms } = await timed(
      storage.images.read(requests, storage.mounts, Deadline.in(5000)),
    );
    const [dead, alive] = value;
    expect(dead?.ok).toBe(false);
    expect(dead?.ok === false && dead.error.kind).toBe('timeout');
    expect(dead?.ok === false && dead.error.detail).toContain(nfs.mountpoint);
    expect(alive?.ok === true && alive.value.capacityBytes).toBe(8 * MIB);
    // It was patience that ended it, not the deadline.
    expect(ms).toBeLessThan(4_500);
  });

  it('never makes a caller wait beyond its deadline, even where patience is longer', async () => {
    const nfs = await mount('nfs');
    await storage.image(healthy, 'raw');
    nfs.die();
    const { value, ms } = await timed(storage.image(join(nfs.mountpoint, 'disk.raw'), 'raw', 150));
    expect(value.ok).toBe(false);
    expect(ms).toBeLessThan(PATIENCE_MS);
  });

  it('is left alone afterwards: the next questions are refused at once', async () => {
    const nfs = await mount('nfs');
    nfs.die();
    const path = join(nfs.mountpoint, 'disk.raw');
    await storage.image(path, 'raw');
    const { value, ms } = await timed(storage.image(path, 'raw'));
    expect(!value.ok && value.error.kind).toBe('timeout');
    expect(ms).toBeLessThan(AT_ONCE_MS);
  });

  it('holds one process only, whatever is asked of it and through which links', async () => {
    const nfs = await mount('nfs');
    nfs.die();
    symlinkSync(join(nfs.mountpoint, 'disk.raw'), join(directory, 'link.raw'));
    symlinkSync('nfs', join(directory, 'images'));
    const paths = [
      join(directory, 'link.raw'),
      join(directory, 'images', 'disk.raw'),
      join(directory, 'nfs', '..', 'nfs', 'disk.raw'),
      ...Array.from({ length: 200 }, (_, i) => join(nfs.mountpoint, `${i}.raw`)),
      healthy,
    ];
    const table = storage.mounts;
    const ask = async (): Promise<boolean[]> => {
      const deadline = Deadline.in(5000);
      const requests = paths.map((path) => ({ path, declaredFormat: 'qcow2' }));
      const [images] = await Promise.all([
        storage.images.read(requests, table, deadline),
        readFilesystems(storage.files, table.ofDevice(deviceOf(nfs)), deadline),
      ]);
      return images.map((image) => image.ok);
    };
    const deviceOf = (mounted: FuseMount): string =>
      table.findMount(mounted.mountpoint)?.device ?? 'none';
    for (let scrape = 0; scrape < 3; scrape += 1) {
      const answers = await ask();
      expect(answers.filter(Boolean)).toEqual([true]);
      expect(answers.at(-1)).toBe(true);
    }
    expect(storage.pool.workers.stuck).toBe(1);
    expect(storage.pool.hung.map((call) => call.key)).toEqual([`filesystem ${deviceOf(nfs)}`]);
  });

  it('keeps what the mount table says of it: type and traits, but no made-up space', async () => {
    const nfs = await mount('nfs');
    nfs.die();
    const table = storage.mounts;
    const mounted = table.findMount(nfs.mountpoint);
    if (mounted === undefined) throw new Error('not in the mount table');
    const [filesystem] = await readFilesystems(storage.files, [mounted], Deadline.in(5000));
    expect(filesystem?.mount.type).toBe('fuse');
    expect(filesystem?.traits.network).toBe(true);
    expect(filesystem?.space.ok === false && filesystem.space.error.kind).toBe('timeout');
    expect(storage.files.hangs(mounted)).toBe(true);
  });

  it('delays neither the event loop nor the rest of the process', async () => {
    const nfs = await mount('nfs');
    await storage.image(healthy, 'raw');
    nfs.die();
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const asked = storage.image(join(nfs.mountpoint, 'disk.raw'), 'raw');
    // Node's own four file-system threads are all still there.
    const { ms } = await timed(Promise.all(Array.from({ length: 8 }, () => stat(healthy))));
    await asked;
    delay.disable();
    expect(ms).toBeLessThan(AT_ONCE_MS);
    expect(delay.max / 1e6).toBeLessThan(AT_ONCE_MS);
  });

  it('is asked again as soon as the outstanding call has returned', async () => {
    const nfs = await mount('nfs');
    const path = join(nfs.mountpoint, 'disk.raw');
    nfs.die();
    expect((await storage.image(path, 'raw')).ok).toBe(false);
    nfs.revive();
    for (let i = 0; i < 500 && storage.pool.workers.stuck > 0; i += 1) await sleep(20);
    expect(storage.pool.hung).toEqual([]);
    const image = valueOrThrow(await storage.image(path, 'raw'));
    expect(image).toMatchObject({ capacityBytes: 4096, allocatedBytes: 4096 });
    expect(image.mount.mountpoint).toBe(nfs.mountpoint);
  });

  it('among so many dead ones that all processes are stuck, refuses the rest at once', async () => {
    const small = new StorageSource({ working: 1, total: 2, patienceMs: PATIENCE_MS });
    try {
      const first = await mount('first');
      const second = await mount('second');
      first.die();
      second.die();
      for (const dead of [first, second]) {
        await small.image(join(dead.mountpoint, 'disk.raw'), 'raw');
      }
      expect(small.pool.workers).toEqual({ total: 2, stuck: 2 });
      const { value, ms } = await timed(small.image(healthy, 'raw'));
      expect(!value.ok && value.error.kind).toBe('timeout');
      expect(ms).toBeLessThan(AT_ONCE_MS);

      first.revive();
      for (let i = 0; i < 500 && small.pool.workers.stuck > 1; i += 1) await sleep(20);
      expect((await small.image(healthy, 'raw')).ok).toBe(true);
    } finally {
      small.close();
    }
  });

  it('counts a slow one as slow, not as dead, as long as it makes progress', async () => {
    const exported = join(directory, 'exported');
    for (let i = 0; i < 6; i += 1) writeFileSync(join(exported, `${i}.qcow2`), Buffer.alloc(4096));
    // A header costs a page of 4 KiB, so a quarter of a second.
    const slow = await FuseMount.of(exported, join(directory, 'slow'), ['--read-rate=16k']);
    mounts.push(slow);
    const requests = Array.from({ length: 6 }, (_, i) => ({
      path: join(slow.mountpoint, `${i}.qcow2`),
      declaredFormat: 'qcow2',
    }));
    const { value, ms } = await timed(
      storage.images.read(requests, storage.mounts, Deadline.in(10_000)),
    );
    expect(value.map((image) => image.ok)).toEqual([true, true, true, true, true, true]);
    expect(ms).toBeGreaterThan(PATIENCE_MS);
  });

  // In the second case the request has reached a daemon which is itself blocked: the kernel then
  // waits uninterruptibly, and not even SIGKILL ends the waiting process.
  it.each([
    ['waits for a stopped daemon', false],
    ['cannot be killed', true],
  ])('lets the exporter exit at once with its own status while a call %s', async (_, stacked) => {
    const lower = await mount('lower');
    const upper = stacked ? await mount('upper', lower.mountpoint) : lower;
    lower.die();
    const script = join(directory, 'exporter.ts');
    writeFileSync(
      script,
      `import { StorageSource } from ${JSON.stringify(join(import.meta.dirname, '../../support/storage/storage-source.ts'))};
       const storage = new StorageSource({ working: 4, total: 8, patienceMs: 300 });
       const image = await storage.image(${JSON.stringify(join(upper.mountpoint, 'disk.raw'))}, 'raw');
       console.log(image.ok ? 'read' : image.error.kind);
       process.stdin.once('data', () => { storage.close(); process.exit(7); });`,
    );
    const exporter = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
    const said = await new Promise<string>((resolve) =>
      exporter.stdout.once('data', (data: Buffer) => {
        resolve(data.toString().trim());
      }),
    );
    expect(said).toBe('timeout');
    const pid = String(exporter.pid);
    const workers = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    expect(workers).toHaveLength(1);

    const exited = new Promise<number | null>((resolve) => exporter.once('exit', resolve));
    const { value: status, ms } = await timed((exporter.stdin.write('leave\n'), exited));
    expect(status).toBe(7);
    expect(ms).toBeLessThan(5_000);

    const worker = workers[0] ?? '';
    const alive = (): boolean =>
      existsSync(`/proc/${worker}`) &&
      !/^State:\s+Z/m.test(readFileSync(`/proc/${worker}/status`, 'utf8'));
    const gone = async (): Promise<boolean> => {
      for (let i = 0; i < 50 && alive(); i += 1) await sleep(20);
      return !alive();
    };
    expect(await gone()).toBe(!stacked);
    lower.revive();
    expect(await gone()).toBe(true);
  });
});
