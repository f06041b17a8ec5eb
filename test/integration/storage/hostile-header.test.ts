import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  performBatch,
  type FileAnswer,
  type FileTask,
} from '../../../src/sources/files/file-task.ts';
import { LoopDevice } from '../../support/storage/loop-device.ts';
import { createImage, qemuImg } from './qemu-img.ts';
import { StorageSource, unhurried } from '../../support/storage/storage-source.ts';
import type { ChainEnd, DescribedDisk, ImageChain } from '../../../src/model/image.ts';

const MIB = 1024 ** 2;

function leaf(path: string, declaredFormat: string | undefined): DescribedDisk {
  return { declared: [{ path, declaredFormat }], declaredToTheEnd: false };
}

/** One directory of a guest's own image, one closed to everybody with a file of another's. */
describe('the header of an image, written by a guest', () => {
  let directory: string;
  let storage: StorageSource;
  const at = (...names: readonly string[]): string => join(directory, ...names);
  const image = (): string => at('vm', 'disk');
  const chainOf = async (
    disk: DescribedDisk,
    pools: readonly string[] = [],
    others: readonly DescribedDisk[] = [],
  ): Promise<ImageChain> => {
    const deadline = unhurried();
    const chains = await storage.chains.read([disk, ...others], pools, storage.mounts, deadline);
    if (chains[0] === undefined) throw new Error('no chain');
    return chains[0];
  };
  const withBacking = (name: string, format = 'raw'): void => {
    createImage(image(), 'qcow2', 16 * MIB);
    qemuImg('rebase', '-u', '-f', 'qcow2', '-b', name, '-F', format, image());
  };
  const withDataFile = (name: string): void => {
    createImage(image(), 'qcow2', 16 * MIB, [`data_file=${at('vm', 'x'.repeat(64))}`]);
    const bytes = readFileSync(image());
    const was = Buffer.from(at('vm', 'x'.repeat(64)));
    const now = Buffer.alloc(was.length);
    now.write(name);
    now.copy(bytes, bytes.indexOf(was));
    writeFileSync(image(), bytes);
  };
  const withExtent = (name: string): void => {
    writeFileSync(
      image(),
      `# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\n` +
        `createType="monolithicFlat"\nRW 32768 FLAT "${name}" 0\n`,
    );
  };
  const forgetBackingFormat = (path: string): void => {
    const file = openSync(path, 'r+');
    const header = Buffer.alloc(1024);
    readSync(file, header, 0, header.length, 0);
    writeSync(file, Buffer.from('00000001', 'hex'), 0, 4, header.indexOf('e2792aca', 0, 'hex'));
    closeSync(file);
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'hostile-'));
    storage = new StorageSource();
    for (const made of ['vm', 'pool', 'elsewhere']) mkdirSync(at(made));
    mkdirSync(at('closed'), { mode: 0o700 });
    writeFileSync(at('closed', 'key'), 'secret of another', { mode: 0o600 });
    writeFileSync(at('pool', 'base.raw'), Buffer.alloc(MIB));
    writeFileSync(at('elsewhere', 'base.raw'), Buffer.alloc(MIB));
  });
  afterEach(() => {
    storage.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const REFUSED: Partial<ChainEnd> = { kind: 'refused' };

  it.each([
    ['backing file', 'qcow2', withBacking, ''],
    ['backing file by way of ..', 'qcow2', withBacking, '../closed/key'],
    ['backing file in JSON', 'qcow2', withBacking, 'json'],
    ['data file', 'qcow2', withDataFile, ''],
    ['extent', 'vmdk', withExtent, ''],
    ['extent by way of ..', 'vmdk', withExtent, '../closed/key'],
  ] as const)(
    'tells nothing of a closed file that it names as %s',
    async (_, format, make, name) => {
      const path = at('closed', 'key');
      const json = JSON.stringify({ driver: 'raw', file: { driver: 'file', filename: path } });
      make(name === 'json' ? `json:${json}` : name || path);
      const chain = await chainOf(leaf(image(), format));
      expect(chain.end).toMatchObject(REFUSED);
      expect(chain.images.map((one) => one.image.path)).toEqual([image()]);
    },
  );

  it('does not even tell whether there is such a file', async () => {
    const ends = [];
    for (const name of ['key', 'no-key']) {
      withBacking(at('closed', name));
      const { end } = await chainOf(leaf(image(), 'qcow2'));
      ends.push(JSON.stringify(end).replaceAll(name, '<name>'));
    }
    expect(ends[0]).toBe(ends[1]);
  });

  it('does not lead out by a link that stands in the directory of the image', async () => {
    symlinkSync('../closed', at('vm', 'open'));
    symlinkSync('../closed/key', at('vm', 'link'));
    for (const name of ['open/key', 'link', 'open/../closed/key']) {
      withBacking(name);
      const chain = await chainOf(leaf(image(), 'qcow2'));
      expect(chain.end).toMatchObject(REFUSED);
      expect(chain.images).toHaveLength(1);
    }
  });

  it.each([
    '/etc/shadow',
    '/proc/kmsg',
    '/proc/self/mem',
    '/sys/kernel/profiling',
    '/sys/fs/cgroup/cgroup.procs',
    '/dev/kmsg',
    '/dev/ptmx',
    '/dev/watchdog',
    '//proc/kmsg',
    '../../../../../../../../proc/kmsg',
  ])('does not lead to %s', async (name) => {
    withBacking(name);
    expect((await chainOf(leaf(image(), 'qcow2'))).end).toMatchObject(REFUSED);
  });

  it('leads into pools, into directories of other images, and below its own', async () => {
    const base = at('pool', 'base.raw');
    withBacking(base);
    expect((await chainOf(leaf(image(), 'qcow2'))).end).toMatchObject(REFUSED);
    const complete: Partial<ChainEnd> = { kind: 'complete' };
    expect((await chainOf(leaf(image(), 'qcow2'), [at('pool')])).end).toEqual(complete);
    expect((await chainOf(leaf(image(), 'qcow2'), [`${at('pool')}/`])).end).toEqual(complete);
    const other = leaf(at('pool', 'other.raw'), 'raw');
    expect((await chainOf(leaf(image(), 'qcow2'), [], [other])).end).toEqual(complete);
    mkdirSync(at('vm', 'bases'));
    writeFileSync(at('vm', 'bases', 'b.raw'), '');
    withBacking('bases/b.raw');
    expect((await chainOf(leaf(image(), 'qcow2'))).end).toEqual(complete);
    withBacking('../vm/./bases/b.raw');
    expect((await chainOf(leaf(image(), 'qcow2'))).end).toEqual(complete);
  });

  it('leads into a pool whose path is a link, by the name of either', async () => {
    symlinkSync('elsewhere', at('linked'));
    symlinkSync('linked', at('linked-twice'));
    for (const name of ['linked', 'linked-twice', 'elsewhere']) {
      withBacking(at(name, 'base.raw'));
      const { end, images } = await chainOf(leaf(image(), 'qcow2'), [
        at('linked-twice'),
        at('linked'),
      ]);
      expect(end).toEqual({ kind: 'complete' });
      expect(images[1]?.image.resolvedPath).toBe(at('elsewhere', 'base.raw'));
    }
  });

  it('leads from one logical volume to another, which are links across /dev', async () => {
    const group = `/dev/kvmtest${process.pid}`;
    const devices = ['leaf', 'base'].map((name) => {
      createImage(at(name), name === 'leaf' ? 'qcow2' : 'raw', 16 * MIB);
      // A device consists of whole sectors.
      execFileSync('truncate', ['-s', '16M', at(name)]);
      return new LoopDevice(at(name));
    });
    try {
      mkdirSync(group);
      for (const [i, name] of ['leaf', 'base'].entries()) {
        symlinkSync(`..${(devices[i]?.path ?? '').slice('/dev'.length)}`, join(group, name));
      }
      const device = join(group, 'leaf');
      qemuImg('rebase', '-u', '-f', 'qcow2', '-b', join(group, 'base'), '-F', 'raw', device);
      const chain = await chainOf(leaf(device, 'qcow2'));
      expect(chain.end).toEqual({ kind: 'complete' });
      expect(chain.images.map((one) => one.image.kind)).toEqual(['block', 'block']);
      qemuImg('rebase', '-u', '-f', 'qcow2', '-b', '/dev/kmsg', '-F', 'raw', device);
      expect((await chainOf(leaf(device, 'qcow2'))).end).toMatchObject(REFUSED);
    } finally {
      rmSync(group, { recursive: true, force: true });
      for (const device of devices) device.detach();
    }
  });

  it('leads nowhere for an image in the root of the host, nor for a pool there', async () => {
    withBacking('/etc/passwd');
    const inRoot = leaf('/no-such-image', 'raw');
    expect((await chainOf(leaf(image(), 'qcow2'), ['/'], [inRoot])).end).toMatchObject(REFUSED);
  });

  it('of an image whose format nobody declared leads nowhere at all', async () => {
    // The overlay is sound; its base was a raw disk, into which a guest wrote a header.
    const probed = at('vm', 'probed');
    createImage(at('vm', 'overlay'), 'qcow2', 16 * MIB);
    qemuImg('rebase', '-u', '-f', 'qcow2', '-b', probed, '-F', 'raw', at('vm', 'overlay'));
    forgetBackingFormat(at('vm', 'overlay'));
    for (const make of [withBacking, withDataFile, withExtent]) {
      make(at('pool', 'base.raw'));
      execFileSync('mv', [image(), probed]);
      const chain = await chainOf(leaf(at('vm', 'overlay'), 'qcow2'), [at('pool')]);
      expect(chain.end).toMatchObject({ kind: 'unspecified-format' });
      expect(chain.images.map((one) => one.image.path)).toEqual([at('vm', 'overlay'), probed]);
    }
  });

  it('is not read on a filesystem of the kernel, even where the domain names it', async () => {
    for (const path of ['/proc/self/status', '/sys/kernel/uevent_seqnum']) {
      const { end } = await chainOf(leaf(path, undefined));
      expect(end).toMatchObject({ kind: 'refused', error: { kind: 'refused' } });
    }
    symlinkSync('/proc/self/status', at('vm', 'link'));
    expect((await chainOf(leaf(at('vm', 'link'), undefined))).end).toMatchObject(REFUSED);
    expect((await chainOf(leaf('/dev/kmsg', undefined))).end).toMatchObject({
      kind: 'unreadable',
      error: { detail: 'neither a regular file nor a block device' },
    });
  });

  it('of a VMDK with too many extents is refused as a whole', async () => {
    const line = 'RW 1 FLAT "a" 0\n';
    withExtent('a');
    const text = readFileSync(image(), 'utf8');
    writeFileSync(image(), text + line.repeat(1024));
    expect((await chainOf(leaf(image(), 'vmdk'))).end).toMatchObject({ kind: 'bad-header' });
    writeFileSync(image(), text + line.repeat(100_000));
    expect((await chainOf(leaf(image(), 'vmdk'))).end).toMatchObject({ kind: 'bad-header' });
  });

  it('of credentials shows none', async () => {
    for (const name of [
      'https://alice:hunter2@mirror.example/base.qcow2',
      'rbd:vms/base:id=alice:key=hunter2',
      'json:{"file":{"driver":"https","url":"https://h/base.qcow2","cookie":"hunter2"}}',
    ]) {
      withBacking(name);
      const { end } = await chainOf(leaf(image(), 'qcow2'));
      expect(end).toMatchObject({ kind: 'remote' });
      expect(JSON.stringify(end)).not.toMatch(/alice|hunter2/);
    }
  });
});

