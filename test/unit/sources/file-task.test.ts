import { linkSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { performBatch, type FileAnswer, type FileLook } from '../../../src/sources/file-task.ts';

describe('looking at a file', () => {
  let directory: string;
  let path: string;
  const answer = (known: string | undefined, headerBytes: number, at = path): FileAnswer => {
    const task = { kind: 'look', rest: at, links: 0, known, headerBytes } as const;
    const batch = { rootfs: '', mountpoint: '/', childMountpoints: [], tasks: [task] };
    const [first] = performBatch(batch, () => undefined);
    if (first === undefined) throw new Error('no answer');
    return first;
  };
  const look = (known: string | undefined, headerBytes = 4, at = path): FileLook => {
    const given = answer(known, headerBytes, at);
    if (given.kind !== 'look') throw new Error(given.kind);
    return given;
  };
  const start = ({ header }: FileLook): string | undefined =>
    header?.kind === 'head' ? Buffer.from(header.bytes).toString() : undefined;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'look-'));
    path = join(directory, 'disk');
    writeFileSync(path, 'QFI and more');
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it('reads its start the first time, and nothing while it stays the same', () => {
    const first = look(undefined);
    expect(start(first)).toBe('QFI ');
    expect(look(first.fingerprint).header).toBeUndefined();
  });

  it('reads its start again after any change', () => {
    const { fingerprint } = look(undefined);
    writeFileSync(path, 'LUKS');
    expect(start(look(fingerprint))).toBe('LUKS');
  });

  it('reads no further than its end, and nothing where nothing is wanted', () => {
    expect(start(look(undefined, 1024))).toBe('QFI and more');
    expect(look(undefined, 0).header).toBeUndefined();
  });

  it('leaves its access time alone', () => {
    const { atimeMs } = statSync(path);
    look(undefined);
    expect(statSync(path).atimeMs).toBe(atimeMs);
  });

  it('gives size, blocks of 512 bytes and the same identity under another name', () => {
    const one = look(undefined);
    expect(one).toMatchObject({
      type: 'file',
      sizeBytes: 12n,
      blocks: BigInt(statSync(path).blocks),
    });
    const name = join(directory, 'other');
    linkSync(path, name);
    expect(look(undefined, 0, name)).toMatchObject({ dev: one.dev, inode: one.inode });
  });

  it('says what else there is', () => {
    expect(look(undefined, 4, directory)).toMatchObject({ type: 'directory', header: undefined });
    expect(look(undefined, 4, '/dev/null')).toMatchObject({ type: 'other', header: undefined });
    expect(answer(undefined, 4, `${path}/x`)).toMatchObject({ kind: 'failed', code: 'ENOTDIR' });
  });
});
