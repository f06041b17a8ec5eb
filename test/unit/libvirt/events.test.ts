import { describe, expect, it } from 'vitest';

import {
  encode,
  eventDefinitions,
  lifecycleEvents,
  procedures,
  type DomainEvent,
  type DomainEventType,
  type EventRegisterArgs,
} from '../../../src/libvirt/index.ts';
import { silence } from '../../support/libvirt/fake-daemon.ts';
import { connectTo, fakeDaemon } from './with-daemon.ts';

const web = { name: 'web', uuid: '6695eb01-f6a4-4304-99aa-000000000001', id: 3 };
const stopped: DomainEvent = {
  type: 'lifecycle',
  domain: web,
  event: lifecycleEvents.stopped,
  detail: 5,
};

/** A daemon that registers callbacks with the ids 100, 101, … */
async function eventDaemon() {
  const daemon = await fakeDaemon();
  const registered: EventRegisterArgs[] = [];
  const removed: number[] = [];
  daemon.on(procedures.eventRegister, (args) => 99 + registered.push(args));
  daemon.on(procedures.eventDeregister, (callbackId) => {
    removed.push(callbackId);
    return undefined;
  });
  daemon.on(procedures.getHostname, () => 'host1');
  const connection = await connectTo(daemon);
  return { daemon, connection, registered, removed };
}

describe('domain events', () => {
  it('reach the handler that subscribed to them', async () => {
    const { daemon, connection, registered } = await eventDaemon();
    const seen: DomainEvent[] = [];
    await connection.subscribe('lifecycle', (event) => seen.push(event));
    await connection.subscribe('reboot', () => seen.push({ type: 'reboot', domain: web }), web);
    expect(registered).toEqual([
      { eventId: 0, domain: undefined },
      { eventId: 1, domain: web },
    ]);
    daemon.clients[0]?.sendEvent(100, stopped);
    await connection.getHostname();
    expect(seen).toEqual([stopped]);
  });

  it('have the ids and procedures of libvirt', () => {
    const ids: Record<DomainEventType, [number, number]> = {
      lifecycle: [0, 318],
      reboot: [1, 319],
      ioError: [6, 324],
      balloonChange: [13, 331],
      deviceRemoved: [15, 333],
      diskChange: [9, 327],
      trayChange: [10, 328],
      blockJob: [16, 339],
      agentLifecycle: [18, 348],
      metadataChange: [23, 379],
      memoryDeviceSizeChange: [26, 438],
      tunable: [17, 346],
      deviceAdded: [19, 354],
      blockThreshold: [24, 385],
      memoryFailure: [25, 423],
    };
    for (const [type, { eventId, procedure }] of Object.entries(eventDefinitions)) {
      expect(Object.entries(ids)).toContainEqual([type, [eventId, procedure]]);
    }
  });

  it('that overtake the reply to the subscription are not lost', async () => {
    const { daemon, connection } = await eventDaemon();
    daemon.on(procedures.eventRegister, (_args, call) => {
      call.client.sendEvent(7, stopped);
      call.client.reply(call, encode(procedures.eventRegister.result, 7));
      call.client.sendEvent(7, stopped);
      return silence;
    });
    const seen: DomainEvent[] = [];
    await connection.subscribe('lifecycle', (event) => seen.push(event));
    await connection.getHostname();
    expect(seen).toEqual([stopped, stopped]);
  });

  it('end with the subscription, late ones are dropped', async () => {
    const { daemon, connection, removed } = await eventDaemon();
    const seen: DomainEvent[] = [];
    const unsubscribe = await connection.subscribe('lifecycle', (event) => seen.push(event));
    await unsubscribe();
    await unsubscribe();
    daemon.clients[0]?.sendEvent(100, stopped);
    expect(await connection.getHostname()).toBe('host1');
    expect(seen).toEqual([]);
    expect(removed).toEqual([100]);
  });
});
