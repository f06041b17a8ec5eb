import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { walk, WalkMemory, type WalkResult } from '../../../../src/sources/files/path-walk.ts';

describe('walking a path on one mount', () => {
  let rootfs: string;
  let memory: WalkMemory;

  /** A host tree in a directory: /images is the mount, /images/nfs another one on top of it. */
  const go = (
    rest: string,
    mountpoint = '/images',
    mayTouch?: (path: string) => boolean,
  ): WalkResult => {
    const childMountpoints = new Set(['/images/nfs']);
    return walk({ rootfs, mountpoint, childMountpoints, mayTouch }, rest, 0, memory);
  };
  const end = (result: WalkResult): string => `${result.kind} ${result.path}`;
  const openFiles = (): number => readdirSync('/proc/self/fd').length;

  beforeEach(() => {
    rootfs = mkdtempSync(join(tmpdir(), 'walk-'));
    mkdirSync(join(rootfs, 'images/sub'), { recursive: true });
    writeFileSync(join(rootfs, 'images/sub/disk'), 'content');
    memory = new WalkMemory();
  });
  afterEach(() => {
    memory.close();
    rmSync(rootfs, { recursive: true, force: true });
  });

  it('arrives with what stat says', () => {
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
    memory.close();
    expect(end(go('/images/absolute', '/'))).toBe('arrived /images/sub/disk');
  });

  it('does not touch what is mounted on top', () => {
    expect(end(go('/nfs/never/made'))).toBe('left /images/nfs/never/made');
    symlinkSync('nfs/never', join(rootfs, 'images/link'));
    expect(go('/link/made')).toEqual({ kind: 'left', path: '/images/nfs/never/made', links: 1 });
  });

  it('does not go on over a mount that the mount table does not have yet', () => {
    memory.close();
    const wholeHost = { rootfs: '', mountpoint: '/', childMountpoints: new Set<string>() };
    expect(() => walk({ ...wholeHost, mayTouch: undefined }, '/proc/self', 0, memory)).toThrow(
      "EXDEV: something has just been mounted at '/proc'",
    );
  });

  it('leaves by .. and by absolute links, still as a path of the host', () => {
    symlinkSync('/elsewhere', join(rootfs, 'images/away'));
    expect(end(go('/sub/../../etc/x'))).toBe('left /etc/x');
    expect(end(go('/away/disk'))).toBe('left /elsewhere/disk');
  });

  it('goes up and down within the mount', () => {
    expect(end(go('/sub/.././sub//disk'))).toBe('arrived /images/sub/disk');
  });

  it('goes up from where a link led to, not from where it stood', () => {
    mkdirSync(join(rootfs, 'images/far/below'), { recursive: true });
    writeFileSync(join(rootfs, 'images/far/disk'), '');
    symlinkSync('far/below', join(rootfs, 'images/link'));
    expect(end(go('/link/../disk'))).toBe('arrived /images/far/disk');
  });

  it('gives up on links that lead to themselves', () => {
    symlinkSync('loop', join(rootfs, 'images/loop'));
    expect(() => go('/loop')).toThrow('ELOOP');
  });

  it('fails like stat where there is nothing, with the path and not the handle', () => {
    expect(() => go('/missing/disk')).toThrow(
      "ENOENT: no such file or directory: '/images/missing'",
    );
    expect(() => go('/sub/disk/below')).toThrow('ENOTDIR');
  });

  it('touches nothing it may not touch, not even to find out that there is nothing', () => {
    const touched: string[] = [];
    const mayTouch = (path: string): boolean => {
      touched.push(path);
      return !path.startsWith('/images/secret');
    };
    symlinkSync('../secret/x', join(rootfs, 'images/sub/link'));
    expect(() => go('/sub/link', '/images', mayTouch)).toThrow("'/images/secret' is outside");
    expect(() => go('/secret', '/images', mayTouch)).toThrow("'/images/secret' is outside");
    expect(touched).toContain('/images/sub/link');
  });

  it('does not take a directory for another one that stands in its place by now', () => {
    go('/sub/disk');
    renameSync(join(rootfs, 'images/sub'), join(rootfs, 'images/moved'));
    symlinkSync('/etc', join(rootfs, 'images/sub'));
    // Within one batch: still in the directory it walked to, whatever is called so now.
    const again = go('/sub/disk');
    expect(again.kind === 'arrived' && again.stat.size).toBe(7n);
    memory.close();
    expect(end(go('/sub/disk'))).toBe('left /etc/disk');
  });

  it('leaves no file open', () => {
    const before = openFiles();
    for (let i = 0; i < 300; i += 1) {
      mkdirSync(join(rootfs, `images/${i}`));
      go(`/${i}`);
      go(`/${i}/../sub/disk`);
      memory.closeWalk();
    }
    expect(openFiles() - before).toBeLessThan(200);
    memory.close();
    expect(openFiles()).toBe(before);
  });
});
