import { afterEach, describe, expect, it, vi } from 'vitest';

import {
  CallAbortedError,
  CallTimeoutError,
  encode,
  procedures,
  type LibvirtConnection,
} from '../../../src/libvirt/index.ts';
import { silence, type FakeDaemon, type ReceivedCall } from '../../support/libvirt/fake-daemon.ts';
import { settle, until } from '../../support/until.ts';
import { connectTo, fakeDaemon, rejection } from './with-daemon.ts';

const hostname = (name: string) => encode(procedures.getHostname.result, name);

/** A daemon that takes calls for its host name and answers when the test says so. */
async function slowDaemon(
  window: number,
): Promise<{ daemon: FakeDaemon; connection: LibvirtConnection; taken: ReceivedCall[] }> {
  const daemon = await fakeDaemon();
  const taken: ReceivedCall[] = [];
  daemon.on(procedures.getHostname, (_args, call) => {
    taken.push(call);
    return silence;
  });
  return { daemon, connection: await connectTo(daemon, { window }), taken };
}

function answer(call: ReceivedCall | undefined, name: string): void {
  call?.client.reply(call, hostname(name));
}

describe('a call with a deadline', () => {
  it('rejects when it passes and stays outstanding until its late reply', async () => {
    const { connection, taken } = await slowDaemon(4);
    const late: (string | undefined)[] = [];
    connection.onLateReply((tag) => late.push(tag));
    const error = await rejection(connection.getHostname({ deadlineMs: 20, tag: 'guest-1' }));
    expect(error).toBeInstanceOf(CallTimeoutError);
    expect(error).toMatchObject({ kind: 'timeout', procedure: 59, deadlineMs: 20, sent: true });
    expect([connection.outstanding, connection.overdue]).toEqual([1, 1]);
    expect(connection.isOutstanding('guest-1')).toBe(true);
    expect(connection.isOutstanding('guest-2')).toBe(false);

    answer(taken[0], 'too late');
    await until('the late reply', () => connection.outstanding === 0);
    expect([connection.overdue, connection.lateReplies]).toEqual([0, 1]);
    expect(connection.isOutstanding('guest-1')).toBe(false);
    expect(late).toEqual(['guest-1']);
  });

  it('is not disturbed by the late reply to an earlier one', async () => {
    const { connection, taken } = await slowDaemon(4);
    await rejection(connection.getHostname({ deadlineMs: 20 }));
    const second = connection.getHostname();
    await until('call 2', () => taken.length === 2);
    answer(taken[0], 'first');
    answer(taken[1], 'second');
    expect(await second).toBe('second');
  });

  it('that comes in time is neither overdue nor late', async () => {
    const { connection, taken } = await slowDaemon(4);
    const call = connection.getHostname({ deadlineMs: 5000, tag: 'guest-1' });
    await until('call 1', () => taken.length === 1);
    expect([connection.outstanding, connection.overdue]).toEqual([1, 0]);
    answer(taken[0], 'host1');
    expect(await call).toBe('host1');
    expect([connection.outstanding, connection.lateReplies]).toEqual([0, 0]);
  });

  it('that was answered in time has its answer, though this process got no CPU until it was over', async () => {
    const { connection, taken } = await slowDaemon(4);
    const call = connection.getHostname({ deadlineMs: 200 });
    await until('call 1', () => taken.length === 1);
    // In this phase of the event loop timers come next, and sockets after them.
    await new Promise((resolve) => setImmediate(resolve));
    answer(taken[0], 'host1');
    const end = performance.now() + 300;
    while (performance.now() < end);
    expect(await call).toBe('host1');
    expect([connection.outstanding, connection.lateReplies]).toEqual([0, 0]);
  });
});

describe('a call without end', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('waits when its deadline is infinite', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { connection, taken } = await slowDaemon(4);
    const call = connection.getHostname({ deadlineMs: Infinity });
    await until('call 1', () => taken.length === 1);
    await vi.advanceTimersByTimeAsync(24 * 3_600_000);
    answer(taken[0], 'host1');
    expect(await call).toBe('host1');
  });
});

