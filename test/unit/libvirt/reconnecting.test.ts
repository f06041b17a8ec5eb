import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

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

/** Waits between attempts in ms with jitter switched off, measured by fake attempts. */
async function attemptTimes(options: Partial<ReconnectOptions>, count: number): Promise<number[]> {
  const times: number[] = [];
  const reconnecting = new ReconnectingConnection({
    initialDelayMs: 20,
    maxDelayMs: 60,
    random: () => 1,
    open: () => {
      times.push(performance.now());
      return failing();
    },
    ...options,
  });
  reconnecting.start();
  while (times.length < count) await sleep(5);
  await reconnecting.close();
  return times.slice(1).map((time, i) => time - (times[i] ?? NaN));
}

describe('a reconnecting connection', () => {
  it('waits twice as long after each failure, up to the maximum', async () => {
    const [first = 0, second = 0, third = 0, fourth = 0] = await attemptTimes({}, 5);
    expect(first).toBeGreaterThanOrEqual(19);
    expect(second).toBeGreaterThanOrEqual(39);
    expect(third).toBeGreaterThanOrEqual(59);
    expect(fourth).toBeGreaterThanOrEqual(59);
    expect(fourth).toBeLessThan(119);
  });

  it('never waits less than half of that, so it cannot spin', async () => {
    const [first = 0, second = 0] = await attemptTimes({ random: () => 0 }, 3);
    expect(first).toBeGreaterThanOrEqual(9);
    expect(second).toBeGreaterThanOrEqual(19);
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
    reconnecting.start();
    await sleep(200);
    await reconnecting.close();
    // Waits of 20, 40, 80 and 160 ms: the fifth attempt would be at 300 ms.
    expect(attempts).toBeGreaterThanOrEqual(2);
    expect(attempts).toBeLessThanOrEqual(4);
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
    await sleep(50);
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
