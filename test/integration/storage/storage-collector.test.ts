import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { OutcomeLog } from '../../../src/model/outcome-log.ts';
import { StorageCollector } from '../../../src/collect/storage-collector.ts';
import type { DomainDisk, PoolPlace } from '../../../src/model/storage.ts';
import { parseDomainXml } from '../../../src/sources/domain-xml/domain-xml.ts';

import { parseStoragePoolXml } from '../../../src/sources/domain-xml/storage-pool-xml.ts';
import { createImage, imageInfo, qemuImg } from './qemu-img.ts';
import { StorageSource, valueOrThrow, unhurried } from '../../support/storage/storage-source.ts';
import type { ImageChain } from '../../../src/model/image.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** From the XML of a guest's disks to what is known of them. */
describe('the disks of a guest', () => {
  let directory: string;
  let collector: StorageCollector;
  let log: OutcomeLog;
  const at = (name: string): string => join(directory, name);

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'collector-'));
    mkdirSync(at('pool'));
    collector = new StorageCollector(StorageSource.roots, false);
  });
  afterAll(() => {
    collector.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const disksOf = async (
    disks: string,
    pools?: readonly PoolPlace[],
  ): Promise<readonly DomainDisk[]> => {
    const xml = `<domain type='kvm'><name>g</name><uuid>11111111-1111-4111-8111-111111111111</uuid>
      <memory>1024</memory><vcpu>1</vcpu><os><type>hvm</type></os><devices>${disks}</devices></domain>`;
    const config = valueOrThrow(parseDomainXml(xml, 'g'));
    log = new OutcomeLog(new Set(['image']));
    const guest = {
      name: 'g',
      uuid: '11111111-1111-4111-8111-111111111111',
      config,
      memoryFiles: [],
    };
    const storage = await collector.collect([guest], pools, log, unhurried());
    if (storage === undefined) throw new Error(JSON.stringify(log.outcomes()));
    return storage.disks;
  };
  const chainOf = async (disk: string, pools?: readonly PoolPlace[]): Promise<ImageChain> => {
    const [only] = await disksOf(`<disk type='file'>${disk}<target dev='vda'/></disk>`, pools);
    if (only?.source.kind !== 'local') throw new Error('not a local disk');
    return only.source.chain;
  };
  const pool = (path: string): PoolPlace => ({
    name: 'p',
    description: valueOrThrow(
      parseStoragePoolXml(
        `<pool type='dir'><name>p</name><target><path>${path}</path></target></pool>`,
      ),
    ),
  });

  it('without a type are raw, whatever the guest wrote to the beginning', async () => {
    createImage(at('own.img'), 'qcow2', GIB, [`data_file=${at('pool/data')}`]);
    for (const driver of ['', "<driver name='qemu'/>", "<driver name='qemu' cache='none'/>"]) {
      const { images, end } = await chainOf(`${driver}<source file='${at('own.img')}'/>`);
      expect(end).toEqual({ kind: 'complete' });
      expect(images.map(({ image }) => [image.format, image.formatFrom])).toEqual([
        ['raw', 'declared'],
      ]);
      expect(images[0]?.image.capacityBytes).toBe(imageInfo(at('own.img'), 'raw')['virtual-size']);
    }
  });

  it.each([
    [
      'block copy to a file, as libvirt has told it since 1.2.6',
      (path: string) =>
        `<mirror type='file' file='${path}' format='qcow2' job='copy'><format type='qcow2'/>` +
        `<source file='${path}' index='3'/><backingStore/></mirror>`,
    ],
    [
      'block copy, as libvirt told it before',
      (path: string) => `<mirror file='${path}' format='qcow2' ready='yes'/>`,
    ],
    [
      'active commit',
      (path: string) =>
        `<mirror type='file' job='active-commit' ready='yes'><format type='qcow2'/>` +
        `<source file='${path}'/></mirror>`,
    ],
  ])('that a job writes elsewhere have that image too: %s', async (_, mirror) => {
    createImage(at('mirrored.img'), 'qcow2', GIB);
    createImage(at('target.img'), 'qcow2', 2 * GIB);
    const disks = await disksOf(
      `<disk type='file'><driver type='qcow2'/><source file='${at('mirrored.img')}'/>` +
        `${mirror(at('target.img'))}<target dev='vda'/><readonly/></disk>`,
    );
    const figures = disks.map(({ device, part, readOnly, source }) => {
      if (source.kind !== 'local') throw new Error('not a local disk');
      const { images, end } = source.chain;
      return [device, part, readOnly, images.map(({ image }) => image.capacityBytes), end.kind];
    });
    expect(figures).toEqual([
      ['vda', 'disk', true, [GIB], 'complete'],
      // The job writes there, also where the guest may not.
      ['vda', 'mirror', false, [2 * GIB], 'complete'],
    ]);
  });

  it('that a job writes to another host have an image of unknown size', async () => {
    createImage(at('mirrored.img'), 'qcow2', GIB);
    const [, mirror] = await disksOf(
      `<disk type='file'><driver type='qcow2'/><source file='${at('mirrored.img')}'/>` +
        `<mirror type='network' job='copy'><format type='raw'/>` +
        `<source protocol='nbd' name='copy'><host name='10.0.0.9'/></source></mirror>` +
        `<target dev='vda'/></disk>`,
    );
    expect(mirror).toMatchObject({ part: 'mirror', source: { kind: 'remote', name: 'nbd:copy' } });
  });

  it('with a data store have their data where the XML says, wherever that is', async () => {
    mkdirSync(at('elsewhere'));
    createImage(at('meta.qcow2'), 'qcow2', GIB, [`data_file=${at('elsewhere/data.raw')}`]);
    writeFileSync(at('elsewhere/data.raw'), Buffer.alloc(MIB, 1));
    const chain = await chainOf(
      `<driver type='qcow2'/><source file='${at('meta.qcow2')}'><dataStore type='file'>` +
        `<format type='raw'/><source file='${at('elsewhere/data.raw')}'/></dataStore></source>`,
    );
    expect(chain.end).toEqual({ kind: 'complete' });
    expect(chain.images.map(({ role, depth, image }) => [role, depth, image.path])).toEqual([
      ['leaf', 0, at('meta.qcow2')],
      ['data', 0, at('elsewhere/data.raw')],
    ]);
    expect(chain.images[1]?.image.allocatedBytes).toBeGreaterThanOrEqual(MIB);
  });

  it('with a data store of another host end there', async () => {
    createImage(at('far.qcow2'), 'qcow2', GIB);
    const chain = await chainOf(
      `<driver type='qcow2'/><source file='${at('far.qcow2')}'><dataStore type='network'>` +
        `<format type='raw'/><source protocol='rbd' name='vms/data'/></dataStore></source>`,
    );
    expect(chain.end).toMatchObject({ kind: 'remote', protocol: 'rbd', reference: 'rbd:vms/data' });
  });

  it.each([
    [
      'in <source>',
      (path: string) => `<source file='${path}'><encryption format='luks'/></source>`,
    ],
    ['beside <source>', (path: string) => `<source file='${path}'/><encryption format='luks'/>`],
  ])('encrypted %s are as large as their payload', async (_, source) => {
    createImage(at('secret.img'), 'luks', 16 * MIB, ['key-secret=key', 'iter-time=10']);
    const { images } = await chainOf(`<driver type='raw'/>${source(at('secret.img'))}`);
    expect(images[0]?.image).toMatchObject({
      format: 'luks',
      capacityBytes: imageInfo(at('secret.img'), 'luks')['virtual-size'],
      worstCase: { fullyAllocatedBytes: images[0]?.image.fileSizeBytes },
    });
  });

  it('encrypted inside a qcow2 are what the qcow2 says', async () => {
    const options = ['encrypt.format=luks', 'encrypt.key-secret=key', 'encrypt.iter-time=10'];
    createImage(at('luks.qcow2'), 'qcow2', GIB, options);
    const source = `<source file='${at('luks.qcow2')}'><encryption format='luks'/></source>`;
    const { images } = await chainOf(`<driver type='qcow2'/>${source}`);
    expect(images[0]?.image).toMatchObject({ format: 'qcow2', capacityBytes: GIB });
  });

  it('with a slice are as large as the slice', async () => {
    writeFileSync(at('whole.img'), Buffer.alloc(4 * MIB));
    const slices = `<slices><slice type='storage' offset='1048576' size='2097152'/></slices>`;
    const source = `<source file='${at('whole.img')}'>${slices}</source>`;
    const { images } = await chainOf(`<driver type='raw'/>${source}`);
    expect(images[0]?.image).toMatchObject({
      capacityBytes: 2 * MIB,
      fileSizeBytes: 4 * MIB,
      worstCase: { fullyAllocatedBytes: 4 * MIB },
    });
  });

  it('that are volumes lie in the pool, and have their bases there', async () => {
    createImage(at('pool/base.qcow2'), 'qcow2', GIB);
    createImage(at('leaf.qcow2'), 'qcow2', GIB);
    qemuImg(
      'rebase',
      '-u',
      '-f',
      'qcow2',
      '-b',
      at('linked/base.qcow2'),
      '-F',
      'qcow2',
      at('leaf.qcow2'),
    );
    symlinkSync('pool', at('linked'));
    mkdirSync(at('apart'));
    writeFileSync(at('apart/leaf.qcow2'), readFileSync(at('leaf.qcow2')));
    const disk = `<driver type='qcow2'/><source file='${at('apart/leaf.qcow2')}'/>`;
    expect((await chainOf(disk)).end).toMatchObject({ kind: 'refused' });
    const [outcome] = log.outcomes();
    expect(outcome).toMatchObject({ success: true, errors: [{ kind: 'refused' }] });
    const inPool = await chainOf(disk, [pool(at('linked'))]);
    expect(inPool.end).toEqual({ kind: 'complete' });

    const volume = (name: string): string =>
      `<disk type='volume'><driver type='qcow2'/><source pool='p' volume='${name}'/><target dev='vda'/></disk>`;
    const [found] = await disksOf(volume('base.qcow2'), [pool(at('pool'))]);
    expect(found?.source.kind).toBe('local');
    const [outside] = await disksOf(volume('../apart/leaf.qcow2'), [pool(at('pool'))]);
    expect(outside?.source.kind).toBe('remote');
  });

  it('elsewhere show protocol and image name, and no more in any error', async () => {
    const network = (protocol: string, name: string): string =>
      `<disk type='network'><source protocol='${protocol}' name='${name}'><host name='h'/></source>
       <target dev='vda'/></disk>`;
    const secrets = /alice|hunter2/;
    const disks = await disksOf(
      [
        network('rbd', 'vms/base:id=alice:key=hunter2'),
        network('https', 'pub/base.iso?token=hunter2'),
        `<disk type='file'><source file='https://alice:hunter2@h/base.img'/><target dev='vdb'/></disk>`,
        `<disk type='file'><source file='json:{"driver":"rbd","pool":"vms","image":"b","key-secret":"hunter2"}'/>
         <target dev='vdc'/></disk>`,
      ].join(''),
    );
    const names = disks.map(({ source }) => (source.kind === 'remote' ? source.name : ''));
    expect(names).toEqual([
      'rbd:vms/base',
      'https:base.iso',
      'file:https:base.img',
      'file:rbd:vms/b',
    ]);
    expect(JSON.stringify(names)).not.toMatch(secrets);
    expect(JSON.stringify(log.outcomes())).not.toMatch(secrets);
  });
});
