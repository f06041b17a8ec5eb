import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { ClosedError, keepaliveProcedures, procedures } from '../../../src/libvirt/index.ts';
import { silence } from '../../support/libvirt/fake-daemon.ts';
import { closing, connectTo, fakeDaemon, rejection } from './with-daemon.ts';

const fast = { intervalMs: 20, count: 3 };

describe('keepalive', () => {
  it('answers each ping of the daemon', async () => {
    const daemon = await fakeDaemon();
    await connectTo(daemon);
    const [client] = daemon.clients;
    client?.sendKeepalive(keepaliveProcedures.ping);
    client?.sendKeepalive(keepaliveProcedures.ping);
    while (client?.pongs !== 2) await sleep(1);
  });

  it('keeps a quiet connection open while the daemon answers', async () => {
    const daemon = await fakeDaemon();
    const connection = await connectTo(daemon, { keepalive: fast });
    await sleep(200);
    expect(connection.closeReason).toBeUndefined();
    expect(daemon.clients[0]?.pings).toBeGreaterThanOrEqual(3);
  });

  it('notices a daemon that holds the connection but no longer answers', async () => {
    const daemon = await fakeDaemon();
    daemon.answerPings = false;
    daemon.on(procedures.getHostname, () => silence);
    const connection = await connectTo(daemon, { keepalive: fast });
    const call = rejection(connection.getHostname());
    const reason = await closing(connection);
    expect(reason).toBeInstanceOf(ClosedError);
    expect(reason.message).toBe('the libvirt daemon did not answer for 60 ms');
    expect(await call).toBe(reason);
    expect(daemon.clients[0]?.pings).toBe(3);
  });

  it('takes any message as a sign of life', async () => {
    const daemon = await fakeDaemon();
    daemon.answerPings = false;
    const connection = await connectTo(daemon, { keepalive: fast });
    for (let i = 0; i < 15; i++) {
      daemon.clients[0]?.sendKeepalive(keepaliveProcedures.ping);
      await sleep(10);
    }
    expect(connection.closeReason).toBeUndefined();
  });

  it('sends no pings to a daemon that does not know them', async () => {
    const daemon = await fakeDaemon();
    daemon.on(procedures.supportsFeature, () => false);
    const connection = await connectTo(daemon, { keepalive: fast });
    await sleep(100);
    expect(daemon.clients[0]?.pings).toBe(0);
    expect(connection.closeReason).toBeUndefined();
  });
});
