import { mkdtempSync, rmSync, writeFileSync, linkSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  performBatch,
  type FileAnswer,
  type FileTask,
} from '../../../src/sources/files/file-task.ts';
import { makeFifo } from '../../support/fifo.ts';

/** An open of a FIFO would never come back, and the test would not end. */
describe('a FIFO in the place of an image', () => {
  let rootfs: string;
  const at = (name: string): string => join(rootfs, name);
  const perform = (task: FileTask): FileAnswer => {
    const batch = { rootfs, mountpoint: '/', childMountpoints: [], devicesOnly: false };
    const [first] = performBatch(
      { ...batch, allowedDirectories: [], tasks: [task] },
      () => undefined,
    );
    if (first === undefined) throw new Error('no answer');
    return first;
  };
  const look = (rest: string): FileAnswer =>
    perform({
      kind: 'look',
      rest,
      links: 0,
      known: undefined,
      headerAt: 0,
      headerBytes: 4,
      confined: false,
    });

  beforeEach(() => {
    rootfs = mkdtempSync(join(tmpdir(), 'fifo-'));
  });
  afterEach(() => {
    rmSync(rootfs, { recursive: true, force: true });
  });

  it('is examined and not opened', () => {
    makeFifo(at('fifo'));
    expect(look('/fifo')).toMatchObject({ type: 'other', header: undefined });
  });

  it('is not read where a file was found before', () => {
    writeFileSync(at('disk'), '0123456789');
    const found = look('/disk');
    if (found.kind !== 'look') throw new Error(found.kind);
    linkSync(at('disk'), at('keeps-the-inode'));
    unlinkSync(at('disk'));
    makeFifo(at('disk'));
    const { dev, inode, rdev } = found;
    expect(
      perform({ kind: 'read', rest: found.path, at: 0, bytes: 4, dev, inode, rdev }),
    ).toMatchObject({ kind: 'failed', code: 'ESTALE' });
  });
});
