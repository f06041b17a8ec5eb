import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  decode,
  encode,
  encodeMessage,
  eventDefinitions,
  eventMessage,
  KEEPALIVE_PROGRAM,
  keepaliveProcedures,
  MessageSplitter,
  messageStatus,
  messageTypes,
  procedures,
  PROGRAM_VERSION,
  REMOTE_PROGRAM,
  rpcError,
  type DomainEvent,
  type Message,
  type Procedure,
  type RpcErrorFields,
} from '../../../src/libvirt/index.ts';

const SOCKET = 'libvirt-sock-ro';

/** An answer made of ready bytes: prepared once for benchmarks, or wrong on purpose. */
export class RawPayload {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
}

/** An error reply; the fields not given are those of a plain internal error. */
export class ErrorAnswer {
  readonly fields: RpcErrorFields;

  constructor(fields: Partial<RpcErrorFields>) {
    this.fields = {
      code: 1,
      domain: 10,
      message: undefined,
      level: 2,
      str1: undefined,
      str2: undefined,
      str3: undefined,
      int1: 0,
      int2: 0,
      ...fields,
    };
  }
}

/** The daemon has the call and does not answer; the test may answer later by itself. */
export const silence = Symbol('silence');

export type Answer<Result> = Result | RawPayload | ErrorAnswer | typeof silence;

/** One call as it came in. */
export interface ReceivedCall {
  readonly procedure: number;
  readonly serial: number;
  readonly client: FakeClient;
}

type RawHandler = (payload: Buffer, call: ReceivedCall) => Promise<Answer<never>> | Answer<never>;

/** One connection as the daemon sees it. */
export class FakeClient {
  /** Keepalive messages received from the client. */
  pings = 0;
  pongs = 0;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Sends bytes as they are. */
  sendBytes(bytes: Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  /** Sends the reply to a call with a ready payload. */
  reply(call: ReceivedCall, payload: Uint8Array): void {
    this.sendBytes(encodeReply(call, messageStatus.ok, payload));
  }

  /** Sends an error reply. */
  replyError(call: ReceivedCall, error: ErrorAnswer): void {
    const payload = encode(rpcError, error.fields);
    this.sendBytes(encodeReply(call, messageStatus.error, payload));
  }

  /** Sends an event to a registered callback. */
  sendEvent(callbackId: number, event: DomainEvent): void {
    const definition = eventDefinitions[event.type];
    const payload = encode(eventMessage(definition), { callbackId, event });
    this.sendBytes(
      encodeMessage(
        {
          program: REMOTE_PROGRAM,
          version: PROGRAM_VERSION,
          procedure: definition.procedure,
          type: messageTypes.event,
          serial: 0,
          status: messageStatus.ok,
        },
        payload,
      ),
    );
  }

  /** Sends a keepalive message. */
  sendKeepalive(procedure: number): void {
    this.sendBytes(
      encodeMessage(
        {
          program: KEEPALIVE_PROGRAM,
          version: PROGRAM_VERSION,
          procedure,
          type: messageTypes.event,
          serial: 0,
          status: messageStatus.ok,
        },
        new Uint8Array(0),
      ),
    );
  }

  /** Cuts the connection as a dying daemon would, after what was sent has left. */
  disconnect(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** The bytes of a reply to a call. */
export function encodeReply(call: ReceivedCall, status: number, payload: Uint8Array): Buffer {
  return encodeMessage(
    {
      program: REMOTE_PROGRAM,
      version: PROGRAM_VERSION,
      procedure: call.procedure,
      type: messageTypes.reply,
      serial: call.serial,
      status,
    },
    payload,
  );
}

/**
 * A libvirt daemon that says what the test tells it to, over a real unix socket. It lets anyone
 * in (no authentication) and knows keepalive; every other procedure needs {@link on}, else it is
 * answered with error 39 as an unknown one.
 *
 *     const daemon = await FakeDaemon.listen();
 *     daemon.on(procedures.getHostname, () => 'host1');
 *     const connection = await openLibvirt({ uri: daemon.uri });
 */
export class FakeDaemon {
  /** Path of the socket. */
  readonly path: string;
  /** Open and closed connections in the order they came. */
  readonly clients: FakeClient[] = [];
  /** Every call in the order it came. */
  readonly calls: ReceivedCall[] = [];
  /** Whether pings of the client are answered. */
  answerPings = true;
  /** What goes when it closes: a directory of its own, or the socket alone. */
  readonly #removed: string;
  readonly #server: Server;
  readonly #handlers = new Map<number, RawHandler>();

  private constructor(directory: string, removed: string) {
    this.#removed = removed;
    this.path = join(directory, SOCKET);
    this.#server = createServer((socket) => {
      this.#accept(socket);
    });
    this.on(procedures.authList, () => [0]);
    this.on(procedures.supportsFeature, () => true);
    this.on(procedures.connectOpen, () => undefined);
    this.on(procedures.connectClose, () => undefined);
  }

  /** @param directory of the socket, for a daemon that comes back where another one was; it stays. */
  static async listen(directory?: string): Promise<FakeDaemon> {
    const own = directory ?? (await mkdtemp(join(tmpdir(), 'fake-libvirt-')));
    const daemon = new FakeDaemon(own, directory === undefined ? own : join(own, SOCKET));
    await rm(daemon.path, { force: true });
    daemon.#server.listen(daemon.path);
    await once(daemon.#server, 'listening');
    return daemon;
  }

  /** URI that leads here. */
  get uri(): string {
    return `qemu+unix:///system?socket=${this.path}`;
  }

  /** Sets what a procedure answers; the last one set counts. */
  on<Args, Result>(
    procedure: Procedure<Args, Result>,
    answer: (args: Args, call: ReceivedCall) => Promise<Answer<Result>> | Answer<Result>,
  ): void {
    this.#handlers.set(procedure.number, async (payload, call) => {
      const result = await answer(decode(procedure.args, payload), call);
      if (result instanceof RawPayload || result instanceof ErrorAnswer) return result;
      return result === silence ? silence : new RawPayload(encode(procedure.result, result));
    });
  }

  /** How often a procedure was called. */
  count(procedure: { readonly number: number }): number {
    return this.calls.filter((call) => call.procedure === procedure.number).length;
  }

  /** Cuts all connections, stops listening, removes the socket. */
  async close(): Promise<void> {
    for (const client of this.clients) client.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    await rm(this.#removed, { recursive: true, force: true });
  }

  #accept(socket: Socket): void {
    const client = new FakeClient(socket);
    this.clients.push(client);
    const splitter = new MessageSplitter();
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      for (const message of splitter.push(chunk)) void this.#receive(client, message);
    });
  }

  async #receive(client: FakeClient, { header, payload }: Message): Promise<void> {
    const { program, procedure, serial } = header;
    if (program === KEEPALIVE_PROGRAM) {
      if (procedure === keepaliveProcedures.pong) client.pongs++;
      if (procedure !== keepaliveProcedures.ping) return;
      client.pings++;
      if (this.answerPings) client.sendKeepalive(keepaliveProcedures.pong);
      return;
    }
    const call: ReceivedCall = { procedure, serial, client };
    this.calls.push(call);
    const handler = this.#handlers.get(procedure);
    const answer =
      handler === undefined
        ? new ErrorAnswer({ code: 39, domain: 7, message: `unknown procedure: ${procedure}` })
        : await handler(payload, call);
    if (answer instanceof RawPayload) client.reply(call, answer.bytes);
    else if (answer instanceof ErrorAnswer) client.replyError(call, answer);
  }
}
