import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { eventually, openLab, type Lab, type LabExporter } from '../../lab/index.ts';
import type { Exposition } from '../support/prometheus-text.ts';
import { scrape } from '../support/scrape.ts';
import { fileSize, fullyAllocatedBytes, qemuImgInfo } from '../support/storage-readings.ts';
import { domainInfo } from '../support/virsh-readings.ts';

const MIB = 2 ** 20;
const DISK_MIB = 64;
/** A change is there with the second scrape after it, and a busy machine may take its time for one. */
const SOON_MS = 20_000;

/** What somebody changes of a running guest with virsh, and what the exporter says right after. */
describe('a guest that is changed while it runs', () => {
  let lab: Lab;
  let exporter: LabExporter;
  /** One that is in the same place for libvirtd and for us. */
  let memoryBackingDirectory: string;

  const now = (): Promise<Exposition> => scrape(exporter);
  /** The paths of the images of vda, with their role and depth. */
  const imagesOf = (scraped: Exposition, domain: string): readonly string[] =>
    scraped
      .all('kvm_domain_disk_image_info', { domain, device: 'vda' })
      .map(({ labels }) => `${labels['role']} ${labels['depth']} ${labels['path']}`)
      .toSorted();
  const sees = async (what: string, holds: (scraped: Exposition) => boolean): Promise<void> => {
    await eventually(what, SOON_MS, async () => holds(await now()));
  };
  const imageOf = (name: string): string => lab.guest(name).diskPaths[0] ?? '';

  beforeAll(async () => {
    memoryBackingDirectory = await mkdtemp('/var/tmp/memory-backing-');
    lab = await openLab({ qemu: { memory_backing_dir: memoryBackingDirectory } });
    const vda = { source: { kind: 'new', format: 'qcow2', sizeMib: DISK_MIB } } as const;
    const medium = { source: { kind: 'new', format: 'raw', sizeMib: 1 } } as const;
    await lab.startGuests([
      { name: 'copied', os: 'none', disks: [vda] },
      {
        name: 'changed',
        os: 'none',
        vcpus: { current: 1, maximum: 2 },
        disks: [vda, { ...medium, device: 'cdrom', bus: 'ide', readOnly: true }],
        nics: [{}],
      },
      { name: 'in-file', os: 'none', memoryBacking: { fileShared: true } },
    ]);
    exporter = await lab.exporter();
    await sees('all guests', (scraped) =>
      lab.guests.every(({ name }) => scraped.has('kvm_domain_vcpus', { domain: name })),
    );
  });

  afterAll(async () => {
    await lab.close();
    await rm(memoryBackingDirectory, { recursive: true });
  });

  it('has the target of a block copy as an image from the moment the copy starts', async () => {
    const target = join(lab.directory.images, 'copied-target.qcow2');
    const worst = await fullyAllocatedBytes(lab, DISK_MIB * MIB);
    const alone = (await now()).value('kvm_domain_storage_promised_bytes', { domain: 'copied' });
    expect(alone).toBe(worst);
    await lab.virsh(
      'blockcopy',
      'copied',
      'vda',
      '--dest',
      target,
      '--format',
      'qcow2',
      '--transient-job',
    );
    await sees('the target', (scraped) =>
      imagesOf(scraped, 'copied').includes(`mirror-leaf 0 ${target}`),
    );
    const scraped = await now();
    expect((await qemuImgInfo(lab, target))['virtual-size']).toBe(DISK_MIB * MIB);
    expect(scraped.value('kvm_image_capacity_bytes', { path: target })).toBe(DISK_MIB * MIB);
    const { allocatedBytes } = await fileSize(target);
    expect(scraped.value('kvm_image_allocated_bytes', { path: target })).toBe(allocatedBytes);
    expect(scraped.value('kvm_domain_storage_promised_bytes', { domain: 'copied' })).toBe(
      2 * worst,
    );

    await eventually('the copy is complete', SOON_MS, async () =>
      (await lab.virsh('dumpxml', 'copied')).includes(`ready='yes'`),
    );
    await lab.virsh('blockjob', 'copied', 'vda', '--pivot');
    await neverZeroUntil('the pivot is seen', 'copied', [`leaf 0 ${target}`]);
  });

  it('has an external snapshot at once, and what is committed and pivoted to', async () => {
    const base = imageOf('changed');
    const overlay = join(lab.directory.images, 'changed-overlay.qcow2');
    await lab.virsh(
      ...['snapshot-create-as', 'changed', 'first', '--disk-only', '--no-metadata'],
      ...['--diskspec', `vda,file=${overlay}`, '--diskspec', 'hda,snapshot=no'],
    );
    await neverZeroUntil('the snapshot', 'changed', [`leaf 0 ${overlay}`, `backing 1 ${base}`]);
    await lab.virsh('blockcommit', 'changed', 'vda', '--active', '--wait');
    // The base is written again, while the overlay still is the disk.
    await sees('the commit', (scraped) =>
      imagesOf(scraped, 'changed').includes(`mirror-leaf 0 ${base}`),
    );
    await lab.virsh('blockjob', 'changed', 'vda', '--pivot');
    await neverZeroUntil('the pivot', 'changed', [`leaf 0 ${base}`]);
  });

  it('has vCPUs plugged in, of which libvirt sends no event', async () => {
    await lab.virsh('setvcpus', 'changed', '2', '--live');
    expect((await domainInfo(lab, 'changed')).get('CPU(s)')).toBe('2');
    await sees(
      'two vCPUs',
      (scraped) => scraped.value('kvm_domain_vcpus', { domain: 'changed' }) === 2,
    );
  });

  it('has another period of its balloon', async () => {
    await lab.virsh('dommemstat', 'changed', '--period', '7', '--live');
    await sees(
      'the period',
      (scraped) =>
        scraped.value('kvm_domain_balloon_stats_period_seconds', { domain: 'changed' }) === 7,
    );
  });

  it('has limits of its NIC, and a pulled cable', async () => {
    const [tap = ''] = /vnet\d+/.exec(await lab.virsh('domiflist', 'changed')) ?? [];
    await lab.virsh('domiftune', 'changed', tap, '--inbound', '100', '--live');
    await sees('the limit', (scraped) =>
      scraped
        .all('kvm_domain_nic_limit_bytes_per_second', { domain: 'changed' })
        // libvirt's kilobytes have 1000 bytes.
        .some(({ value }) => value === 100_000),
    );
    await lab.virsh('domif-setlink', 'changed', tap, 'down');
    await sees(
      'the cable',
      (scraped) =>
        scraped.only('kvm_domain_nic_info', { domain: 'changed' }).labels['link'] === 'down',
    );
  });

  it('has another medium in its drive', async () => {
    const medium = join(lab.directory.images, 'other-medium.iso');
    await lab.run('truncate', ['-s', '2M', medium]);
    await lab.virsh('change-media', 'changed', 'hda', medium, '--update', '--live', '--force');
    await sees(
      'the medium',
      (scraped) =>
        scraped.only('kvm_domain_disk_info', { domain: 'changed', device: 'hda' }).labels[
          'source'
        ] === medium,
    );
  });

  it('has new metadata', async () => {
    const uri = 'http://openstack.org/xmlns/libvirt/nova/1.1';
    const instance = '<instance><name>shop</name><flavor name="m1.small"/></instance>';
    await lab.virsh(
      'metadata',
      'changed',
      '--uri',
      uri,
      '--key',
      'nova',
      '--set',
      instance,
      '--live',
    );
    await sees('the metadata', (scraped) =>
      scraped.has('kvm_domain_openstack_info', { domain: 'changed', flavor: 'm1.small' }),
    );
  });

  it('whose RAM is a file on a disk has that file as an image it fills', async () => {
    const argv = readFileSync(`/proc/${lab.qemuPid('in-file')}/cmdline`, 'utf8');
    const path = /"mem-path":"([^"]+)"/.exec(argv)?.[1] ?? '';
    expect(path).toContain(memoryBackingDirectory);
    const scraped = await now();
    const { labels } = scraped.only('kvm_domain_disk_image_info', { domain: 'in-file' });
    expect(labels).toMatchObject({ device: 'pc.ram', path, role: 'leaf' });
    expect(await fileSize(path)).toMatchObject({ sizeBytes: 32 * MIB });
    const size = scraped.value('kvm_image_file_bytes', { path });
    expect(size).toBe(32 * MIB);
    expect(scraped.value('kvm_domain_storage_promised_bytes', { domain: 'in-file' })).toBe(
      32 * MIB,
    );
  });

  it('and that ends while it is read makes no collector fail', async () => {
    const failed = new Set<string>();
    let rounds = 0;
    for (const delay of [0, 2, 5, 10, 20, 40]) {
      const name = `brief-${delay}`;
      await lab.startGuest({ name, os: 'none', disks: [], nics: [{}] });
      await sees(name, (scraped) => scraped.has('kvm_domain_info', { domain: name }));
      const looking = now();
      await sleep(delay);
      await lab.destroy(name);
      for (const scraped of [await looking, await now()]) {
        for (const { labels, value } of scraped.all('kvm_scrape_collector_success')) {
          if (value !== 1) failed.add(labels['collector'] ?? '');
        }
        rounds += 1;
      }
    }
    expect(rounds).toBe(12);
    expect([...failed]).toEqual([]);
  });

  /** An image that is written is never promised nothing meanwhile: the sum is there and whole, or absent. */
  async function neverZeroUntil(what: string, domain: string, images: readonly string[]) {
    await sees(what, (scraped) => {
      for (const { value } of scraped.all('kvm_domain_storage_promised_bytes', { domain })) {
        expect(value).toBeGreaterThanOrEqual(DISK_MIB * MIB);
      }
      return images.toSorted().join() === imagesOf(scraped, domain).join();
    });
  }
});