describe('the window of a connection', () => {
  it('holds back calls beyond it until a reply frees a slot', async () => {
    const { connection, taken } = await slowDaemon(2);
    const calls = ['a', 'b', 'c', 'd'].map((tag) => connection.getHostname({ tag }));
    await until('call 2', () => taken.length === 2);
    await settle();
    expect(taken).toHaveLength(2);
    expect([connection.outstanding, connection.queued]).toEqual([2, 2]);
    expect([connection.isOutstanding('b'), connection.isOutstanding('c')]).toEqual([true, false]);
    answer(taken[1], 'two');
    await until('call 3', () => taken.length === 3);
    answer(taken[0], 'one');
    answer(taken[2], 'three');
    await until('call 4', () => taken.length === 4);
    answer(taken[3], 'four');
    expect(await Promise.all(calls)).toEqual(['one', 'two', 'three', 'four']);
  });

  it('stays full while timed-out calls wait for their late replies', async () => {
    const { connection, taken } = await slowDaemon(2);
    await Promise.all([
      rejection(connection.getHostname({ deadlineMs: 10 })),
      rejection(connection.getHostname({ deadlineMs: 10 })),
    ]);
    const error = await rejection(connection.getHostname({ deadlineMs: 30 }));
    expect(error).toMatchObject({ kind: 'timeout', sent: false });
    expect(taken).toHaveLength(2);
    expect([connection.outstanding, connection.queued]).toEqual([2, 0]);

    answer(taken[0], 'late');
    const next = connection.getHostname();
    await until('call 3', () => taken.length === 3);
    answer(taken[2], 'fresh');
    expect(await next).toBe('fresh');
  });

  it('takes replies in any order', async () => {
    const { connection, taken } = await slowDaemon(4);
    const calls = [1, 2, 3, 4].map(() => connection.getHostname());
    await until('call 4', () => taken.length === 4);
    for (const index of [3, 1, 0, 2]) answer(taken[index], `reply ${index}`);
    expect(await Promise.all(calls)).toEqual(['reply 0', 'reply 1', 'reply 2', 'reply 3']);
  });

  it('cannot be smaller than one call', async () => {
    const daemon = await fakeDaemon();
    await expect(connectTo(daemon, { window: 0 })).rejects.toThrow(RangeError);
  });
});

describe('aborting a call', () => {
  it('that was sent: it rejects with the reason and stays outstanding', async () => {
    const { connection, taken } = await slowDaemon(1);
    const controller = new AbortController();
    const call = rejection(connection.getHostname({ signal: controller.signal }));
    await until('call 1', () => taken.length === 1);
    controller.abort('scrape over');
    const error = await call;
    expect(error).toBeInstanceOf(CallAbortedError);
    expect(error).toMatchObject({ kind: 'aborted', cause: 'scrape over' });
    expect([connection.outstanding, connection.overdue]).toEqual([1, 1]);
    answer(taken[0], 'late');
    await until('the late reply', () => connection.outstanding === 0);
    expect(connection.lateReplies).toBe(1);
  });

  it('that waits for a slot: it is never sent', async () => {
    const { connection, taken } = await slowDaemon(1);
    const first = connection.getHostname();
    const controller = new AbortController();
    const second = rejection(connection.getHostname({ signal: controller.signal }));
    controller.abort();
    expect(await second).toBeInstanceOf(CallAbortedError);
    expect(connection.queued).toBe(0);
    await until('call 1', () => taken.length === 1);
    answer(taken[0], 'host1');
    expect(await first).toBe('host1');
    await settle();
    expect(taken).toHaveLength(1);
  });

  it('before it starts: nothing is sent', async () => {
    const { connection, taken } = await slowDaemon(1);
    const call = rejection(connection.getHostname({ signal: AbortSignal.abort() }));
    expect(await call).toBeInstanceOf(CallAbortedError);
    expect([taken.length, connection.outstanding]).toEqual([0, 0]);
  });
});
