import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { Deadline } from '../../../../src/runtime/deadline.ts';
import { encode, openLibvirt, procedures, type DomainRef } from '../../../../src/libvirt/index.ts';
import { ControlCalls } from '../../../../src/guests/libvirt/control-calls.ts';
import type { DaemonCalls } from '../../../../src/guests/libvirt/daemon-calls.ts';
import {
  GuestMonitor,
  monitorGroups,
  type MonitorAnswer,
} from '../../../../src/guests/libvirt/guest-monitor.ts';
import { OccupiedGuests } from '../../../../src/guests/libvirt/occupied-guests.ts';
import type { SeenStandstill } from '../../../../src/guests/process/standstill.ts';
import type { StorageCheck } from '../../../../src/guests/libvirt/storage-check.ts';
import { FakeDaemon, silence, type ReceivedCall } from '../../../support/libvirt/fake-daemon.ts';
import { callsTo } from './calls-to.ts';

function guest(index: number): DomainRef {
  const digits = String(index).padStart(12, '0');
  return { name: `guest-${index}`, uuid: `00000000-0000-0000-0000-${digits}`, id: index + 1 };
}

/** Guests with processes that look as told, on storage that answers as told. */
class Host {
  readonly procfs = mkdtempSync(join(tmpdir(), 'monitor-test-'));
  readonly daemon: FakeDaemon;
  readonly calls: DaemonCalls;
  readonly monitor: GuestMonitor;
  readonly occupied: OccupiedGuests;
  /** Guests that take a call and never answer it. */
  readonly hanging = new Set<number>();
  readonly standstills = new Map<number, SeenStandstill>();
  readonly controlStates = new Map<number, { state: number; stateTimeMs: bigint }>();
  /** Failure domains of each guest, and which of these owe an answer. */
  domainsOf: (index: number) => readonly string[] = () => [];
  readonly silent = new Set<string>();
  asked: number[] = [];
  /** Calls that were waited for at the same time. */
  mostUnderWay = 0;
  readonly held: (() => void)[] = [];
  #timeslices = 1;

  constructor(daemon: FakeDaemon, connection: Awaited<ReturnType<typeof openLibvirt>>) {
    this.daemon = daemon;
    this.calls = callsTo(daemon);
    daemon.on(procedures.getAllDomainStats, ({ domains }, call: ReceivedCall) => {
      const [domain] = domains;
      if (domain === undefined) return [];
      const index = (domain.id ?? 0) - 1;
      this.asked.push(index);
      const { outstanding, overdue } = this.calls.counters;
      this.mostUnderWay = Math.max(this.mostUnderWay, outstanding - overdue);
      const record = { domain, params: [] };
      if (!this.hanging.has(index)) return [record];
      this.held.push(() => {
        call.client.reply(call, encode(procedures.getAllDomainStats.result, [record]));
      });
      return silence;
    });
    daemon.on(procedures.domainGetControlInfo, ({ domain }) => ({
      details: 0,
      ...(this.controlStates.get((domain.id ?? 0) - 1) ?? { state: 0, stateTimeMs: 0n }),
    }));
    this.occupied = new OccupiedGuests(new ControlCalls(() => connection), this.calls);
    const roots = { procfs: this.procfs, sysfs: '/sys', rootfs: '' };
    this.monitor = new GuestMonitor(this.calls, this.occupied, roots, 200);
  }

  /** Writes what /proc says of a guest's main thread. */
  mainThread(index: number, state: string, hasRun = true): void {
    const pid = 100 + index;
    const directory = join(this.procfs, String(pid), 'task', String(pid));
    mkdirSync(directory, { recursive: true });
    if (hasRun) this.#timeslices += 1;
    writeFileSync(join(directory, 'schedstat'), `1000 0 ${this.#timeslices}\n`);
    const rest = Array.from({ length: 49 }, () => '1').join(' ');
    const stat = `${pid} (qemu) ${state} ${rest}\n`;
    writeFileSync(join(this.procfs, String(pid), 'stat'), stat);
    writeFileSync(join(directory, 'stat'), stat);
  }

