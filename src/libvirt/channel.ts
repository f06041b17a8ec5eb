import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

import { ClosedError, LibvirtError, ProtocolError, RpcError } from './errors.ts';
import { Keepalive, type KeepaliveOptions } from './keepalive.ts';
import {
  encodeMessage,
  KEEPALIVE_PROGRAM,
  keepaliveProcedures,
  MAX_PAYLOAD_BYTES,
  MessageSplitter,
  messageStatus,
  messageTypes,
  PROGRAM_VERSION,
  REMOTE_PROGRAM,
  type Message,
  type MessageHeader,
} from './message.ts';
import { PendingCalls, type CallOptions, type LateReply } from './pending-calls.ts';
import type { Procedure } from './procedures.ts';
import { rpcError } from './structures.ts';
import { decode, encode } from './xdr.ts';

export interface ChannelOptions {
  /**
   * How many calls may be with the daemon at once. libvirtd reads nothing more from a client that
   * has `max_client_requests` (5 by default) calls in progress, not even keepalive pings, so 4 is
   * the highest value that leaves the connection responsive.
   */
  readonly window: number;
  /** Deadline of calls that do not set their own. */
  readonly deadlineMs: number;
}

/**
 * A daemon that has not read so much of what was sent to it does not read at all: calls wait for
 * their turn before they are written, and are small.
 */
const MAX_UNSENT_BYTES = 8 * 1024 * 1024;

/** Longest payload of an event; the daemon's own are a few hundred bytes. */
const MAX_EVENT_BYTES = 1024 * 1024;

/** Messages in one piece of input after which everybody else has a turn before the next piece. */
const MESSAGES_PER_TURN = 64;

interface ChannelEvents {
  /** Once, with the reason: a ClosedError, or a ProtocolError when the peer sent nonsense. */
  close: [error: LibvirtError];
  /** An event message of the remote program. */
  event: [procedure: number, payload: Buffer];
  lateReply: [reply: LateReply];
}

/**
 * One connected socket speaking libvirt RPC: frames, serial numbers, deadlines, call slots and
 * keepalive. It knows procedures only as numbers with codecs.
 */
