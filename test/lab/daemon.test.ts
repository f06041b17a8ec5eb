import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { eventually, openLab, type Lab, type LabExporter } from '../../lab/index.ts';
import { connectedClients } from '../support/daemon-admin.ts';
import { meminfoBytes, noMoreOpenFiles, openFiles } from '../support/process-readings.ts';
import type { Exposition } from '../support/prometheus-text.ts';
import { scrape } from '../support/scrape.ts';

const GUESTS = ['one', 'two', 'three'];

describe('a libvirtd that goes away and comes back', () => {
  let lab: Lab;
  let exporter: LabExporter;

  beforeAll(async () => {
    lab = await openLab();
    await lab.startGuests(GUESTS.map((name) => ({ name, os: 'none' as const, persistent: true })));
    exporter = await lab.exporter();
    await eventually('the exporter is connected', 20_000, async () => up(await scrape(exporter)));
  });

  afterAll(async () => {
    await lab.close();
  });

  it('never makes a scrape fail, shows as down and up again, and brings the guests back', async () => {
    const files = openFiles(exporter.pid).length;
    const clients = await connectedClients(lab);
    const seen: string[] = [];
    const failures: string[] = [];
    const end = new AbortController();
    const scraping = (async () => {
      while (!end.signal.aborted) {
        try {
          const scraped = await scrape(exporter, { timeoutSeconds: 5 });
          const guests = scraped.all('kvm_domain_info').length;
          const now = `${up(scraped) ? 'up' : 'down'} with ${guests} guests`;
          if (seen.at(-1) !== now) seen.push(now);
        } catch (error) {
          failures.push(String(error));
        }
        await sleep(500);
      }
    })();
    const shown = (state: string) => () => seen.at(-1) === state;

    await eventually('first scrapes', 10_000, shown('up with 3 guests'));
    const pids = GUESTS.map((name) => lab.qemuPid(name));
    await lab.killDaemon();
    await eventually('libvirt is shown down', 15_000, shown('down with 0 guests'));
    await sleep(2000);
    await lab.startDaemon();
    await eventually('the guests are back', 30_000, shown('up with 3 guests'), () => seen.join());
    end.abort();
    await scraping;

    expect(failures).toEqual([]);
    expect(seen).toEqual(['up with 3 guests', 'down with 0 guests', 'up with 3 guests']);
    // The guests ran on: the same processes, and the exporter follows them.
    expect(GUESTS.map((name) => lab.qemuPid(name))).toEqual(pids);
    const scraped = await scrape(exporter);
    for (const domain of GUESTS) {
      expect(scraped.has('kvm_domain_vcpu_seconds_total', { domain, vcpu: '0' })).toBe(true);
      expect(scraped.value('kvm_domain_monitor_responsive', { domain })).toBe(1);
    }
    expect(await connectedClients(lab)).toBe(clients);
    await noMoreOpenFiles(exporter.pid, files);
  });

  it('is asked no more than it is worth: one log line for going, one for coming', () => {
    const lines = exporter.process.output().trim().split('\n');
    expect(lines.filter((line) => line.includes('no connection to libvirt'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('connected to libvirt'))).toHaveLength(2);
  });

  it('that is ended in good order goes and comes back just the same', async () => {
    await lab.killDaemon('SIGTERM');
    await eventually('libvirt is shown down', 15_000, async () => !up(await scrape(exporter)));
    await lab.startDaemon();
    await eventually('the guests are back', 30_000, async () => {
      return (await scrape(exporter)).all('kvm_domain_info').length === GUESTS.length;
    });
  });

  it('that hangs is shown as down in time, and up when it goes on', async () => {
    lab.pause(lab.daemonPid());
    try {
      for (let round = 0; round < 3; round += 1) {
        const scraped = await scrape(exporter, { timeoutSeconds: 3 });
        expect(scraped.value('kvm_libvirt_up')).toBe(0);
        expect(scraped.value('kvm_host_memory_size_bytes')).toBe(meminfoBytes('MemTotal'));
      }
    } finally {
      lab.resume(lab.daemonPid());
    }
    await eventually('the guests are back', 30_000, async () => {
      const scraped = await scrape(exporter);
      return up(scraped) && scraped.all('kvm_domain_info').length === GUESTS.length;
    });
  });

  it('that is not there yet leaves the host served, is named in the log, and is found later', async () => {
    await lab.killDaemon();
    const early = await lab.exporter();
    try {
      const scraped = await scrape(early);
      expect(scraped.value('kvm_libvirt_up')).toBe(0);
      expect(scraped.value('kvm_host_memory_size_bytes')).toBe(meminfoBytes('MemTotal'));
      expect(scraped.has('kvm_host_cpu_seconds_total', { mode: 'idle' })).toBe(true);
      // Unknown is not none.
      expect(scraped.has('kvm_domains')).toBe(false);
      expect(scraped.has('kvm_memory_promised_bytes')).toBe(false);
      await eventually('the log says what was tried', 10_000, () => {
        const line = early.process
          .output()
          .split('\n')
          .find((one) => one.includes('no connection to libvirt'));
        return line?.includes(lab.sockets.readOnly) === true;
      });
      expect((await early.fetch('/-/ready')).status).toBe(200);
      await lab.startDaemon();
      await eventually('it has connected by itself', 30_000, async () => {
        const now = await scrape(early);
        return up(now) && now.all('kvm_domain_info').length === GUESTS.length;
      });
    } finally {
      await early.stop();
      await lab.startDaemon();
    }
  });
});

function up(scraped: Exposition): boolean {
  return scraped.value('kvm_libvirt_up') === 1;
}
