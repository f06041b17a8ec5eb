import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createImage, imageInfo, qemuImg } from './qemu-img.ts';
import { StorageSource, unhurried } from '../../support/storage/storage-source.ts';
import type { DescribedDisk, ImageChain } from '../../../src/model/image.ts';

const MIB = 1024 ** 2;

function undeclared(path: string, format = 'qcow2'): DescribedDisk {
  return { declared: [{ path, declaredFormat: format }], declaredToTheEnd: false };
}

describe('a backing chain', () => {
  let directory: string;
  let storage: StorageSource;
  let pools: string[];
  const at = (name: string): string => join(directory, name);
  const overlay = (name: string, backing: string, format = 'qcow2'): void => {
    createImage(at(name), 'qcow2', undefined, [`backing_file=${backing}`, `backing_fmt=${format}`]);
  };
  /** Writes a backing name without looking whether there is such a file. */
  const rename = (name: string, backing: string, format: string): void => {
    qemuImg('rebase', '-u', '-f', 'qcow2', '-b', backing, '-F', format, at(name));
  };
  /** Like an image from before QEMU 6.1, which did not insist on a backing format. */
  const forgetBackingFormat = (name: string): void => {
    const file = openSync(at(name), 'r+');
    const header = Buffer.alloc(1024);
    readSync(file, header, 0, header.length, 0);
    writeSync(file, Buffer.from('00000001', 'hex'), 0, 4, header.indexOf('e2792aca', 0, 'hex'));
    closeSync(file);
  };
  const read = async (...disks: readonly DescribedDisk[]): Promise<readonly ImageChain[]> =>
    storage.chains.read(disks, pools, storage.mounts, unhurried());
  const chainOf = async (disk: DescribedDisk): Promise<ImageChain> => {
    const [chain] = await read(disk);
    if (chain === undefined) throw new Error('no chain');
    return chain;
  };
  const names = (chain: ImageChain): string[] =>
    chain.images.map(({ role, depth, image }) =>
      [role, depth, image.format, image.path.slice(directory.length + 1)].join(' '),
    );

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'chain-'));
    storage = new StorageSource();
    pools = [];
    createImage(at('base.raw'), 'raw', 16 * MIB);
    mkdirSync(at('layers'));
    overlay('layers/one.qcow2', '../base.raw', 'raw');
    overlay('layers/two.qcow2', 'one.qcow2');
    overlay('leaf.qcow2', at('layers/two.qcow2'));
  });
  afterEach(() => {
    storage.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('of four is followed from the headers, relative names from the directory of the overlay', async () => {
    const chain = await chainOf(undeclared(at('leaf.qcow2')));
    expect(names(chain)).toEqual([
      'leaf 0 qcow2 leaf.qcow2',
      'backing 1 qcow2 layers/two.qcow2',
      'backing 2 qcow2 layers/one.qcow2',
      'backing 3 raw layers/../base.raw',
    ]);
    expect(chain.end).toEqual({ kind: 'complete' });
    expect(chain.images.map(({ image }) => image.formatFrom)).not.toContain('probed');
    expect(chain.images.at(-1)?.image.resolvedPath).toBe(at('base.raw'));
    for (const { image } of chain.images.slice(0, 3)) {
      const info = imageInfo(image.path, 'qcow2');
      if (image.qcow2 === undefined) throw new Error('no header');
      expect(image.qcow2).toMatchObject({
        backingFileName: info['backing-filename'],
        backingFormat: info['backing-filename-format'],
      });
    }
  });

  it('comes out the same in later scrapes, and new when an overlay is put on top', async () => {
    const first = await chainOf(undeclared(at('leaf.qcow2')));
    expect(names(await chainOf(undeclared(at('leaf.qcow2'))))).toEqual(names(first));
    overlay('snapshot.qcow2', 'leaf.qcow2');
    const chain = await chainOf(undeclared(at('snapshot.qcow2')));
    expect(names(chain)).toHaveLength(5);
    unlinkSync(at('base.raw'));
    expect((await chainOf(undeclared(at('snapshot.qcow2')))).end.kind).toBe('unreadable');
  });

  it('shares the identity of its base with other chains, hard links and symbolic links', async () => {
    overlay('other.qcow2', at('base.raw'), 'raw');
    linkSync(at('leaf.qcow2'), at('hard.qcow2'));
    symlinkSync('leaf.qcow2', at('soft.qcow2'));
    const chains = await read(
      undeclared(at('leaf.qcow2')),
      undeclared(at('other.qcow2')),
      undeclared(at('hard.qcow2')),
      undeclared(at('soft.qcow2')),
    );
    const all = chains.flatMap((chain) => chain.images.map(({ image }) => image.identity));
    expect(all).toHaveLength(4 + 2 + 4 + 4);
    expect(new Set(all).size).toBe(5);
  });

  it('counts relative names from where the symbolic link is, as QEMU does', async () => {
    mkdirSync(at('links'));
    symlinkSync('../layers/two.qcow2', at('links/two.qcow2'));
    const chain = await chainOf(undeclared(at('links/two.qcow2')));
    expect(names(chain)).toEqual(['leaf 0 qcow2 links/two.qcow2']);
    expect(chain.end).toMatchObject({ kind: 'unreadable', path: at('links/one.qcow2') });
  });

  it('takes what the XML declares before what the headers say', async () => {
    const chain = await chainOf({
      declared: [
        { path: at('leaf.qcow2'), declaredFormat: 'qcow2' },
        { path: at('layers/one.qcow2'), declaredFormat: 'qcow2' },
      ],
      declaredToTheEnd: true,
    });
    expect(names(chain)).toEqual(['leaf 0 qcow2 leaf.qcow2', 'backing 1 qcow2 layers/one.qcow2']);
    expect(chain.end).toEqual({ kind: 'complete' });
  });

  it('ends at a missing base with the path that is missing', async () => {
    unlinkSync(at('layers/one.qcow2'));
    const chain = await chainOf(undeclared(at('leaf.qcow2')));
    expect(names(chain)).toHaveLength(2);
    expect(chain.end).toMatchObject({
      kind: 'unreadable',
      path: at('layers/one.qcow2'),
      error: { kind: 'absent' },
    });
  });

  it('ends at a loop', async () => {
    rename('layers/one.qcow2', '../leaf.qcow2', 'qcow2');
    const chain = await chainOf(undeclared(at('leaf.qcow2')));
    expect(names(chain)).toHaveLength(3);
    expect(chain.end).toEqual({ kind: 'loop', path: `${directory}/layers/../leaf.qcow2` });
  });

  it('ends at a name that leads over the network', async () => {
    rename('leaf.qcow2', 'nbd://127.0.0.1:10809/base', 'raw');
    expect((await chainOf(undeclared(at('leaf.qcow2')))).end).toMatchObject({
      kind: 'remote',
      reference: 'nbd:base',
      protocol: 'nbd',
    });
  });

  it('reads a local file out of a json: name', async () => {
    const json = { driver: 'raw', file: { driver: 'file', filename: at('base.raw') } };
    rename('leaf.qcow2', `json:${JSON.stringify(json)}`, 'raw');
    expect(names(await chainOf(undeclared(at('leaf.qcow2'))))).toEqual([
      'leaf 0 qcow2 leaf.qcow2',
      'backing 1 raw base.raw',
    ]);
  });

  it('probes a base of undeclared format, but follows no name found by probing', async () => {
    forgetBackingFormat('leaf.qcow2');
    const chain = await chainOf(undeclared(at('leaf.qcow2')));
    expect(chain.images.map(({ image }) => image.formatFrom)).toEqual(['declared', 'probed']);
    expect(chain.end).toEqual({ kind: 'unspecified-format', reference: 'one.qcow2' });

    rename('leaf.qcow2', at('base.raw'), 'raw');
    forgetBackingFormat('leaf.qcow2');
    const probedRaw = await chainOf(undeclared(at('leaf.qcow2')));
    expect(probedRaw.images.map(({ image }) => image.format)).toEqual(['qcow2', 'raw']);
    expect(probedRaw.end).toEqual({ kind: 'complete' });
  });

  it('ends where a header is no good', async () => {
    createImage(at('not.qcow2'), 'raw', MIB);
    const chain = await chainOf(undeclared(at('not.qcow2')));
    expect(chain.end).toMatchObject({ kind: 'bad-header', error: { kind: 'malformed' } });
    expect(chain.images[0]?.image.capacityBytes).toBeUndefined();
  });

  it('deeper than 200 is refused', async () => {
    for (let i = 0; i < 205; i += 1) {
      createImage(at(`deep${i}.qcow2`), 'qcow2', MIB);
      if (i > 0) rename(`deep${i}.qcow2`, `deep${i - 1}.qcow2`, 'qcow2');
    }
    const chain = await chainOf(undeclared(at('deep204.qcow2')));
    expect(chain.end).toEqual({ kind: 'too-deep', limit: 200 });
    expect((await chainOf(undeclared(at('deep200.qcow2')))).end).toEqual({ kind: 'complete' });
  });

  it.each(['on', 'off'])('includes an external data file (data_file_raw=%s)', async (raw) => {
    createImage(at('meta.qcow2'), 'qcow2', 1024 * MIB, [
      `data_file=${at('guest.data')}`,
      `data_file_raw=${raw}`,
      'preallocation=metadata',
    ]);
    const chain = await chainOf(undeclared(at('meta.qcow2')));
    expect(names(chain)).toEqual(['leaf 0 qcow2 meta.qcow2', 'data 0 raw guest.data']);
    const [leaf, data] = chain.images;
    if (leaf?.image.qcow2 === undefined) throw new Error('no header');
    expect(leaf.image.qcow2).toMatchObject({
      hasExternalDataFile: true,
      externalDataFileIsRaw: raw === 'on',
      externalDataFileName: at('guest.data'),
    });
    // 6 clusters of 64 KiB: header, 2 of L2, L1, refcount block and table. All of it is there.
    expect(leaf.image.worstCase?.fullyAllocatedBytes).toBe(6 * 65_536);
    expect(leaf.image.fileSizeBytes).toBe(6 * 65_536);
    expect(data?.image.capacityBytes).toBe(1024 * MIB);
  });
});
