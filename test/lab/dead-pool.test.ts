import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { eventually, openLab, type FuseFilesystem, type Lab } from '../../lab/index.ts';
import { baselineOf, completeGuests, type Baseline } from '../support/hang/judge.ts';
import { get } from '../support/http.ts';
import { Exposition } from '../support/prometheus-text.ts';
import { scrape, type Target } from '../support/scrape.ts';

const GUESTS = ['one', 'two', 'three'];
/** As many pools as take a while to ask one after the other; all but the first stay well. */
const POOLS = ['far', 'near', 'other'];
const FROM_POOL = ['kvm_pool_capacity_bytes', 'kvm_pool_allocated_bytes', 'kvm_pool_state'];
const SLOWEST_MS = 3000;

describe('a storage pool whose server has died while somebody refreshes it', () => {
  let lab: Lab;
  let exporter: Target;
  let far: FuseFilesystem;
  let before: Baseline;
  let refreshed: Promise<unknown> | undefined;

  beforeAll(async () => {
    lab = await openLab();
    far = await lab.fuse('far');
    const near = join(lab.directory.images, 'near');
    const other = join(lab.directory.images, 'other');
    for (const [name, target] of [
      ['far', far.mountPoint],
      ['near', near],
      ['other', other],
    ] as const) {
      mkdirSync(target, { recursive: true });
      await lab.virsh('pool-create-as', name, 'dir', '--target', target);
    }
    await lab.startGuests(
      GUESTS.map((name) => ({
        name,
        os: 'none' as const,
        disks: [{ source: { kind: 'new' as const, format: 'qcow2' as const, sizeMib: 8 } }],
      })),
    );
    exporter = await lab.exporter();
    await eventually('guests and pools are known completely', 60_000, async () => {
      const scraped = await scrape(exporter);
      return (
        GUESTS.every((domain) => scraped.has('kvm_domain_disk_read_bytes_total', { domain })) &&
        POOLS.every((pool) => scraped.has('kvm_pool_capacity_bytes', { pool }))
      );
    });
    before = baselineOf(await scrape(exporter));
  });

  afterAll(async () => {
    await lab.close();
    await refreshed;
  });

  it('is one that answers, as long as it does', async () => {
    const scraped = await scrape(exporter);
    for (const pool of POOLS) {
      expect(scraped.value('kvm_pool_responsive', { pool })).toBe(1);
    }
  });

  it('costs neither a guest nor another pool anything, and is named', async () => {
    far.die();
    refreshed = lab.programs.attempt('virsh', ['-c', lab.sockets.uri, 'pool-refresh', 'far']);
    for (let round = 0; round < 10; round += 1) {
      const { status, body, milliseconds } = await get(`${exporter.url}/metrics`, {
        'X-Prometheus-Scrape-Timeout-Seconds': '10',
      });
      expect(status).toBe(200);
      expect(milliseconds).toBeLessThan(SLOWEST_MS);
      const scraped = Exposition.parse(body.toString());
      expect(scraped.value('kvm_libvirt_up')).toBe(1);
      expect([...completeGuests(before, scraped)].toSorted()).toEqual(GUESTS.toSorted());
      for (const pool of ['near', 'other']) {
        for (const family of FROM_POOL) {
          expect(scraped.has(family, { pool }), `${family} of ${pool}`).toBe(true);
        }
        expect(scraped.value('kvm_pool_responsive', { pool })).toBe(1);
      }
      // The scrape in which the call went out may be over before it is late.
      if (round > 0) expect(scraped.value('kvm_pool_responsive', { pool: 'far' })).toBe(0);
      await sleep(1000);
    }
  });

  it('is asked by one call at most at a time', async () => {
    const scraped = await scrape(exporter);
    expect(scraped.value('kvm_exporter_libvirt_outstanding_calls')).toBeLessThanOrEqual(1);
  });

  it('is back when its server is, and nothing is owed any more', async () => {
    far.revive();
    await refreshed;
    await eventually('the pool answers', 60_000, async () => {
      const scraped = await scrape(exporter);
      return (
        scraped.value('kvm_pool_responsive', { pool: 'far' }) === 1 &&
        scraped.has('kvm_pool_capacity_bytes', { pool: 'far' }) &&
        scraped.value('kvm_exporter_libvirt_outstanding_calls') === 0
      );
    });
  });
});
