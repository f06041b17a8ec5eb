import { mkdtemp, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

import { OutcomeLog } from '../../../src/snapshot/outcome-log.ts';
import { StorageCollector } from '../../../src/snapshot/storage-collector.ts';
import { parseDomainXml } from '../../../src/sources/domain-xml.ts';

const MIB = 2 ** 20;

function guest(devices: string) {
  const config = parseDomainXml(
    "<domain type='kvm'><name>web</name><uuid>u</uuid><memory unit='GiB'>4</memory>" +
      `<devices>${devices}</devices></domain>`,
    'web',
  );
  if (!config.ok) throw new Error(config.error.detail);
  return { name: 'web', uuid: 'u', config: config.value };
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
    const storage = await collector.collect([web], undefined, log, performance.now() + 10_000);
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
