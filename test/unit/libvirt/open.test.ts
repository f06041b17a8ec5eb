import { once } from 'node:events';
import { rename } from 'node:fs/promises';
import { createServer } from 'node:net';

import { describe, expect, it } from 'vitest';

import {
  AuthError,
  CallAbortedError,
  CallTimeoutError,
  ClosedError,
  ConnectError,
  openLibvirt,
  procedures,
  RpcError,
  type OpenArgs,
} from '../../../src/libvirt/index.ts';
import { ErrorAnswer, silence } from '../../support/libvirt/fake-daemon.ts';
import { connectTo, fakeDaemon, rejection } from './with-daemon.ts';

describe('opening a connection', () => {
  it('lists authentication first, then opens the driver read-only', async () => {
    const daemon = await fakeDaemon();
    const opened: OpenArgs[] = [];
    daemon.on(procedures.connectOpen, (args) => {
      opened.push(args);
      return undefined;
    });
    const connection = await connectTo(daemon);
    expect(daemon.calls.map(({ procedure, serial }) => [procedure, serial])).toEqual([
      [66, 1],
      [60, 2],
      [1, 3],
    ]);
    expect(opened).toEqual([{ uri: 'qemu:///system', flags: 1 }]);
    expect(connection.socketPath).toBe(daemon.path);
    expect(connection.closeReason).toBeUndefined();
  });

  it('authenticates with polkit when the daemon asks for it', async () => {
    const daemon = await fakeDaemon();
    daemon.on(procedures.authList, () => [2]);
    daemon.on(procedures.authPolkit, () => true);
    await connectTo(daemon);
    expect(daemon.count(procedures.authPolkit)).toBe(1);
  });

  it('says what to do when polkit refuses', async () => {
    const daemon = await fakeDaemon();
    daemon.on(procedures.authList, () => [2]);
    const message = 'Unable to get system bus connection';
    daemon.on(procedures.authPolkit, () => new ErrorAnswer({ code: 45, domain: 47, message }));
    const error = await rejection(openLibvirt({ uri: daemon.uri }));
    expect(error).toBeInstanceOf(AuthError);
    expect(error).toMatchObject({ kind: 'auth', cause: { code: 45, message } });
    expect(String(error)).toMatch(
      /Run polkitd.*org\.libvirt\.unix\.monitor.*auth_unix_ro = "none"/,
    );
  });

  it('does not try SASL', async () => {
    const daemon = await fakeDaemon();
    daemon.on(procedures.authList, () => [1]);
    expect(await rejection(openLibvirt({ uri: daemon.uri }))).toBeInstanceOf(AuthError);
    expect(daemon.calls).toHaveLength(1);
  });

  it('passes on the reason why a driver does not open, and hangs up', async () => {
    const daemon = await fakeDaemon();
    const message = 'no connection driver available for qemu:///system';
    daemon.on(procedures.connectOpen, () => new ErrorAnswer({ code: 5, message }));
    const error = await rejection(openLibvirt({ uri: daemon.uri }));
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toMatchObject({ code: 5, procedure: 1, message });
  });

  it('names every socket it tried and the errno of each', async () => {
    const environment = { systemDirectories: ['/nonexistent/a', '/nonexistent/b'] };
    const error = await rejection(openLibvirt({ uri: 'qemu:///system', environment }));
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({
      attempts: [
        { path: '/nonexistent/a/virtqemud-sock-ro', code: 'ENOENT' },
        { path: '/nonexistent/a/libvirt-sock-ro', code: 'ENOENT' },
        { path: '/nonexistent/b/virtqemud-sock-ro', code: 'ENOENT' },
        { path: '/nonexistent/b/libvirt-sock-ro', code: 'ENOENT' },
      ],
    });
    expect(String(error)).toContain('virtqemud-ro.socket');
  });

  it('takes the first socket that accepts', async () => {
    const daemon = await fakeDaemon();
    const directory = daemon.path.slice(0, daemon.path.lastIndexOf('/'));
    const environment = { systemDirectories: ['/nonexistent', directory] };
    const connection = await connectTo(daemon, { uri: 'qemu:///system', environment });
    expect(connection.socketPath).toBe(daemon.path);
  });

  it('gives up on a daemon that accepts and then says nothing', async () => {
    const daemon = await fakeDaemon();
    daemon.on(procedures.authList, () => silence);
    const error = await rejection(openLibvirt({ uri: daemon.uri, openDeadlineMs: 50 }));
    expect(error).toBeInstanceOf(CallTimeoutError);
  });

  it('can be aborted before and while it waits', async () => {
    const daemon = await fakeDaemon();
    daemon.on(procedures.connectOpen, () => silence);
    const before = openLibvirt({ uri: daemon.uri, signal: AbortSignal.abort() });
    expect(await rejection(before)).toBeInstanceOf(CallAbortedError);
    const during = openLibvirt({ uri: daemon.uri, signal: AbortSignal.timeout(30) });
    expect(await rejection(during)).toBeInstanceOf(CallAbortedError);
  });

  it('fails when the daemon hangs up at once, as it does when it has too many clients', async () => {
    const daemon = await fakeDaemon();
    daemon.on(procedures.authList, (_args, { client }) => {
      client.destroy();
      return silence;
    });
    expect(await rejection(openLibvirt({ uri: daemon.uri }))).toBeInstanceOf(ClosedError);
  });

  it('reports a socket file nobody listens on', async () => {
    const server = createServer();
    const daemon = await fakeDaemon();
    const stale = `${daemon.path}.stale`;
    server.listen(stale);
    await once(server, 'listening');
    // A killed daemon leaves its file behind; close() would remove it, were it not renamed.
    await rename(stale, `${stale}.kept`);
    server.close();
    await once(server, 'close');
    const uri = `qemu+unix:///system?socket=${stale}.kept`;
    const error = await rejection(openLibvirt({ uri }));
    expect(error).toMatchObject({ attempts: [{ code: 'ECONNREFUSED' }] });
    expect(String(error)).toContain('mount the directory /run/libvirt');
  });
});

describe('closing a connection', () => {
  it('says goodbye, leaves no handle and rejects later calls', async () => {
    const daemon = await fakeDaemon();
    const connection = await connectTo(daemon, { keepalive: { intervalMs: 1000, count: 5 } });
    await connection.close();
    expect(daemon.count(procedures.connectClose)).toBe(1);
    expect(connection.closeReason).toBeInstanceOf(ClosedError);
    expect(await rejection(connection.getHostname())).toBeInstanceOf(ClosedError);
    await connection.close();
  });

  it('rejects calls that wait for a reply, and tells whoever listens', async () => {
    const daemon = await fakeDaemon();
    daemon.on(procedures.getHostname, () => silence);
    const connection = await connectTo(daemon);
    const pending = rejection(connection.getHostname());
    const told: unknown[] = [];
    connection.onClose((reason) => told.push(reason));
    await connection.close();
    expect(await pending).toBeInstanceOf(ClosedError);
    expect(told).toEqual([await pending]);
    expect(connection.outstanding).toBe(0);
  });
});
