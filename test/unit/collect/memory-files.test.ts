import { mkdir, mkdtemp, symlink, truncate, writeFile } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

import { Deadline } from '../../../src/runtime/deadline.ts';
import { OutcomeLog } from '../../../src/model/outcome-log.ts';
import { StorageCollector } from '../../../src/collect/storage-collector.ts';
import { parseDomainXml } from '../../../src/sources/domain-xml/domain-xml.ts';
import { parseMemoryFiles } from '../../../src/sources/process/qemu-memory-files.ts';
import type { MemoryFile } from '../../../src/model/process.ts';

const MIB = 2 ** 20;

function guest(devices: string, memoryFiles: readonly MemoryFile[] = []) {
  const config = parseDomainXml(
    "<domain type='kvm'><name>web</name><uuid>u</uuid><memory unit='GiB'>4</memory>" +
      `<devices>${devices}</devices></domain>`,
    'web',
  );
  if (!config.ok) throw new Error(config.error.detail);
  return { name: 'web', uuid: 'u', config: config.value, memoryFiles };
}

function device(model: string, path: string, more = ''): string {
  return (
    `<memory model='${model}'><source><path>${path}</path></source>` +
    `<target><size unit='MiB'>64</size>${more}</target></memory>`
  );
}

describe('files behind memory devices', () => {
  it('are images the guest writes, promised whole and allocated in part', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'pmem-')), 'pmem.img');
    await writeFile(path, Buffer.alloc(MIB, 1));
    await truncate(path, 64 * MIB);
    const collector = new StorageCollector({ procfs: '/proc', sysfs: '/sys', rootfs: '' }, false);
    onTestFinished(() => {
      collector.close();
    });
    const web = guest(
      device('nvdimm', path) +
        device('nvdimm', path, '<readonly/>') +
        device('virtio-pmem', path) +
        device('nvdimm', '/dev/dax0.0') +
        "<memory model='dimm'><target><size unit='MiB'>64</size></target></memory>",
    );
    const log = new OutcomeLog(new Set(['image']));
    const storage = await collector.collect([web], undefined, log, Deadline.in(10_000));
    const disks = storage?.disks ?? [];
    expect(disks.map(({ device: name, readOnly }) => [name, readOnly])).toEqual([
      ['nvdimm0', false],
      ['nvdimm1', true],
      ['virtio-pmem2', false],
    ]);
    for (const { source } of disks) {
      if (source.kind !== 'local') throw new Error('it lies on this host');
      const [first, ...below] = source.chain.images;
      expect(below).toEqual([]);
      expect(source.chain.end.kind).toBe('complete');
      expect(first?.image).toMatchObject({ path, capacityBytes: 64 * MIB });
      expect(first?.image.allocatedBytes).toBeLessThan(64 * MIB);
    }
  });
});

describe('files that are the RAM of a guest', () => {
  const collect = async (memoryFiles: readonly MemoryFile[]) => {
    const collector = new StorageCollector({ procfs: '/proc', sysfs: '/sys', rootfs: '' }, false);
    onTestFinished(() => {
      collector.close();
    });
    const log = new OutcomeLog(new Set(['image']));
    const storage = await collector.collect(
      [guest('', memoryFiles)],
      undefined,
      log,
      Deadline.in(10_000),
    );
    return (storage?.disks ?? []).map(({ device: id, source }) => {
      if (source.kind !== 'local') throw new Error('it lies on this host');
      const { images, end } = source.chain;
      const image = images[0]?.image;
      return { id, end: end.kind, capacity: image?.capacityBytes, held: image?.allocatedBytes };
    });
  };

  /** On a disk: on a tmpfs such a file is memory. */
  const ramDirectory = async () => {
    const directory = join(await mkdtemp(join('/var/tmp', 'ram-')), '7-web');
    onTestFinished(() => {
      rmSync(join(directory, '..'), { recursive: true });
    });
    await mkdir(directory);
    return directory;
  };

  it('are images the guest fills, promised whole', async () => {
    const path = join(await ramDirectory(), 'pc.ram');
    await writeFile(path, Buffer.alloc(MIB, 1));
    await truncate(path, 64 * MIB);
    const [file] = await collect([{ id: 'pc.ram', path }]);
    expect(file).toMatchObject({ id: 'pc.ram', end: 'complete', capacity: 64 * MIB });
    expect(file?.held).toBeLessThan(64 * MIB);
  });

  it('are not looked for where a guest that rewrote its command line leads', async () => {
    const directory = await ramDirectory();
    await symlink('/etc/shadow', join(directory, 'pc.ram'));
    const files = await collect([
      { id: 'a', path: '/etc/shadow' },
      { id: 'b', path: join(directory, 'pc.ram') },
      { id: 'c', path: `${directory}/../../../etc/shadow` },
    ]);
    expect(files).toEqual([{ id: 'b', end: 'refused', capacity: undefined, held: undefined }]);
  });

  it('are memory, not storage, on a tmpfs', async () => {
    expect(await collect([{ id: 'pc.ram', path: '/dev/shm/libvirt/qemu/7-web/pc.ram' }])).toEqual(
      [],
    );
  });
});

describe('the memory files in a command line of QEMU', () => {
  const parse = (...objects: string[]) =>
    parseMemoryFiles(['qemu', ...objects.flatMap((one) => ['-object', one]), ''].join('\0'));
  const json = (more: object) =>
    JSON.stringify({
      'qom-type': 'memory-backend-file',
      id: 'pc.ram',
      'mem-path': '/var/lib/libvirt/qemu/ram/1-web/pc.ram',
      share: true,
      size: 4096,
      ...more,
    });

  it('are read as libvirt writes them now', () => {
    const path = '/var/lib/libvirt/qemu/ram/1-web/pc.ram';
    expect(parse(json({}), json({ id: 'ram-node1' }))).toEqual([
      { id: 'pc.ram', path },
      { id: 'ram-node1', path },
    ]);
  });

  it('are read as libvirt wrote them before', () => {
    expect(
      parse('memory-backend-file,id=ram-node0,mem-path=/ram/1-a,,b/ram-node0,share=yes,size=64'),
    ).toEqual([{ id: 'ram-node0', path: '/ram/1-a,b/ram-node0' }]);
  });

  it('are none where the memory is private, anonymous, or nonsense', () => {
    expect(
      parse(
        json({ share: false }),
        json({ 'qom-type': 'memory-backend-memfd' }),
        json({ 'mem-path': 'relative' }),
        '{"memory-backend-file',
        'memory-backend-file',
        'memory-backend-file,id=x,mem-path=/a/1-b/c',
      ),
    ).toEqual([]);
  });
});