/**
 * Somebody who may write to the directory of an image puts other things in its place while looks go
 * on. Zeros would be read from the device, `secret` from the closed file; the FIFO has a writer
 * waiting, whose open ends as soon as anybody opens it to read.
 */
describe('a directory that is swapped while looks go on', () => {
  let directory: string;
  const at = (...names: readonly string[]): string => join(directory, ...names);

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'race-'));
    for (const made of ['pool', 'stock/right', 'stock/fifo', 'stock/device']) {
      mkdirSync(at(made), { recursive: true });
    }
    mkdirSync(at('closed'), { mode: 0o700 });
    writeFileSync(at('closed', 'disk'), 'secret', { mode: 0o600 });
    writeFileSync(at('stock', 'right', 'disk'), 'right image');
    execFileSync('mkfifo', [at('stock', 'fifo', 'disk')]);
    execFileSync('mknod', [at('stock', 'device', 'disk'), 'c', '1', '5']);
    // Relative to the place they are moved to.
    symlinkSync('../closed', at('stock', 'link'));
    symlinkSync('../stock/device', at('stock', 'to-device'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  /** Puts one thing after the other where the image's directory is, as fast as it can. */
  const SWAPPER = `
    const { renameSync, writeFileSync } = require('node:fs');
    const [stock, place] = process.argv.slice(1);
    const kinds = ['right', 'fifo', 'right', 'device', 'right', 'link', 'right', 'to-device'];
    for (let i = 0; ; i += 1) {
      const kind = kinds[i % kinds.length];
      renameSync(stock + '/' + kind, place);
      renameSync(place, stock + '/' + kind);
    }`;

  const bytesOf = (answer: FileAnswer): string => {
    const head = answer.kind === 'look' ? answer.header : answer;
    return head?.kind === 'head' ? Buffer.from(head.bytes).toString('latin1') : '';
  };

  it.each([true, false])(
    'never leads to another file, FIFO or device (named by a header: %s)',
    { timeout: 60_000 },
    async (confined) => {
      const place = at('pool', 'vm');
      const swapper = spawn(process.execPath, ['-e', SWAPPER, at('stock'), place], {
        stdio: 'inherit',
      });
      const opened = at('fifo-was-opened');
      const writer = spawn('sh', ['-c', `: > '${at('stock', 'fifo', 'disk')}' && : > '${opened}'`]);
      const batch = {
        rootfs: directory,
        mountpoint: '/',
        childMountpoints: [],
        devicesOnly: false,
        allowedDirectories: ['/pool'],
      };
      const perform = (task: FileTask): FileAnswer => {
        const [answer] = performBatch({ ...batch, tasks: [task] }, () => undefined);
        if (answer === undefined) throw new Error('no answer');
        return answer;
      };
      const look: FileTask = {
        kind: 'look',
        rest: '/pool/vm/disk',
        links: 0,
        known: undefined,
        headerAt: 0,
        headerBytes: 64,
        confined,
      };
      const seen = new Map<string, number>();
      const until = performance.now() + 20_000;
      let looks = 0;
      try {
        // Once it was seen in every state, a while longer.
        for (; (looks < 5000 || seen.size < 3) && performance.now() < until; looks += 1) {
          if (looks % 100 === 0) await sleep(0);
          const answer = perform(look);
          const more =
            answer.kind === 'look' && answer.type === 'file'
              ? perform({ ...answer, kind: 'read', rest: answer.path, at: 0, bytes: 64 })
              : undefined;
          const state = answer.kind === 'look' ? answer.type : answer.kind;
          seen.set(state, (seen.get(state) ?? 0) + 1);
          for (const one of more === undefined ? [answer] : [answer, more]) {
            const bytes = bytesOf(one);
            if (bytes !== '' && bytes !== 'right image') {
              // Without a header in between, the domain itself named what the link leads to.
              expect([confined, bytes]).toEqual([false, 'secret']);
            }
            if (confined && one.kind === 'look') expect(one.sizeBytes).not.toBe(6n);
          }
        }
      } finally {
        swapper.kill('SIGKILL');
      }
      expect(existsSync(opened)).toBe(false);
      expect(writer.exitCode).toBeNull();
      writer.kill('SIGKILL');
      expect(seen.get('file')).toBeGreaterThan(0);
      expect(seen.get('other')).toBeGreaterThan(0);
      expect(seen.get('failed')).toBeGreaterThan(0);
      console.log(`${looks} looks while swapped:`, Object.fromEntries(seen));
    },
  );
});
