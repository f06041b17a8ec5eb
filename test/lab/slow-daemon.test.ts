import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { eventually, openLab, type Lab, type LabExporter } from '../../lab/index.ts';
import { connectedClients } from '../support/daemon-admin.ts';
import { hostFamilies, isComplete, keepBusy, MOST_CALLS } from '../support/hang/sick-daemon.ts';
import { noMoreOpenFiles, openFiles } from '../support/process-readings.ts';
import type { Exposition } from '../support/prometheus-text.ts';
import { scrape } from '../support/scrape.ts';
import { slowProxy, type SlowProxy } from '../support/slow-proxy.ts';

const GUESTS = ['one', 'two', 'three', 'four'];
const TIMEOUT_SECONDS = 5;

describe('a libvirtd that is in trouble', () => {
  let lab: Lab;
  let proxy: SlowProxy;
  let exporter: LabExporter;
  let before: ReadonlySet<string>;
  let files: number;
  let clients: number;

  const scrapeInTime = () => scrape(exporter, { timeoutSeconds: TIMEOUT_SECONDS });

  beforeAll(async () => {
    lab = await openLab();
    await lab.startGuests(
      GUESTS.map((name) => ({
        name,
        os: 'none' as const,
        disks: [{ source: { kind: 'new' as const, format: 'raw' as const, sizeMib: 8 } }],
      })),
    );
    proxy = await slowProxy(join(lab.directory.sockets, 'slow'), lab.sockets.readOnly);
    const uri = `qemu+unix:///system?socket=${proxy.path}`;
    exporter = await lab.exporter({ flags: [`--libvirt.uri=${uri}`] });
    await complete();
    before = hostFamilies(await scrapeInTime());
    expect(before.size).toBeGreaterThan(20);
    files = openFiles(exporter.pid).length;
    clients = await connectedClients(lab);
    expect(proxy.clients).toBeGreaterThan(0);
  });

  afterAll(async () => {
    await lab.close();
    await proxy[Symbol.asyncDispose]();
  });

  it('answering each call after three seconds, makes no scrape late and is not flooded', async () => {
    proxy.delay(3000);
    try {
      for (let round = 0; round < 12; round += 1) {
        const scraped = await scrapeInTime();
        expectHostComplete(scraped);
        expect(scraped.value('kvm_exporter_libvirt_outstanding_calls')).toBeLessThanOrEqual(
          MOST_CALLS,
        );
        await sleep(500);
      }
    } finally {
      proxy.delay(0);
    }
    await nothingLeft();
  });

  it('stopped, makes no scrape late, however long', async () => {
    lab.pause(lab.daemonPid());
    try {
      for (let round = 0; round < 10; round += 1) {
        const scraped = await scrapeInTime();
        expectHostComplete(scraped);
        expect(scraped.value('kvm_exporter_libvirt_outstanding_calls')).toBeLessThanOrEqual(
          MOST_CALLS,
        );
        // From the second on it is known.
        if (round > 0) expect(scraped.value('kvm_libvirt_up')).toBe(0);
        await sleep(500);
      }
    } finally {
      lab.resume(lab.daemonPid());
    }
    await nothingLeft();
  });

  it('stopped, does not let collectors that could not run pass for successful', async () => {
    lab.pause(lab.daemonPid());
    try {
      await scrapeInTime();
      const scraped = await scrapeInTime();
      for (const collector of ['balloon', 'block', 'nic', 'process', 'cgroup', 'guestksm']) {
        expect(scraped.value('kvm_scrape_collector_success', { collector }), collector).toBe(0);
      }
    } finally {
      lab.resume(lab.daemonPid());
    }
    await nothingLeft();
  });

  it('restarted three times while others keep it busy, makes no scrape late', async () => {
    const end = new AbortController();
    const load = Array.from({ length: 4 }, () => keepBusy(lab, end.signal));
    const failures: string[] = [];
    const scraping = (async () => {
      while (!end.signal.aborted) {
        try {
          expectHostComplete(await scrapeInTime());
        } catch (error) {
          failures.push(String(error));
        }
        await sleep(300);
      }
    })();
    try {
      for (const signal of ['SIGKILL', 'SIGTERM', 'SIGKILL'] as const) {
        await sleep(3000);
        await lab.killDaemon(signal);
        await sleep(1000);
        await lab.startDaemon();
        await complete();
      }
    } finally {
      end.abort();
      await Promise.all(load);
      await scraping;
    }
    expect(failures).toEqual([]);
    await nothingLeft();
  });

  function expectHostComplete(scraped: Exposition): void {
    expect([...before.difference(hostFamilies(scraped))]).toEqual([]);
  }

  /** All guests are there with what only their monitor tells. */
  async function complete(): Promise<void> {
    await eventually('all guests are complete', 60_000, async () =>
      isComplete(await scrapeInTime(), GUESTS),
    );
  }

  /** Complete again, no call owed, no connection and no file more than there were. */
  async function nothingLeft(): Promise<void> {
    await complete();
    await eventually('nothing is owed', 30_000, async () => {
      return (await scrapeInTime()).value('kvm_exporter_libvirt_outstanding_calls') === 0;
    });
    await eventually('no more connections than before', 30_000, async () => {
      return (await connectedClients(lab)) <= clients;
    });
    await noMoreOpenFiles(exporter.pid, files);
  }
});
