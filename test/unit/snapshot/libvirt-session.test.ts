import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { errorCodes, procedures } from '../../../src/libvirt/index.ts';
import { LibvirtSession } from '../../../src/snapshot/libvirt-session.ts';
import { ErrorAnswer, silence, type FakeDaemon } from '../libvirt/fake-daemon.ts';
import { fakeDaemon } from '../libvirt/with-daemon.ts';

const GUEST = {
  name: 'web',
  uuid: '6695eb01-f6a4-8304-79aa-97f2502e193f',
  id: 1,
};

describe('the session with libvirt', () => {
  let daemon: FakeDaemon;
  let session: LibvirtSession;

  beforeEach(async () => {
    daemon = await fakeDaemon();
    daemon.on(procedures.getType, () => 'QEMU');
    daemon.on(procedures.getLibVersion, () => 9_000_000n);
    daemon.on(procedures.getVersion, () => 7_002_022n);
    daemon.on(procedures.getUri, () => 'qemu:///system');
    daemon.on(procedures.eventRegister, ({ eventId }) => eventId);
    session = new LibvirtSession(daemon.uri);
  });

  afterEach(async () => {
    await session.close();
  });

  it('is there once its versions are known and its events subscribed', async () => {
    session.start();
    const connected: unknown = await once(session, 'connected');
    const versions = {
      driver: 'QEMU',
      libvirt: '9.0.0',
      hypervisor: '7.2.22',
      uri: 'qemu:///system',
    };
    expect(connected).toEqual([versions, daemon.path]);
    expect(session.versions).toEqual(versions);
    expect(session.current?.closeReason).toBeUndefined();
    expect(session.connects).toBe(1);
    const changed = once(session, 'changed');
    daemon.clients[0]?.sendEvent(0, { type: 'lifecycle', domain: GUEST, event: 2, detail: 0 });
    expect(await changed).toEqual([GUEST.uuid]);
  });

  it('does without the version of a hypervisor that the daemon does not find', async () => {
    daemon.on(procedures.getVersion, () => new ErrorAnswer({ code: errorCodes.internalError }));
    session.start();
    await once(session, 'connected');
    expect(session.versions).toMatchObject({ libvirt: '9.0.0', hypervisor: undefined });
    expect(session.current).toBeDefined();
  });

  it('says what was wrong with a daemon that answers no first call, and asks again', async () => {
    daemon.on(procedures.getUri, () => new ErrorAnswer({ code: 38, message: 'out of memory' }));
    session.start();
    const down: unknown = await once(session, 'disconnected');
    expect(down).toMatchObject([{ kind: 'rpc', message: 'out of memory' }]);
    expect(session.lastError).toMatchObject({ message: 'out of memory' });
    expect([session.current, session.versions, session.connects]).toEqual([
      undefined,
      undefined,
      0,
    ]);

    daemon.on(procedures.getUri, () => 'qemu:///system');
    await once(session, 'connected');
    expect(session.connects).toBe(1);
  });

  it('is gone, with its versions, when the daemon goes', async () => {
    session.start();
    await once(session, 'connected');
    const down = once(session, 'disconnected');
    daemon.clients[0]?.disconnect();
    expect(await down).toMatchObject([{ kind: 'closed' }]);
    expect([session.current, session.versions]).toEqual([undefined, undefined]);
  });

  it('can be closed while a first call is without answer', async () => {
    daemon.on(procedures.getUri, () => silence);
    session.start();
    while (daemon.count(procedures.getUri) === 0) await new Promise(setImmediate);
    const from = performance.now();
    await session.close();
    expect(performance.now() - from).toBeLessThan(1000);
  });
});
