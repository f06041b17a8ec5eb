import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { eventually, openLab, type Lab, type LabExporter } from '../../lab/index.ts';
import { connectedClients, logCalls, PROCEDURE, type DaemonLog } from '../support/daemon-admin.ts';
import { get } from '../support/http.ts';
import {
  noMoreOpenFiles,
  openFiles,
  statusBytes,
  threadSchedule,
} from '../support/process-readings.ts';
import { Exposition } from '../support/prometheus-text.ts';
import { bracket, scrape } from '../support/scrape.ts';

const GUESTS = 20;
const TIMEOUT_SECONDS = 5;
const NAMES = Array.from({ length: GUESTS }, (_, index) => `guest-${index}`);
/** Neither first nor last nor next to each other: no order of asking spares anybody. */
const HUNG = ['guest-2', 'guest-9', 'guest-16'];
const HEALTHY = NAMES.filter((name) => !HUNG.includes(name));

/** What only the monitor of a QEMU can tell, and what libvirt is asked together with it. */
const FROM_MONITOR =
  /^kvm_domain_(?:balloon_(?:current|last_update|stats_age)|guest_|halt_poll_|disk_(?!info|limit|chain|image))/;

describe('with QEMU processes that do not answer', () => {
  let lab: Lab;
  let exporter: LabExporter;
  let log: DaemonLog;
  let complete: ReadonlyMap<string, readonly string[]>;
  let filesAtRest: number;
  let clientsAtRest: number;

  const scrapeInTime = () => scrape(exporter, { timeoutSeconds: TIMEOUT_SECONDS });

  beforeAll(async () => {
    lab = await openLab();
    await lab.startGuests(
      NAMES.map((name) => ({
        name,
        os: 'none' as const,
        disks: [{ source: { kind: 'new' as const, format: 'qcow2' as const, sizeMib: 8 } }],
        nics: [{}],
      })),
    );
    log = await logCalls(lab);
    exporter = await lab.exporter();
    await eventually('all guests are known completely', 60_000, async () => {
      const scraped = await scrapeInTime();
      return NAMES.every((domain) => scraped.has('kvm_domain_disk_read_bytes_total', { domain }));
    });
    complete = familiesOf(await scrapeInTime());
    filesAtRest = openFiles(exporter.pid).length;
    clientsAtRest = await connectedClients(lab);
    // Without its clients the daemon could not have been asked.
    expect(clientsAtRest).toBeGreaterThan(0);
  });

  afterAll(async () => {
    await lab.close();
  });

  it('ten scrapes at once share what they ask libvirtd', async () => {
    const cost = async (work: () => Promise<unknown>) => {
      const before = log.calls();
      await work();
      const after = log.calls();
      return (procedure: number) => (after.get(procedure) ?? 0) - (before.get(procedure) ?? 0);
    };
    const one = await cost(scrapeInTime);
    expect(one(PROCEDURE.listAllDomains)).toBe(2);
    expect(one(PROCEDURE.getAllDomainStats)).toBe(1 + GUESTS);

    const ten = await cost(async () => {
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => get(`${exporter.url}/metrics`)),
      );
      for (const { status, body } of answers) {
        expect(status).toBe(200);
        expect(Exposition.parse(body.toString()).sum('kvm_domain_monitor_responsive')).toBe(GUESTS);
      }
    });
    // One collection when all ten come while it lasts; a busy machine may need a second and a third.
    expect(ten(PROCEDURE.listAllDomains)).toBeLessThanOrEqual(3 * 2);
    expect(ten(PROCEDURE.getAllDomainStats)).toBeLessThanOrEqual(3 * (1 + GUESTS));
  });

  it('twenty scrapes in a row answer in time, complete for all who answer', async () => {
    for (const name of HUNG) lab.pause(lab.qemuPid(name));
    for (let round = 0; round < 20; round += 1) {
      const scraped = await scrapeInTime();
      const families = familiesOf(scraped);
      for (const name of HEALTHY) expect(families.get(name)).toEqual(complete.get(name));
      for (const domain of HUNG) {
        expect(scraped.value('kvm_domain_monitor_responsive', { domain })).toBe(0);
        const lost = (complete.get(domain) ?? []).filter(
          (name) => families.get(domain)?.includes(name) !== true,
        );
        expect(lost).toEqual(
          (complete.get(domain) ?? []).filter((name) => FROM_MONITOR.test(name)),
        );
        expect(lost).toContain('kvm_domain_balloon_current_bytes');
        expect(lost).toContain('kvm_domain_disk_written_bytes_total');
      }
      const unresponsive = scraped
        .all('kvm_domain_monitor_responsive')
        .filter((s) => s.value === 0);
      expect(unresponsive.map(({ labels }) => labels['domain']).toSorted()).toEqual(
        HUNG.toSorted(),
      );
    }
  });

  it('what /proc says of a hung guest is there, and right', async () => {
    for (const domain of HUNG) {
      const pid = lab.qemuPid(domain);
      const { before, scraped, after } = await bracket(exporter, () => ({
        thread: threadSchedule(pid, 'CPU 0/TCG'),
        anonymous: statusBytes(pid, 'RssAnon'),
      }));
      // It stands still.
      expect(after).toEqual(before);
      const run = scraped.value('kvm_domain_vcpu_seconds_total', { domain, vcpu: '0' });
      expect(run).toBeCloseTo(before.thread.runSeconds, 6);
      expect(scraped.value('kvm_domain_resident_bytes', { domain, kind: 'anonymous' })).toBe(
        before.anonymous,
      );
    }
  });

  it('no call at all is made for a guest that stands still', async () => {
    const before = log.calls().get(PROCEDURE.getAllDomainStats) ?? 0;
    const scraped = await scrapeInTime();
    const calls = (log.calls().get(PROCEDURE.getAllDomainStats) ?? 0) - before;
    expect(calls).toBe(1 + HEALTHY.length);
    for (const domain of HUNG) {
      expect(scraped.has('kvm_domain_monitor_unasked', { domain, reason: 'stopped' })).toBe(true);
    }
    expect(scraped.value('kvm_exporter_libvirt_outstanding_calls')).toBe(0);
    expect(scraped.value('kvm_exporter_libvirt_call_timeouts_total')).toBe(0);
  });

  it('are complete again within two scrapes after they go on', async () => {
    for (const name of HUNG) lab.resume(lab.qemuPid(name));
    // Prometheus would come back no sooner than this.
    await sleep(1000);
    await scrapeInTime();
    await sleep(1000);
    const second = await scrapeInTime();
    expect([...familiesOf(second)]).toEqual([...complete]);
    for (const domain of HUNG) {
      expect(second.value('kvm_domain_monitor_responsive', { domain })).toBe(1);
    }
  });

  it('leave no call pending and no connection behind', async () => {
    const scraped = await recovered();
    expect(scraped.value('kvm_exporter_libvirt_late_replies_total')).toBe(0);
    expect(await connectedClients(lab)).toBe(clientsAtRest);
    await noMoreOpenFiles(exporter.pid, filesAtRest);
  });

  /** All monitors answer and all late replies have come. */
  async function recovered(): Promise<Exposition> {
    return eventually('nothing outstanding', 60_000, async () => {
      const scraped = await scrapeInTime();
      const up = scraped.sum('kvm_domain_monitor_responsive') === GUESTS;
      return up && scraped.value('kvm_exporter_libvirt_outstanding_calls') === 0 && scraped;
    });
  }
});

/** The names of all samples of each guest. */
function familiesOf(scraped: Exposition): ReadonlyMap<string, readonly string[]> {
  return new Map(NAMES.map((domain) => [domain, [...scraped.names({ domain })].toSorted()]));
}
