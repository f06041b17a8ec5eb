import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { Deadline } from '../../../../src/runtime/deadline.ts';
import type { Result } from '../../../../src/runtime/result.ts';
import { encode, procedures } from '../../../../src/libvirt/index.ts';
import type { CallFailure, DaemonCalls } from '../../../../src/guests/libvirt/daemon-calls.ts';
import {
  ErrorAnswer,
  FakeDaemon,
  silence,
  type ReceivedCall,
} from '../../../support/libvirt/fake-daemon.ts';
import { callsTo } from './calls-to.ts';

/** A daemon that answers at once, but for the names that stick, whose calls wait for `release`. */
class Host {
  readonly daemon: FakeDaemon;
  readonly calls: DaemonCalls;
  readonly sticking = new Set<string>();
  readonly held: (() => void)[] = [];
  underWay = 0;
  mostUnderWay = 0;

  constructor(daemon: FakeDaemon, budget?: { maxCalls: number; maxStuck: number }) {
    this.daemon = daemon;
    this.calls = callsTo(daemon, budget);
    daemon.on(procedures.domainLookupByName, async (name, call: ReceivedCall) => {
      this.underWay += 1;
      this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
      const answer = { name, uuid: '11111111-1111-1111-1111-111111111111', id: 1 };
      if (this.sticking.has(name)) {
        this.held.push(() => {
          this.underWay -= 1;
          call.client.reply(call, encode(procedures.domainLookupByName.result, answer));
        });
        return silence;
      }
      await new Promise((resolve) => setImmediate(resolve));
      this.underWay -= 1;
      return answer;
    });
  }

  async ask(name: string, options: { isAlive?: boolean; patienceMs?: number } = {}) {
    const answer: Result<unknown, CallFailure> = await this.calls.call(
      {
        key: name,
        timeoutMs: 100,
        deadline: Deadline.in(options.patienceMs ?? 5_000),
        isAlive: () => options.isAlive === true,
      },
      (connection, callOptions) => connection.domainLookupByName(name, callOptions),
    );
    return answer.ok ? 'answered' : answer.error.kind;
  }

  /** A call for this name sticks. */
  async stick(name: string): Promise<void> {
    this.sticking.add(name);
    expect(await this.ask(name, { isAlive: true })).toBe('timeout');
  }

  /** All that stick are answered late. */
  async release(): Promise<void> {
    this.sticking.clear();
    for (const answer of this.held.splice(0)) answer();
    await expect.poll(() => this.calls.counters.outstanding).toBe(0);
  }
}

let host: Host;

beforeEach(async () => {
  const daemon = await FakeDaemon.listen();
  onTestFinished(() => daemon.close());
  host = new Host(daemon);
});

const many = (count: number) => Array.from({ length: count }, (_, i) => `guest-${i}`);

describe('calls under a budget', () => {
  it('are four at a time while nothing sticks', async () => {
    const kinds = await Promise.all(many(40).map((name) => host.ask(name)));
    expect(new Set(kinds)).toEqual(new Set(['answered']));
    expect(host.mostUnderWay).toBe(4);
    expect(host.calls.counters.connects).toBe(1);
  });

  it('are three at a time, the stuck one included, while one sticks', async () => {
    await host.stick('sick');
    host.mostUnderWay = 0;
    const kinds = await Promise.all(many(20).map((name) => host.ask(name)));
    expect(new Set(kinds)).toEqual(new Set(['answered']));
    expect(host.mostUnderWay).toBe(3);
  });

  it('are one at a time, and only for what is alive, while two stick', async () => {
    await host.stick('sick-1');
    await host.stick('sick-2');
    host.mostUnderWay = 0;
    expect(await host.ask('idle')).toBe('budget');
    const kinds = await Promise.all(many(20).map((name) => host.ask(name, { isAlive: true })));
    expect(new Set(kinds)).toEqual(new Set(['answered']));
    expect(host.mostUnderWay).toBe(3);
  });

  it('are not made at all once three stick, whatever is alive', async () => {
    for (const name of ['sick-1', 'sick-2', 'sick-3']) await host.stick(name);
    expect(await host.ask('alive', { isAlive: true })).toBe('budget');
    await host.release();
    expect(await host.ask('alive')).toBe('answered');
  });

  it('are not repeated under a key that is owed an answer', async () => {
    await host.stick('sick');
    expect(await host.ask('sick')).toBe('owed');
    expect(host.calls.owes('sick')).toBe(true);
    await host.release();
    expect(host.calls.owes('sick')).toBe(false);
    expect(await host.ask('sick')).toBe('answered');
    expect(host.calls.counters).toMatchObject({ outstanding: 0, timeouts: 1, lateReplies: 1 });
  });

  it('under one key come one after the other', async () => {
    const kinds = await Promise.all([host.ask('web'), host.ask('web'), host.ask('web')]);
    expect(kinds).toEqual(['answered', 'answered', 'answered']);
    expect(host.mostUnderWay).toBe(1);
  });

  it('are one at a time while other clients keep workers, for idle guests as well', async () => {
    host.calls.countElsewhere(0, 5);
    const kinds = await Promise.all(many(10).map((name) => host.ask(name)));
    expect(new Set(kinds)).toEqual(new Set(['answered']));
    expect(host.mostUnderWay).toBe(1);
    expect(host.calls.stuck).toBe(5);
  });

  it('count what an earlier run of the exporter left behind as its own', async () => {
    host.calls.countElsewhere(2, 0);
    expect(await host.ask('idle')).toBe('budget');
    expect(await host.ask('alive', { isAlive: true })).toBe('answered');
  });

  it('that wait are let in, or refused, as soon as that is clear', async () => {
    host.sticking.add('sick-1').add('sick-2').add('sick-3').add('sick-4');
    const kinds = await Promise.all(
      [
        ...many(2).map((name) => `sick-${name}`),
        'sick-1',
        'sick-2',
        'sick-3',
        'sick-4',
        'last',
      ].map((name) => host.ask(name)),
    );
    expect(kinds.slice(2)).toEqual(['timeout', 'timeout', 'timeout', 'timeout', 'budget']);
  });

  it('that find no slot before the deadline are lost', async () => {
    host.sticking.add('sick-1').add('sick-2').add('sick-3').add('sick-4');
    const sick = ['sick-1', 'sick-2', 'sick-3', 'sick-4'].map((name) => host.ask(name));
    await expect.poll(() => host.held.length).toBe(4);
    expect(await host.ask('late', { patienceMs: 20 })).toBe('lost');
    await Promise.all(sick);
  });

  it('use a second connection where one can carry no more', async () => {
    const daemon = await FakeDaemon.listen();
    onTestFinished(() => daemon.close());
    const wide = new Host(daemon, { maxCalls: 8, maxStuck: 2 });
    for (const name of many(8)) wide.sticking.add(name);
    const asked = many(8).map((name) => wide.ask(name));
    await expect.poll(() => wide.held.length).toBe(8);
    expect(wide.calls.counters.connects).toBe(2);
    await Promise.all(asked);
  });

  it("tell the daemon's own refusal from a lost connection", async () => {
    host.daemon.on(procedures.domainLookupByName, () => new ErrorAnswer({ code: 42 }));
    expect(await host.ask('gone')).toBe('refused');
    await host.daemon.close();
    expect(await host.ask('web')).toBe('lost');
  });

  it('forget what a closed connection owed', async () => {
    await host.stick('sick');
    for (const client of host.daemon.clients) client.destroy();
    await expect.poll(() => host.calls.counters.outstanding).toBe(0);
    host.sticking.clear();
    expect(await host.ask('sick')).toBe('answered');
  });
});
