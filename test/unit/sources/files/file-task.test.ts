import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  performBatch,
  type FileAnswer,
  type FileBatch,
  type FileLook,
  type FileTask,
} from '../../../../src/sources/files/file-task.ts';

const ON_ROOT = {
  rootfs: '',
  mountpoint: '/',
  childMountpoints: [],
  devicesOnly: false,
  allowedDirectories: [],
} as const;

function perform(task: FileTask, where: Partial<FileBatch> = {}): FileAnswer {
  const [first] = performBatch({ ...ON_ROOT, ...where, tasks: [task] }, () => undefined);
  if (first === undefined) throw new Error('no answer');
  return first;
}

function lookAt(
  rest: string,
  { known, ...rest_ }: Partial<Extract<FileTask, { readonly kind: 'look' }>> = {},
): FileTask {
  return {
    kind: 'look',
    rest,
    links: 0,
    known,
    headerAt: 0,
    headerBytes: 4,
    confined: false,
    ...rest_,
  };
}

describe('looking at a file', () => {
  let rootfs: string;
  const path = '/disk';
  const at = (name: string): string => join(rootfs, name);
  const look = (known: string | undefined, headerBytes = 4, rest = path): FileLook => {
    const given = perform(lookAt(rest, { known, headerBytes }), { rootfs });
    if (given.kind !== 'look') throw new Error(given.kind);
    return given;
  };
  const start = ({ header }: FileLook): string | undefined =>
    header?.kind === 'head' ? Buffer.from(header.bytes).toString() : undefined;

  beforeEach(() => {
    rootfs = mkdtempSync(join(tmpdir(), 'look-'));
    writeFileSync(at('disk'), 'QFI and more');
  });
  afterEach(() => {
    rmSync(rootfs, { recursive: true, force: true });
  });

  it('reads its start the first time, and nothing while it stays the same', () => {
    const first = look(undefined);
    expect(start(first)).toBe('QFI ');
    expect(look(first.fingerprint).header).toBeUndefined();
  });

  it('reads its start again after any change', () => {
    const { fingerprint } = look(undefined);
    writeFileSync(at('disk'), 'LUKS');
    expect(start(look(fingerprint))).toBe('LUKS');
  });

  it('reads no further than its end, and nothing where nothing is wanted', () => {
    expect(start(look(undefined, 1024))).toBe('QFI and more');
    expect(look(undefined, 0).header).toBeUndefined();
  });

  it('reads from where the image begins', () => {
    const given = perform(lookAt(path, { headerAt: 8 }), { rootfs });
    expect(given.kind === 'look' && start(given)).toBe('more');
  });

  it('leaves its access time alone', () => {
    const { atimeMs } = statSync(at('disk'));
    look(undefined);
    expect(statSync(at('disk')).atimeMs).toBe(atimeMs);
  });

  it('gives size, blocks of 512 bytes and the same identity under another name', () => {
    const one = look(undefined);
    expect(one).toMatchObject({
      type: 'file',
      sizeBytes: 12n,
      blocks: BigInt(statSync(at('disk')).blocks),
    });
    linkSync(at('disk'), at('other'));
    expect(look(undefined, 0, '/other')).toMatchObject({ dev: one.dev, inode: one.inode });
  });

  it('says what else there is', () => {
    expect(look(undefined, 4, '/')).toMatchObject({ type: 'directory', header: undefined });
    expect(perform(lookAt(`${path}/x`), { rootfs })).toMatchObject({
      kind: 'failed',
      code: 'ENOTDIR',
    });
  });

  // test/integration/files has the same of a FIFO.
  it('opens no device, and of a mount of device nodes no file', () => {
    const onDev = { mountpoint: '/dev', devicesOnly: true };
    expect(perform(lookAt('/null'), onDev)).toMatchObject({ type: 'other', header: undefined });
    expect(perform(lookAt(path), { rootfs, devicesOnly: true })).toMatchObject({
      type: 'other',
      header: undefined,
    });
  });

  it('finds out nothing where only a header names it, but within what is allowed', () => {
    mkdirSync(at('pool'));
    mkdirSync(at('closed'), { mode: 0o700 });
    writeFileSync(at('closed/key'), 'secret', { mode: 0o600 });
    writeFileSync(at('pool/base'), 'QFI');
    symlinkSync('../closed/key', at('pool/link'));
    const confined = (rest: string): FileAnswer =>
      perform(lookAt(rest, { confined: true }), { rootfs, allowedDirectories: ['/pool'] });
    expect(confined('/pool/base')).toMatchObject({ kind: 'look', sizeBytes: 3n });
    const refused = { kind: 'failed', code: 'REFUSED' };
    for (const rest of [
      'link',
      '../closed/key',
      '../closed/no-key',
      '../closed',
      '../../x',
      '..',
    ]) {
      expect(confined(`/pool/${rest}`)).toMatchObject(refused);
    }
    expect(confined('/etc/shadow')).toMatchObject(refused);
    expect(confined('/')).toMatchObject(refused);
  });
});

describe('reading more of a file that was found', () => {
  let rootfs: string;
  const at = (name: string): string => join(rootfs, name);
  const again = (found: FileLook, from: number, bytes: number): FileAnswer => {
    const { dev, inode, rdev } = found;
    return perform(
      { kind: 'read', rest: found.path, at: from, bytes, dev, inode, rdev },
      { rootfs },
    );
  };
  const find = (): FileLook => {
    const look = perform(lookAt('/disk'), { rootfs });
    if (look.kind !== 'look') throw new Error(look.kind);
    return look;
  };

  beforeEach(() => {
    rootfs = mkdtempSync(join(tmpdir(), 'read-'));
    writeFileSync(at('disk'), '0123456789');
  });
  afterEach(() => {
    rmSync(rootfs, { recursive: true, force: true });
  });

  it('gives the bytes from an offset on, as many as there are', () => {
    const read = again(find(), 7, 64);
    expect(read.kind === 'head' && Buffer.from(read.bytes).toString()).toBe('789');
    const behind = again(find(), 2 ** 52, 64);
    expect(behind.kind === 'head' && behind.bytes.length).toBe(0);
  });

  it.each([
    [
      'another file',
      (at: string) => {
        writeFileSync(at, 'other');
      },
    ],
    [
      'a link',
      (at: string) => {
        writeFileSync(`${at}-decoy`, 'other');
        symlinkSync('disk-decoy', at);
      },
    ],
  ])('fails where %s is there by now', (_, replace) => {
    const found = find();
    linkSync(at('disk'), at('keeps-the-inode'));
    unlinkSync(at('disk'));
    replace(at('disk'));
    expect(again(found, 0, 4)).toMatchObject({ kind: 'failed', code: 'ESTALE' });
  });
});
