import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ClosedError, keepaliveProcedures, procedures } from '../../../src/libvirt/index.ts';
import { silence } from '../../support/libvirt/fake-daemon.ts';
import { settle, until } from '../../support/until.ts';
import { closing, connectTo, fakeDaemon, rejection } from './with-daemon.ts';

const keepalive = { intervalMs: 1000, count: 3 };

/** The interval passes when the test says so; sockets and everything else take the time they take. */
function passInterval(): void {
  vi.advanceTimersByTime(keepalive.intervalMs);
}

describe('keepalive', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('answers each ping of the daemon', async () => {
    const daemon = await fakeDaemon();
    await connectTo(daemon);
    const [client] = daemon.clients;
    client?.sendKeepalive(keepaliveProcedures.ping);
    client?.sendKeepalive(keepaliveProcedures.ping);
    await until('two pongs', () => client?.pongs === 2);
  });

  it('keeps a quiet connection open while the daemon answers', async () => {
    const daemon = await fakeDaemon();
    const connection = await connectTo(daemon, { keepalive });
    for (let pings = 1; pings <= 10; pings += 1) {
      passInterval();
      await until(`ping ${pings}`, () => daemon.clients[0]?.pings === pings);
      await settle();
    }
    expect(connection.closeReason).toBeUndefined();
  });

  it('notices a daemon that holds the connection but no longer answers', async () => {
    const daemon = await fakeDaemon();
    daemon.answerPings = false;
    daemon.on(procedures.getHostname, () => silence);
    const connection = await connectTo(daemon, { keepalive });
    const call = rejection(connection.getHostname());
    const closed = closing(connection);
    for (let pings = 1; pings <= 3; pings += 1) {
      passInterval();
      await until(`ping ${pings}`, () => daemon.clients[0]?.pings === pings);
      expect(connection.closeReason).toBeUndefined();
    }
    passInterval();
    const reason = await closed;
    expect(reason).toBeInstanceOf(ClosedError);
    expect(reason.message).toBe('the libvirt daemon did not answer for 3000 ms');
    expect(await call).toBe(reason);
    expect(daemon.clients[0]?.pings).toBe(3);
  });

  it('takes any message as a sign of life', async () => {
    const daemon = await fakeDaemon();
    daemon.answerPings = false;
    const connection = await connectTo(daemon, { keepalive });
    const [client] = daemon.clients;
    for (let messages = 1; messages <= 15; messages += 1) {
      client?.sendKeepalive(keepaliveProcedures.ping);
      await until(`answer ${messages}`, () => client?.pongs === messages);
      passInterval();
    }
    expect(connection.closeReason).toBeUndefined();
  });

  it('sends no pings to a daemon that does not know them', async () => {
    const daemon = await fakeDaemon();
    daemon.on(procedures.supportsFeature, () => false);
    daemon.on(procedures.getHostname, () => 'host1');
    const connection = await connectTo(daemon, { keepalive });
    for (let interval = 0; interval < 10; interval += 1) passInterval();
    // A ping would have been sent before this call, and be there before its answer.
    expect(await connection.getHostname()).toBe('host1');
    expect(daemon.clients[0]?.pings).toBe(0);
    expect(connection.closeReason).toBeUndefined();
  });
});
