import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { attempt, run } from '../../../lab/command.ts';
import { eventually } from '../../../lab/polling.ts';
import { PrivateDaemon } from '../../support/libvirt/private-daemon.ts';
import { LoopDevice } from '../../support/storage/loop-device.ts';
import { startExporterThrough } from './exporter-process.ts';
import { asNobodyWith } from './rights.ts';

const UNIT = join(import.meta.dirname, '../../../examples/systemd/kvm-overcommit-exporter.service');
const APPLY_FILTER = join(import.meta.dirname, 'apply-filter.py');

describe('how exposed systemd finds the unit', () => {
  it('is 2.1 at most, and whatever is left is explained in the unit', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'exposure-'));
    try {
      const file = join(directory, 'kvm-overcommit-exporter.service');
      await copyFile(UNIT, file);
      const report = await run('env', [
        ...['LC_ALL=C.UTF-8', 'systemd-analyze', 'security', '--offline=true', '--no-pager'],
        file,
      ]);
      const level = Number(/Overall exposure level .*: (\d+\.\d+)/.exec(report)?.[1]);
      expect(level).toBeLessThanOrEqual(2.1);
      const comments = (await readFile(UNIT, 'utf8')).match(/^#.*$/gm)?.join('\n') ?? '';
      const left = [...report.matchAll(/^✗ (\S+)/gm)].map(([, name]) => name ?? '');
      expect(left.length).toBeGreaterThan(0);
      const unexplained = left.filter((name) => {
        const [setting = '', value = ''] = name.replace(/=\/.*$/, '=').split('=~');
        return !comments.includes(value === '' ? setting : `=~${value}`);
      });
      expect(unexplained).toEqual([]);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

/** The system calls the unit's filter lets through. */
async function allowedCalls(): Promise<ReadonlySet<string>> {
  const unit = await readFile(UNIT, 'utf8');
  const allowed = new Set<string>();
  for (const [, taken, words = ''] of unit.matchAll(/^SystemCallFilter=(~?)(.*)$/gm)) {
    for (const word of words.split(' ')) {
      for (const call of await callsIn(word)) {
        if (taken === '~') allowed.delete(call);
        else allowed.add(call);
      }
    }
  }
  return allowed;
}

async function callsIn(word: string): Promise<readonly string[]> {
  if (!word.startsWith('@')) return [word];
  const text = await run('systemd-analyze', ['syscall-filter', '--no-pager', word]);
  const words = text
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  return (await Promise.all(words.map(callsIn))).flat();
}

describe("an exporter with the unit's user, capability and filter of system calls", () => {
  let directory: string;
  let daemon: PrivateDaemon;
  let device: LoopDevice;
  let uri: string;
  let filter: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sandbox-'));
    await chmod(directory, 0o755);
    const image = join(directory, 'disk.qcow2');
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', image, '7G']);
    // A device consists of whole sectors.
    await run('truncate', ['--size=%4096', image]);
    device = new LoopDevice(image);
    const host = join(directory, 'host.xml');
    await writeFile(
      host,
      `<node><domain type='test'><name>on-a-volume</name>
        <uuid>6695eb01-f6a4-8304-79aa-97f2502e1940</uuid>
        <memory>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os>
        <devices><disk type='block' device='disk'><driver name='qemu' type='qcow2'/>
        <source dev='${device.path}'/><target dev='vda' bus='virtio'/></disk></devices>
      </domain></node>`,
    );
    daemon = await PrivateDaemon.start();
    uri = `test+unix://${host}?socket=${daemon.readOnlySocket}`;
    filter = join(directory, 'allowed');
    await writeFile(filter, [...(await allowedCalls())].join('\n'));
  }, 120_000);

  afterAll(async () => {
    await daemon.dispose();
    device.detach();
    await rm(directory, { recursive: true });
  });

  /** Names of the families, and the collectors that failed, of a whole scrape. */
  const scrapeThrough = async (...command: readonly string[]) => {
    await using exporter = await startExporterThrough(
      [...asNobodyWith('dac_read_search'), ...command],
      `--libvirt.uri=${uri}`,
    );
    const scrape = async () => (await fetch(`${exporter.url}/metrics`)).text();
    const text = await eventually('its guest, disk and inventory are there', 60_000, async () => {
      const scraped = await scrape();
      const whole = scraped.includes('kvm_host_info{') && scraped.includes('kvm_domain_info{');
      return whole && scraped.includes('kvm_image_') ? scraped : undefined;
    });
    return {
      text,
      families: [
        ...new Set([...text.matchAll(/^kvm_(?!exporter_)\w+/gm)].map(([name]) => name)),
      ].sort(),
      failed: [...text.matchAll(/^kvm_scrape_collector_success\{collector="(\w+)"\} 0$/gm)]
        .map(([, name]) => name)
        .sort(),
    };
  };

  it('scrapes all that one without the filter does, headers of block devices too', async () => {
    const free = await scrapeThrough();
    const filtered = await scrapeThrough('python3', APPLY_FILTER, filter);
    expect(filtered.failed).toEqual(free.failed);
    expect(filtered.families).toEqual(free.families);
    // 7 GiB, which only the header on the device says.
    expect(filtered.text).toMatch(new RegExp(`^kvm_\\w+\\{.*\\} ${7 * 2 ** 30}$`, 'm'));
  }, 180_000);

  it('could not do what the filter forbids', async () => {
    const chown = await attempt('python3', [APPLY_FILTER, filter, 'chown', '1', filter]);
    expect(chown.status).not.toBe(0);
    expect(chown.stderr).toContain('not permitted');
  });
});
