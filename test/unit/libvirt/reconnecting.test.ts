import { once } from 'node:events';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import {
  ClosedError,
  ConnectError,
  openLibvirt,
  ReconnectingConnection,
  type LibvirtConnection,
  type LibvirtError,
  type ReconnectOptions,
} from '../../../src/libvirt/index.ts';
import { fakeDaemon } from './with-daemon.ts';

const failing = () => Promise.reject(new ConnectError([{ path: '/nowhere', code: 'ENOENT' }]));

/** Waits in ms between the attempts of one second that all fail, with jitter switched off. */
async function waitsBetween(options: Partial<ReconnectOptions> = {}): Promise<number[]> {
  const times: number[] = [];
  const reconnecting = new ReconnectingConnection({
    initialDelayMs: 20,
    maxDelayMs: 60,
    random: () => 1,
    open: () => {
      times.push(Date.now());
      return failing();
    },
    ...options,
  });
  reconnecting.start();
  await vi.advanceTimersByTimeAsync(1000);
  await reconnecting.close();
  return times.slice(1).map((time, i) => time - (times[i] ?? NaN));
}

describe('a reconnecting connection', () => {
  // Waits pass when the test says so; sockets take the time they take.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('waits twice as long after each failure, up to the maximum', async () => {
    expect((await waitsBetween()).slice(0, 4)).toEqual([20, 40, 60, 60]);
  });

  it('never waits less than half of that, so it cannot spin', async () => {
    const waits = await waitsBetween({ random: () => 0 });
    expect(waits.slice(0, 4)).toEqual([10, 20, 30, 30]);
  });

  it('tells when it is up, when it is down and why, and comes back', async () => {
    const daemon = await fakeDaemon();
    const reconnecting = new ReconnectingConnection({
      initialDelayMs: 10,
      open: (signal) => openLibvirt({ uri: daemon.uri, keepalive: false, signal }),
    });
    const ups: LibvirtConnection[] = [];
    const downs: LibvirtError[] = [];
    reconnecting.on('up', (connection) => ups.push(connection));
    reconnecting.on('down', (error) => downs.push(error));
    reconnecting.start();
    reconnecting.start();
    await once(reconnecting, 'up');
    expect(reconnecting.current).toBe(ups[0]);

    daemon.clients[0]?.destroy();
    await once(reconnecting, 'down');
    expect(reconnecting.current).toBeUndefined();
    expect(reconnecting.lastError).toBeInstanceOf(ClosedError);

    vi.advanceTimersByTime(10);
    await once(reconnecting, 'up');
    expect(ups).toHaveLength(2);
    expect(downs).toHaveLength(1);
    expect(reconnecting.current).toBe(ups[1]);
    await reconnecting.close();
    expect(daemon.clients).toHaveLength(2);
    expect(ups[1]?.closeReason).toBeInstanceOf(ClosedError);
    expect(downs).toHaveLength(1);
  });

  it('does not spin when the daemon hangs up on every connection', async () => {
    const daemon = await fakeDaemon();
    let attempts = 0;
    const reconnecting = new ReconnectingConnection({
      initialDelayMs: 20,
      random: () => 1,
      open: async (signal) => {
        attempts++;
        const connection = await openLibvirt({ uri: daemon.uri, keepalive: false, signal });
        for (const client of daemon.clients) client.destroy();
        return connection;
      },
    });
    const first = once(reconnecting, 'down');
    reconnecting.start();
    await first;
    for (const [before, wait] of [20, 40, 80, 160].entries()) {
      vi.advanceTimersByTime(wait - 1);
      expect(attempts).toBe(before + 1);
      const down = once(reconnecting, 'down');
      vi.advanceTimersByTime(1);
      expect(attempts).toBe(before + 2);
      await down;
    }
    await reconnecting.close();
  });

  it('stops for good when closed, whatever it is doing', async () => {
    let attempts = 0;
    const waiting = new ReconnectingConnection({
      initialDelayMs: 10,
      open: () => {
        attempts++;
        return failing();
      },
    });
    waiting.start();
    await once(waiting, 'down');
    await waiting.close();
    waiting.start();
    await vi.advanceTimersByTimeAsync(1000);
    expect(attempts).toBe(1);

    const connecting = new ReconnectingConnection({
      open: (signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(new ClosedError('aborted'));
          });
        }),
    });
    connecting.start();
    await connecting.close();
    expect(connecting.current).toBeUndefined();
  });
});
