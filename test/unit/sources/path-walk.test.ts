import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { walk, type WalkResult } from '../../../src/sources/path-walk.ts';

describe('walking a path on one mount', () => {
  let rootfs: string;

  /** A host tree in a directory: /images is the mount, /images/nfs another one on top of it. */
  const go = (rest: string, mountpoint = '/images'): WalkResult =>
    walk({ rootfs, mountpoint, childMountpoints: new Set(['/images/nfs']) }, rest, 0, new Map());
  const end = (result: WalkResult): string => `${result.kind} ${result.path}`;

  beforeEach(() => {
    rootfs = mkdtempSync(join(tmpdir(), 'walk-'));
    mkdirSync(join(rootfs, 'images/sub'), { recursive: true });
    writeFileSync(join(rootfs, 'images/sub/disk'), 'content');
  });
  afterEach(() => {
    rmSync(rootfs, { recursive: true, force: true });
  });

  it('arrives with what lstat says', () => {
    const result = go('/sub/disk');
    expect(end(result)).toBe('arrived /images/sub/disk');
    expect(result.kind === 'arrived' && result.stat.size).toBe(7n);
  });

  it('arrives at the mount point itself', () => {
    expect(end(go(''))).toBe('arrived /images');
  });

  it('follows relative links, and absolute ones from the root of the host', () => {
    symlinkSync('sub', join(rootfs, 'images/relative'));
    symlinkSync('/images/relative/disk', join(rootfs, 'images/absolute'));
    expect(end(go('/absolute'))).toBe('arrived /images/sub/disk');
    expect(end(go('/images/absolute', '/'))).toBe('arrived /images/sub/disk');
  });

  it('does not touch what is mounted on top', () => {
    expect(end(go('/nfs/never/made'))).toBe('left /images/nfs/never/made');
    symlinkSync('nfs/never', join(rootfs, 'images/link'));
    expect(go('/link/made')).toEqual({ kind: 'left', path: '/images/nfs/never/made', links: 1 });
  });

  it('leaves by .. and by absolute links, still as a path of the host', () => {
    symlinkSync('/elsewhere', join(rootfs, 'images/away'));
    expect(end(go('/sub/../../etc/x'))).toBe('left /etc/x');
    expect(end(go('/away/disk'))).toBe('left /elsewhere/disk');
  });

  it('goes up and down within the mount', () => {
    expect(end(go('/sub/.././sub//disk'))).toBe('arrived /images/sub/disk');
  });

  it('gives up on links that lead to themselves', () => {
    symlinkSync('loop', join(rootfs, 'images/loop'));
    expect(() => go('/loop')).toThrow('ELOOP');
  });

  it('fails like lstat where there is nothing', () => {
    expect(() => go('/missing/disk')).toThrow('ENOENT');
    expect(() => go('/sub/disk/below')).toThrow('ENOTDIR');
  });
});