  async ask(count: number, patienceMs = 10_000): Promise<ReadonlyMap<number, MonitorAnswer>> {
    const indexes = Array.from({ length: count }, (_, i) => i);
    const uuids = new Map(indexes.map((index) => [guest(index).uuid, index]));
    const domainsOf = (uuid: string) => this.domainsOf(uuids.get(uuid) ?? -1);
    const storage: Pick<StorageCheck, 'findFailureDomains' | 'findSilentDomains'> = {
      findFailureDomains: domainsOf,
      findSilentDomains: (uuid) =>
        Promise.resolve(domainsOf(uuid).filter((domain) => this.silent.has(domain))),
    };
    const answers = await this.monitor.askAll(
      indexes.map((index) => ({
        ref: guest(index),
        groups: monitorGroups.balloon | monitorGroups.block,
        pid: 100 + index,
        standstill: Promise.resolve(this.standstills.get(index)),
      })),
      storage,
      Deadline.in(patienceMs),
    );
    return new Map([...answers].map(([uuid, answer]) => [uuids.get(uuid) ?? -1, answer]));
  }

  /** How many guests got each answer: `responsive`, or the reason. */
  async outcomes(count: number): Promise<Readonly<Record<string, number>>> {
    const outcomes: Record<string, number> = {};
    for (const { monitor, reason } of (await this.ask(count)).values()) {
      const key = reason === undefined ? monitor : `${monitor}: ${reason}`;
      outcomes[key] = (outcomes[key] ?? 0) + 1;
    }
    return outcomes;
  }

  async release(): Promise<void> {
    this.hanging.clear();
    for (const answer of this.held.splice(0)) answer();
    await expect.poll(() => this.calls.counters.outstanding).toBe(0);
  }
}

let host: Host;

beforeEach(async () => {
  const daemon = await FakeDaemon.listen();
  const connection = await openLibvirt({ uri: daemon.uri, keepalive: false });
  host = new Host(daemon, connection);
  onTestFinished(async () => {
    await connection.close();
    await daemon.close();
    rmSync(host.procfs, { recursive: true });
  });
  for (let index = 0; index < 30; index += 1) host.mainThread(index, 'S');
});