export class RpcChannel extends EventEmitter<ChannelEvents> {
  readonly #socket: Socket;
  readonly #options: ChannelOptions;
  readonly #calls: PendingCalls;
  readonly #splitter = new MessageSplitter((header, payloadBytes) => {
    this.#expect(header, payloadBytes);
  });
  readonly #socketClosed: Promise<void>;
  #keepalive: Keepalive | undefined;
  #closeReason: LibvirtError | undefined;

  /** Takes over a connected socket. */
  constructor(socket: Socket, options: ChannelOptions) {
    super();
    this.#socket = socket;
    this.#options = options;
    this.#calls = new PendingCalls(options.window, (procedure, serial, payload) => {
      this.#write(REMOTE_PROGRAM, procedure, messageTypes.call, serial, payload);
    });
    this.#socketClosed = new Promise((resolve) => {
      socket.once('close', () => {
        resolve();
      });
    });
    socket.on('data', (chunk: Buffer) => {
      this.#receive(chunk);
    });
    socket.on('error', (cause) => {
      this.destroy(new ClosedError(`libvirt connection failed: ${cause.message}`, { cause }));
    });
    socket.on('close', () => {
      this.destroy(
        new ClosedError(`the libvirt daemon closed the connection${this.#midMessage()}`),
      );
    });
  }

  /** Why the channel is closed; undefined while it is open. */
  get closeReason(): LibvirtError | undefined {
    return this.#closeReason;
  }

  /** The book-keeping of this channel's calls. */
  get calls(): Pick<
    PendingCalls,
    'outstanding' | 'overdue' | 'queued' | 'lateReplies' | 'isOutstanding'
  > {
    return this.#calls;
  }

  /**
   * Calls a procedure. Rejects with RpcError (the daemon's answer), CallTimeoutError,
   * CallAbortedError, ClosedError or ProtocolError; after the last two the channel is closed.
   */
  async call<Args, Result>(
    procedure: Procedure<Args, Result>,
    args: Args,
    options: CallOptions = {},
  ): Promise<Result> {
    return this.callWith(procedure, args, (reply) => decode(procedure.result, reply), options);
  }

  /** As {@link call}, with another decoder for the reply, which may take its time. */
  async callWith<Args, Result>(
    procedure: Pick<Procedure<Args, unknown>, 'number' | 'args'>,
    args: Args,
    decodeReply: (reply: Buffer) => Result | Promise<Result>,
    options: CallOptions = {},
  ): Promise<Result> {
    const payload = encode(procedure.args, args);
    if (payload.length > MAX_PAYLOAD_BYTES) {
      throw new RangeError(`arguments of ${payload.length} bytes do not fit in a message`);
    }
    const deadlineMs = options.deadlineMs ?? this.#options.deadlineMs;
    const reply = await this.#calls.start(procedure.number, payload, options, deadlineMs);
    try {
      return await decodeReply(reply);
    } catch (error) {
      if (error instanceof ProtocolError) this.destroy(error);
      throw error;
    }
  }

  /** Starts pinging the daemon; only after it said that it knows the keepalive program. */
  startKeepalive(options: KeepaliveOptions): void {
    if (this.#closeReason !== undefined || this.#keepalive !== undefined) return;
    const ping = () => {
      this.#writeKeepalive(keepaliveProcedures.ping);
    };
    this.#keepalive = new Keepalive(options, ping, () => {
      const silentMs = options.intervalMs * options.count;
      this.destroy(new ClosedError(`the libvirt daemon did not answer for ${silentMs} ms`));
    });
  }

  /** Closes at once: unfinished calls reject with `reason`. Does nothing when already closed. */
  destroy(reason: LibvirtError): void {
    if (this.#closeReason !== undefined) return;
    this.#closeReason = reason;
    this.#keepalive?.stop();
    this.#socket.destroy();
    this.#calls.fail(reason);
    this.emit('close', reason);
  }

  /** Resolves when the socket's handle is gone. */
  async closed(): Promise<void> {
    await this.#socketClosed;
  }

  #receive(chunk: Buffer): void {
    this.#keepalive?.heard();
    let messages = 0;
    try {
      for (const message of this.#splitter.push(chunk)) {
        if (this.#closeReason !== undefined) return;
        this.#dispatch(message);
        messages += 1;
      }
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      this.destroy(error);
      return;
    }
    if (messages < MESSAGES_PER_TURN) return;
    // A flood: without this, libuv would read on for megabytes before anything else runs.
    this.#socket.pause();
    setImmediate(() => {
      this.#socket.resume();
    });
  }

  /** Refuses what nobody waits for before it is received, let alone kept. */
  #expect(header: MessageHeader, payloadBytes: number): void {
    if (header.program === KEEPALIVE_PROGRAM || header.type === messageTypes.event) {
      if (payloadBytes > MAX_EVENT_BYTES) {
        throw new ProtocolError(`event message of ${payloadBytes} bytes`);
      }
    } else if (header.type === messageTypes.reply && !this.#calls.isSent(header.serial)) {
      throw unexpected(header);
    }
  }

  #dispatch(message: Message): void {
    const { program, version, procedure, type } = message.header;
    if (program === KEEPALIVE_PROGRAM) {
      if (procedure === keepaliveProcedures.ping) this.#writeKeepalive(keepaliveProcedures.pong);
      else if (procedure !== keepaliveProcedures.pong) throw unexpected(message.header);
      return;
    }
    if (program !== REMOTE_PROGRAM || version !== PROGRAM_VERSION) throw unexpected(message.header);
    if (type === messageTypes.reply) this.#settle(message);
    else if (type === messageTypes.event) this.emit('event', procedure, message.payload);
    else throw unexpected(message.header);
  }

  #settle(message: Message): void {
    const { serial, procedure, status } = message.header;
    if (status !== messageStatus.ok && status !== messageStatus.error)
      throw unexpected(message.header);
    const outcome =
      status === messageStatus.ok
        ? { payload: message.payload }
        : { error: new RpcError(decode(rpcError, message.payload), procedure) };
    const settled = this.#calls.settle(serial, procedure, outcome);
    if (settled === 'unknown') throw unexpected(message.header);
    if (settled !== 'settled') this.emit('lateReply', settled);
  }

  #write(program: number, procedure: number, type: number, serial: number, payload: Uint8Array) {
    const status = messageStatus.ok;
    const header = { program, version: PROGRAM_VERSION, procedure, type, serial, status };
    this.#socket.write(encodeMessage(header, payload));
    const unsent = this.#socket.writableLength;
    if (unsent <= MAX_UNSENT_BYTES) return;
    const detail = `${unsent} bytes wait to be sent; is it stopped?`;
    this.destroy(new ClosedError(`the libvirt daemon does not read what it is sent: ${detail}`));
  }

  /** Left out while something waits to be sent: whoever reads that knows that we live. */
  #writeKeepalive(procedure: number): void {
    if (this.#socket.writableLength > 0) return;
    this.#write(KEEPALIVE_PROGRAM, procedure, messageTypes.event, 0, new Uint8Array(0));
  }

  #midMessage(): string {
    const { buffered, expected } = this.#splitter;
    if (buffered === 0) return '';
    return ` in the middle of a message (${buffered} of ${expected ?? 'unknown'} bytes)`;
  }
}

function unexpected(header: MessageHeader): ProtocolError {
  const { program, version, procedure, type, serial, status } = header;
  return new ProtocolError(
    `unexpected message: program 0x${program.toString(16)} version ${version} ` +
      `procedure ${procedure} type ${type} serial ${serial} status ${status}`,
  );
}
