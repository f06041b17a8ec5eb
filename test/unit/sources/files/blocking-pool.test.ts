import { readFileSync, readlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Deadline } from '../../../../src/runtime/deadline.ts';
import { BlockingPool } from '../../../../src/sources/files/blocking-pool.ts';
import {
  deviceNumber,
  type FileBatch,
  type FileTask,
} from '../../../../src/sources/files/file-task.ts';

function batch(...tasks: readonly FileTask[]): FileBatch {
  return {
    rootfs: '',
    mountpoint: '/',
    childMountpoints: [],
    devicesOnly: false,
    allowedDirectories: [],
    tasks,
  };
}

const ROOT: FileTask = { kind: 'space' };
const LOOK = {
  kind: 'look',
  links: 0,
  known: undefined,
  headerAt: 0,
  headerBytes: 512,
  confined: false,
} as const;

function workerPids(): string[] {
  const { pid } = process;
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter((child) => child !== '' && readlinkSync(`/proc/${child}/cwd`) === '/');
}

describe('the pool of file processes', () => {
  let pool: BlockingPool;
  const soon = (): Deadline => Deadline.in(5000);

  beforeEach(() => {
    pool = new BlockingPool({ working: 2, total: 3, patienceMs: 1000 });
  });
  afterEach(() => {
    pool.close();
  });

  it('starts no process before there is work, and one for work that does not wait', async () => {
    expect(pool.workers).toEqual({ total: 0, stuck: 0 });
    for (let i = 0; i < 5; i += 1) {
      const answers = await pool.run(`key ${i}`, batch(ROOT), soon());
      expect(answers.ok && answers.value.map((answer) => answer.kind)).toEqual(['space']);
    }
    expect(pool.workers).toEqual({ total: 1, stuck: 0 });
  });

  it('answers every task in order, failures among them', async () => {
    const answers = await pool.run(
      'key',
      batch(
        ROOT,
        { ...LOOK, rest: '/no/such/path' },
        { ...LOOK, rest: '/etc' },
        { kind: 'read', rest: '/etc', at: 0, bytes: 4, dev: 0n, inode: 0n, rdev: 0n },
      ),
      soon(),
    );
    expect(answers).toMatchObject({
      ok: true,
      value: [
        { kind: 'space' },
        { kind: 'failed', code: 'ENOENT' },
        { kind: 'look', path: '/etc', type: 'directory', header: undefined },
        { kind: 'failed', code: 'ESTALE' },
      ],
    });
  });

  it('replaces a process that died, and tells whoever waited for it', async () => {
    await pool.run('key', batch(ROOT), soon());
    const [pid] = workerPids();
    process.kill(Number(pid), 'SIGSTOP');
    const lost = pool.run('key', batch(ROOT), soon());
    process.kill(Number(pid), 'SIGKILL');
    expect(await lost).toMatchObject({ ok: false, error: { kind: 'unreadable' } });
    expect((await pool.run('key', batch(ROOT), soon())).ok).toBe(true);
    expect(pool.workers).toEqual({ total: 1, stuck: 0 });
  });

  it('tells at once where no process can be started, and tries again next time', async () => {
    const node = process.execPath;
    process.execPath = '/no/such/node';
    const asked = performance.now();
    const answers = await pool.run('key', batch(ROOT), soon());
    process.execPath = node;
    expect(answers).toMatchObject({ ok: false, error: { kind: 'unreadable' } });
    expect(performance.now() - asked).toBeLessThan(1000);
    expect((await pool.run('key', batch(ROOT), soon())).ok).toBe(true);
  });

  it('refuses work after it was closed, and leaves no process behind', async () => {
    await pool.run('key', batch(ROOT), soon());
    const waiting = pool.run('key', batch(ROOT), soon());
    pool.close();
    expect(await waiting).toMatchObject({ ok: false, error: { kind: 'timeout' } });
    expect(await pool.run('key', batch(ROOT), soon())).toMatchObject({ ok: false });
    expect(pool.workers.total).toBe(0);
  });

  it('answers timeout to work whose deadline has passed', async () => {
    const answers = await pool.run('key', batch(ROOT), Deadline.in(-1));
    expect(answers).toMatchObject({ ok: false, error: { kind: 'timeout' } });
  });
});

describe('a device number', () => {
  it('is taken apart as glibc puts it together', () => {
    expect(deviceNumber(0xfd02n)).toBe('253:2');
    // makedev(259, 70000): 70000 is 0x11170, its low byte below the major, the rest above.
    expect(deviceNumber(0x1111_0370n)).toBe('259:70000');
  });
});