describe('asking guests through their monitors', () => {
  it('gets an answer from each healthy guest', async () => {
    expect(await host.outcomes(30)).toEqual({ responsive: 30 });
  });

  it('does not ask a guest whose process stands still, and says why', async () => {
    host.standstills.set(0, 'stopped').set(1, 'frozen').set(2, 'blocked');
    expect(await host.outcomes(10)).toEqual({
      responsive: 7,
      'unresponsive: stopped': 1,
      'unresponsive: frozen': 1,
      'unresponsive: blocked': 1,
    });
    expect(host.asked.toSorted((a, b) => a - b)).toEqual([3, 4, 5, 6, 7, 8, 9]);
  });

  it('sees a process that was stopped after it had been read', async () => {
    host.mainThread(3, 'T');
    expect(await host.outcomes(10)).toEqual({ responsive: 9, 'unresponsive: stopped': 1 });
  });

  it('looks twice at a main loop in uninterruptible sleep', async () => {
    host.mainThread(3, 'D');
    expect(await host.outcomes(5)).toEqual({ responsive: 4, 'unresponsive: blocked': 1 });
    // It has moved on between the two looks.
    const moving = setInterval(() => {
      host.mainThread(3, 'D');
    }, 20);
    onTestFinished(() => {
      clearInterval(moving);
    });
    expect(await host.outcomes(5)).toEqual({ responsive: 5 });
  });

  it('looks twice at a guest with another thread in uninterruptible sleep', async () => {
    const worker = (timeslices: number) => {
      const directory = join(host.procfs, '103', 'task', '999');
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, 'schedstat'), `1000 0 ${timeslices}\n`);
      writeFileSync(join(directory, 'stat'), '999 (worker) D 1 1 1\n');
    };
    host.standstills.set(3, 'uncertain');
    worker(1);
    expect(await host.outcomes(5)).toEqual({ responsive: 4, 'unresponsive: blocked': 1 });
    let timeslices = 1;
    const reading = setInterval(() => {
      worker((timeslices += 1));
    }, 20);
    onTestFinished(() => {
      clearInterval(reading);
    });
    expect(await host.outcomes(5)).toEqual({ responsive: 5 });
  });

  it('does not ask a guest that another client has kept occupied for more than 2 s', async () => {
    host.controlStates.set(0, { state: 2, stateTimeMs: 2_500n });
    host.controlStates.set(1, { state: 2, stateTimeMs: 500n });
    await host.occupied.look([guest(0), guest(1)], Deadline.in(1_000));
    expect(await host.outcomes(5)).toEqual({ responsive: 4, 'unresponsive: occupied': 1 });
  });

  it('tests each failure domain with one guest before the others are asked', async () => {
    host.domainsOf = (index) => [index < 15 ? 'filesystem 0:1' : 'filesystem 0:2'];
    for (let index = 0; index < 15; index += 1) host.hanging.add(index);
    expect(await host.outcomes(30)).toEqual({
      responsive: 15,
      'unresponsive: timed_out': 1,
      'unasked: storage': 14,
    });
    expect(host.asked.filter((index) => index < 15)).toHaveLength(1);
  });

  it('clears a failure domain as soon as another guest on it answers', async () => {
    host.domainsOf = () => ['filesystem 0:1'];
    host.hanging.add(0);
    await host.ask(10);
    expect(await host.outcomes(10)).toEqual({ responsive: 9, 'unresponsive: timed_out': 1 });
    expect(host.asked.filter((index) => index === 0)).toHaveLength(1);
  });

  it('leaves a dead failure domain alone after the second canary', async () => {
    host.domainsOf = (index) => [index < 5 ? 'rbd dead' : 'rbd alive'];
    for (let index = 0; index < 5; index += 1) host.hanging.add(index);
    for (let index = 5; index < 10; index += 1) host.mainThread(index, 'S');
    await host.ask(10);
    await host.ask(10);
    const before = host.asked.filter((index) => index < 5).length;
    expect(before).toBe(2);
    await host.ask(10);
    expect(host.asked.filter((index) => index < 5)).toHaveLength(before);
  });

  it('trusts a failure domain again as soon as its canaries answer late', async () => {
    host.domainsOf = () => ['rbd slow'];
    for (let index = 0; index < 5; index += 1) host.hanging.add(index);
    await host.ask(5);
    await host.ask(5);
    expect(host.asked).toHaveLength(2);
    await host.release();
    expect(await host.outcomes(5)).toEqual({ responsive: 5 });
  });

  it('asks guests on silent storage for their balloons only, and first one of them', async () => {
    host.domainsOf = (index) => [index < 5 ? 'filesystem 0:1' : 'filesystem 0:2'];
    host.silent.add('filesystem 0:1');
    expect(await host.outcomes(10)).toEqual({ responsive: 5, 'responsive: storage': 5 });

    for (let index = 0; index < 5; index += 1) host.hanging.add(index);
    host.asked = [];
    expect(await host.outcomes(10)).toEqual({
      responsive: 5,
      'unresponsive: timed_out': 1,
      'unasked: storage': 4,
    });
  });

  it('serves only guests whose main loop runs once two calls are stuck', async () => {
    host.hanging.add(0).add(1);
    await host.ask(2);
    const busy = setInterval(() => {
      for (let index = 2; index < 10; index += 1) host.mainThread(index, 'S');
    }, 20);
    onTestFinished(() => {
      clearInterval(busy);
    });
    // On a busy machine more than a second can lie between two looks at a main loop: then the next round.
    await expect
      .poll(() => host.outcomes(20), { timeout: 15_000 })
      .toEqual({ responsive: 8, 'unresponsive: timed_out': 2, 'unasked: budget': 10 });
    await host.release();
    expect(await host.outcomes(20)).toEqual({ responsive: 20 });
  });

  it('never has more than three guests stuck, however many hang without a sign', async () => {
    for (let index = 0; index < 30; index += 1) host.hanging.add(index);
    for (let round = 0; round < 3; round += 1) await host.ask(30);
    expect(host.asked.length).toBeLessThanOrEqual(3);
    expect(host.calls.stuck).toBe(host.asked.length);
  });

  it('asks two at once of guests it does not know, three of those that answered the last time', async () => {
    const atOnce = async () => {
      for (let index = 0; index < 30; index += 1) host.hanging.add(index);
      host.mostUnderWay = 0;
      await host.ask(30);
      await host.release();
      return host.mostUnderWay;
    };
    expect(await atOnce()).toBe(2);
    expect(await host.outcomes(30)).toEqual({ responsive: 30 });
    expect(await atOnce()).toBe(3);
    // Those that timed out are not known to be well again.
    expect(await atOnce()).toBe(2);
  });

  it('settles by the deadline', async () => {
    host.hanging.add(0);
    const start = performance.now();
    const answers = await host.ask(1, 50);
    expect(answers.get(0)).toMatchObject({ monitor: 'unresponsive', reason: 'timed_out' });
    expect(performance.now() - start).toBeLessThan(1_500);
  });

  it('says nothing of a guest when the daemon is gone', async () => {
    await host.daemon.close();
    const answers = await host.ask(3, 500);
    for (const answer of answers.values()) expect(answer.monitor).toBe('unasked');
  });
});
