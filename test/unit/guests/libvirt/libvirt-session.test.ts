import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  errorCodes,
  eventDefinitions,
  procedures,
  type DomainEvent,
} from '../../../../src/libvirt/index.ts';
import { LibvirtSession } from '../../../../src/guests/libvirt/libvirt-session.ts';
import { ErrorAnswer, silence, type FakeDaemon } from '../../../support/libvirt/fake-daemon.ts';
import { fakeDaemon } from '../../libvirt/with-daemon.ts';

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

  it.each<[string, DomainEvent]>([
    [
      'a disk is copied, committed or pivoted',
      { type: 'blockJob', domain: GUEST, target: 'vda', jobType: 4, status: 0 },
    ],
    [
      'its metadata is set',
      { type: 'metadataChange', domain: GUEST, metadataType: 2, namespace: 'urn:owner' },
    ],
    ['a limit is set', { type: 'tunable', domain: GUEST, params: [] }],
    [
      'a medium is changed',
      { type: 'trayChange', domain: GUEST, deviceAlias: 'sata0-0-0', reason: 0 },
    ],
    [
      'a disk lost its source',
      {
        type: 'diskChange',
        domain: GUEST,
        oldPath: '/a',
        newPath: undefined,
        deviceAlias: 'virtio-disk0',
        reason: 0,
      },
    ],
    ['a device is added', { type: 'deviceAdded', domain: GUEST, deviceAlias: 'net1' }],
    ['a device is removed', { type: 'deviceRemoved', domain: GUEST, deviceAlias: 'net1' }],
    ['its agent connects', { type: 'agentLifecycle', domain: GUEST, state: 1, reason: 2 }],
    [
      'its virtio-mem grows',
      { type: 'memoryDeviceSizeChange', domain: GUEST, deviceAlias: 'virtiomem0', sizeKib: 1024n },
    ],
    ['its balloon moves', { type: 'balloonChange', domain: GUEST, actualKib: 1024n }],
  ])('tells that a guest changed when %s', async (_, event) => {
    session.start();
    await once(session, 'connected');
    const changed = once(session, 'changed');
    // The daemon gives each callback the id of its event.
    daemon.clients[0]?.sendEvent(eventDefinitions[event.type].eventId, event);
    expect(await changed).toEqual([GUEST.uuid]);
  });

  it('does without events that an old daemon does not know', async () => {
    daemon.on(procedures.eventRegister, ({ eventId }) =>
      eventId > 15 && eventId !== 17 && eventId !== 19
        ? new ErrorAnswer({ code: 8, message: `eventID in must be less than 16` })
        : eventId,
    );
    session.start();
    await once(session, 'connected');
    expect(session.current).toBeDefined();
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
