import { describe, expect, it } from 'vitest';

import {
  ClosedError,
  encode,
  encodeMessage,
  LibvirtError,
  procedures,
  ProtocolError,
} from '../../../src/libvirt/index.ts';
import {
  encodeReply,
  RawPayload,
  silence,
  type ReceivedCall,
} from '../../support/libvirt/fake-daemon.ts';
import { closing, connectTo, fakeDaemon, rejection } from './with-daemon.ts';

const hostname = encode(procedures.getHostname.result, 'host1');

/** The reply to a call with some header words changed. */
function reply(call: ReceivedCall, changes: Record<string, number>): Buffer {
  const header = { program: 0x20008086, version: 1, type: 1, status: 0 };
  const { procedure, serial } = call;
  return encodeMessage({ ...header, procedure, serial, ...changes }, hostname);
}

const word = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

describe('a peer that does not speak the protocol', () => {
  it.each<[string, (call: ReceivedCall) => Uint8Array]>([
    ['a message that claims more than 32 MiB', () => word(33_554_437)],
    ['a message that claims 3 bytes', () => word(3)],
    ['text', () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['an unknown program', (call) => reply(call, { program: 0x20008087 })],
    ['another version', (call) => reply(call, { version: 2 })],
    ['a reply to another procedure', (call) => reply(call, { procedure: 58 })],
    ['a reply to no call', (call) => reply(call, { serial: 4242 })],
    ['a call', (call) => reply(call, { type: 0 })],
    ['a stream', (call) => reply(call, { type: 3 })],
    ['a status that does not exist', (call) => reply(call, { status: 2 })],
    ['an unknown event', (call) => reply(call, { type: 2, serial: 0, procedure: 999 })],
    ['an event cut off', (call) => reply(call, { type: 2, serial: 0, procedure: 318 })],
    ['an unknown keepalive message', (call) => reply(call, { program: 0x6b656570, procedure: 9 })],
    ['an error reply cut off', (call) => reply(call, { status: 1 })],
    [
      'a result with bytes left over',
      (call) => encodeReply(call, 0, Buffer.concat([hostname, hostname])),
    ],
    ['a result cut off', (call) => encodeReply(call, 0, hostname.subarray(0, 8))],
    ['an empty result', (call) => encodeReply(call, 0, Buffer.alloc(0))],
    ['a string of 4 GiB', (call) => encodeReply(call, 0, word(0xffffffff))],
  ])('and sends %s is hung up on with a ProtocolError', async (_name, bytes) => {
    const daemon = await fakeDaemon();
    daemon.on(procedures.getHostname, (_args, call) => {
      call.client.sendBytes(bytes(call));
      return silence;
    });
    const connection = await connectTo(daemon);
    const closed = closing(connection);
    const error = await rejection(connection.getHostname());
    expect(error).toBeInstanceOf(ProtocolError);
    expect(await closed).toBe(error);
    expect(connection.outstanding).toBe(0);
    expect(await rejection(connection.getUri())).toBe(error);
  });

  it('and sends too many stats records is hung up on with a ProtocolError', async () => {
    const daemon = await fakeDaemon();
    daemon.on(procedures.getAllDomainStats, () => new RawPayload(word(16385)));
    const connection = await connectTo(daemon);
    const error = await rejection(connection.getAllDomainStats(1, 0));
    expect(error).toBeInstanceOf(ProtocolError);
    expect(connection.closeReason).toBe(error);
  });
});

describe('a daemon that dies', () => {
  it('in the middle of a reply: the call rejects and says how far it came', async () => {
    const daemon = await fakeDaemon();
    daemon.on(procedures.getHostname, (_args, call) => {
      call.client.sendBytes(encodeReply(call, 0, hostname).subarray(0, 32));
      call.client.disconnect();
      return silence;
    });
    const connection = await connectTo(daemon);
    const error = await rejection(connection.getHostname());
    expect(error).toBeInstanceOf(ClosedError);
    expect(String(error)).toContain('in the middle of a message (32 of 40 bytes)');
  });

  it('before its reply: all waiting calls reject', async () => {
    const daemon = await fakeDaemon();
    daemon.on(procedures.getUri, () => silence);
    daemon.on(procedures.getHostname, (_args, { client }) => {
      client.destroy();
      return silence;
    });
    const connection = await connectTo(daemon, { window: 2 });
    const errors = await Promise.all([
      rejection(connection.getUri()),
      rejection(connection.getHostname()),
      rejection(connection.getType()),
    ]);
    for (const error of errors) expect(error).toBeInstanceOf(LibvirtError);
    expect(connection.closeReason).toBeInstanceOf(ClosedError);
  });

  it('after a reply: that reply still counts', async () => {
    const daemon = await fakeDaemon();
    daemon.on(procedures.getHostname, (_args, call) => {
      call.client.reply(call, hostname);
      call.client.disconnect();
      return silence;
    });
    const connection = await connectTo(daemon);
    const closed = closing(connection);
    expect(await connection.getHostname()).toBe('host1');
    expect(await closed).toBeInstanceOf(ClosedError);
  });
});
