import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { encode, openLibvirt, procedures, type DomainRef } from '../../../src/libvirt/index.ts';
import { GuestMonitor, monitorGroups } from '../../../src/snapshot/guest-monitor.ts';
import { FakeDaemon, silence, type ReceivedCall } from '../libvirt/fake-daemon.ts';

/** A host whose guests answer at once, but for those that are stuck. */
class Host {
  readonly daemon: FakeDaemon;
  readonly monitor: GuestMonitor;
  readonly stuck = new Set<string>();
  readonly asked: string[] = [];
  readonly withheld: (() => void)[] = [];

  constructor(daemon: FakeDaemon, callTimeoutMs = 100) {
    this.daemon = daemon;
    daemon.on(procedures.getAllDomainStats, ({ domains }, call: ReceivedCall) => {
      const [domain] = domains;
      if (domain === undefined) return [];
      this.asked.push(domain.name);
      const record = { domain, params: [] };
      if (!this.stuck.has(domain.name)) return [record];
      this.withheld.push(() => {
        call.client.reply(call, encode(procedures.getAllDomainStats.result, [record]));
      });
      return silence;
    });
    this.monitor = new GuestMonitor({
      open: () => openLibvirt({ uri: daemon.uri, keepalive: false }),
      callTimeoutMs,
    });
  }

  async ask(name: string, patienceMs = 1000): Promise<string> {
    const answer = await this.monitor.ask(
      guest(name),
      monitorGroups.block,
      performance.now() + patienceMs,
    );
    return answer.kind;
  }

  /** The stuck guests come round: every answer withheld so far is sent. */
  async recover(): Promise<void> {
    this.stuck.clear();
    const before = this.monitor.counters.lateReplies;
    const due = this.withheld.length;
    for (const send of this.withheld.splice(0)) send();
    await expect
      .poll(() => this.monitor.counters.lateReplies, { timeout: 2000 })
      .toBe(before + due);
  }
}

function guest(name: string): DomainRef {
  const digits = Buffer.from(name).toString('hex').padStart(12, '0').slice(-12);
  return { name, uuid: `00000000-0000-0000-0000-${digits}`, id: 1 };
}

let host: Host;

beforeEach(async () => {
  host = new Host(await FakeDaemon.listen());
});

afterEach(async () => {
  await host.monitor.close();
  await host.daemon.close();
});

describe('asking guests through their monitors', () => {
  it('gets an answer from a healthy guest', async () => {
    expect(await host.ask('web')).toBe('answered');
  });

  it('calls a guest that misses its deadline unresponsive, and the others answer', async () => {
    host.stuck.add('sick');
    const answers = await Promise.all(['a', 'sick', 'b', 'c', 'd', 'e'].map((n) => host.ask(n)));
    expect(answers).toEqual([
      'answered',
      'unresponsive',
      'answered',
      'answered',
      'answered',
      'answered',
    ]);
  });

  it('does not ask a guest again while its last call is unanswered', async () => {
    host.stuck.add('sick');
    await host.ask('sick');
    expect(await host.ask('sick')).toBe('unresponsive');
    expect(await host.ask('sick')).toBe('unresponsive');
    expect(host.asked).toEqual(['sick']);
  });

  it('asks again after the late answer, and then keeps no call', async () => {
    host.stuck.add('sick');
    await host.ask('sick');
    expect(host.monitor.counters.outstanding).toBe(1);
    await host.recover();
    expect(await host.ask('sick')).toBe('answered');
    expect(host.monitor.counters).toEqual({
      outstanding: 0,
      timeouts: 1,
      lateReplies: 1,
      connects: 1,
    });
  });

  it('opens a second connection only when stuck calls hold all slots of the first', async () => {
    for (const name of ['s1', 's2', 's3']) host.stuck.add(name);
    await Promise.all(['s1', 's2', 's3'].map((name) => host.ask(name)));
    expect(await host.ask('healthy')).toBe('answered');
    expect(host.monitor.counters.connects).toBe(1);

    host.stuck.add('s4');
    await host.ask('s4');
    expect(await host.ask('healthy')).toBe('answered');
    expect(host.monitor.counters.connects).toBe(2);
  });

  it('asks nobody while eight calls are stuck, so that libvirtd keeps workers for others', async () => {
    const sick = Array.from({ length: 8 }, (_, i) => `s${i}`);
    for (const name of sick) host.stuck.add(name);
    await Promise.all(sick.map((name) => host.ask(name)));
    expect(host.monitor.counters.outstanding).toBe(8);
    expect(await host.ask('healthy', 300)).toBe('unasked');

    await host.recover();
    expect(await host.ask('healthy')).toBe('answered');
  });

  it('has at most four calls under way on one connection', async () => {
    const names = Array.from({ length: 40 }, (_, i) => `g${i}`);
    expect(new Set(await Promise.all(names.map((name) => host.ask(name))))).toEqual(
      new Set(['answered']),
    );
    expect(host.monitor.counters.connects).toBe(1);
  });

  it('asks once for two scrapes that want the same of a guest at the same time', async () => {
    await Promise.all([host.ask('web'), host.ask('web'), host.ask('web')]);
    expect(host.asked).toEqual(['web']);
  });

  it('says that a guest was not asked when the connection is lost, and asks it next time', async () => {
    host.stuck.add('web');
    const lost = host.ask('web');
    await expect.poll(() => host.asked.length).toBe(1);
    for (const client of host.daemon.clients) client.destroy();
    expect(await lost).toBe('unasked');
    host.stuck.clear();
    expect(await host.ask('web')).toBe('answered');
  });

  it('says that a guest was not asked when there is no daemon', async () => {
    await host.daemon.close();
    expect(await host.ask('web', 200)).toBe('unasked');
  });

  it('settles by the deadline of the scrape, however patient a single call may be', async () => {
    const patient = new Host(host.daemon, 10_000);
    patient.stuck.add('sick');
    const start = performance.now();
    expect(await patient.ask('sick', 30)).toBe('unresponsive');
    expect(performance.now() - start).toBeLessThan(5_000);
    await patient.monitor.close();
  });
});
