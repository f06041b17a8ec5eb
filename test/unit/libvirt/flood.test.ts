import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';

import {
  ClosedError,
  encodeMessage,
  MessageSplitter,
  openLibvirt,
  procedures,
  ProtocolError,
  encode,
  type LibvirtConnection,
} from '../../../src/libvirt/index.ts';
import { closing } from './with-daemon.ts';

const REMOTE = 0x2000_8086;
const KEEPALIVE = 0x6b65_6570;
const MIB = 1024 * 1024;

/**
 * A daemon that lets one client in as any other does and from then on does not read another byte,
 * but writes: the same bytes again and again, as fast as they are taken.
 */
class FloodingDaemon implements AsyncDisposable {
  readonly #directory: string;
  readonly #server = createServer();
  #client: Socket | undefined;
  sentBytes = 0;

  private constructor(directory: string) {
    this.#directory = directory;
    this.#server.on('connection', (socket) => {
      this.#client = socket;
      const splitter = new MessageSplitter();
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        for (const { header } of splitter.push(chunk)) socket.write(answerTo(header));
      });
    });
  }

  static async listen(): Promise<FloodingDaemon> {
    const daemon = new FloodingDaemon(await mkdtemp(join(tmpdir(), 'flood-')));
    daemon.#server.listen(daemon.#path);
    await once(daemon.#server, 'listening');
    return daemon;
  }

  get #path(): string {
    return join(this.#directory, 'libvirt-sock-ro');
  }

  open(): Promise<LibvirtConnection> {
    const uri = `qemu+unix:///system?socket=${this.#path}`;
    return openLibvirt({ uri, keepalive: false });
  }

  stopReading(): void {
    this.#client?.pause().removeAllListeners('data');
  }

  /** Until so many bytes have been taken, or nobody takes more. */
  async flood(bytes: Buffer, total: number): Promise<void> {
    const socket = this.#client;
    if (socket === undefined) throw new Error('nobody is connected');
    const gone = once(socket, 'close');
    while (this.sentBytes < total && !socket.destroyed) {
      this.sentBytes += bytes.length;
      if (!socket.write(bytes)) await Promise.race([drained(socket), gone]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client?.destroy();
    this.#server.close();
    await rm(this.#directory, { recursive: true });
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('drain', resolve);
  });
}

interface Header {
  readonly procedure: number;
  readonly serial: number;
}

function answerTo({ procedure, serial }: Header): Buffer {
  const header = { program: REMOTE, version: 1, procedure, type: 1, serial, status: 0 };
  const payloads = new Map<number, Uint8Array>([
    [procedures.authList.number, encode(procedures.authList.result, [0])],
    [procedures.supportsFeature.number, encode(procedures.supportsFeature.result, true)],
  ]);
  return encodeMessage(header, payloads.get(procedure) ?? new Uint8Array(0));
}

function repeated(message: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => message));
}

const ping = encodeMessage(
  { program: KEEPALIVE, version: 1, procedure: 1, type: 2, serial: 0, status: 0 },
  new Uint8Array(0),
);

function event(payloadBytes: number): Buffer {
  // Procedure 318: a lifecycle event of a callback nobody registered.
  const header = { program: REMOTE, version: 1, procedure: 318, type: 2, serial: 0, status: 0 };
  return encodeMessage(header, new Uint8Array(payloadBytes));
}

/** The most that is resident above the start while something goes on, in bytes. */
async function growthDuring(work: Promise<unknown>): Promise<number> {
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 5);
  await work;
  clearInterval(timer);
  return Math.max(most, process.memoryUsage.rss()) - before;
}

describe('a daemon that floods and never reads', () => {
  it('gets one answer to its pings, not one for each', async () => {
    await using daemon = await FloodingDaemon.listen();
    const connection = await daemon.open();
    daemon.stopReading();
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const growth = await growthDuring(daemon.flood(repeated(ping, 2000), 200 * MIB));
    delay.disable();
    expect(daemon.sentBytes).toBeGreaterThanOrEqual(200 * MIB);
    expect(growth).toBeLessThan(100 * MIB);
    expect(delay.max / 1e6).toBeLessThan(500);
    await connection.close();
  }, 60_000);

  it('is left when it does not read the calls either', async () => {
    await using daemon = await FloodingDaemon.listen();
    const connection = await daemon.open();
    daemon.stopReading();
    const reason = closing(connection);
    const domain = { name: 'x'.repeat(MIB), uuid: '6f2d0b5a-1111-4222-8333-0123456789ab', id: 1 };
    const calls = Array.from({ length: 4 }, () =>
      connection
        .getAllDomainStats(1, 0, [domain, domain, domain, domain], { deadlineMs: 5000 })
        .catch((error: unknown) => error),
    );
    expect(await reason).toBeInstanceOf(ClosedError);
    expect((await reason).message).toContain('does not read');
    expect(await Promise.all(calls)).toEqual(
      Array.from({ length: 4 }, () => connection.closeReason),
    );
  });

  it('is left at an event larger than any', async () => {
    await using daemon = await FloodingDaemon.listen();
    const connection = await daemon.open();
    const reason = closing(connection);
    const growth = await growthDuring(daemon.flood(event(2 * MIB).subarray(0, 100), 1));
    expect(await reason).toBeInstanceOf(ProtocolError);
    expect(growth).toBeLessThan(20 * MIB);
  });

  it('is left at the header of a reply nobody waits for, not after all of it', async () => {
    await using daemon = await FloodingDaemon.listen();
    const connection = await daemon.open();
    const reason = closing(connection);
    const header = { program: REMOTE, version: 1, procedure: 59, type: 1, serial: 99, status: 0 };
    const start = encodeMessage(header, new Uint8Array(30 * MIB)).subarray(0, 28);
    await daemon.flood(start, 1);
    expect(await reason).toBeInstanceOf(ProtocolError);
    expect(daemon.sentBytes).toBe(28);
  });
});

describe('a message that comes in a million pieces', () => {
  it('takes no more than twice its bytes', () => {
    const splitter = new MessageSplitter();
    const bytes = encodeMessage(
      { program: REMOTE, version: 1, procedure: 1, type: 1, serial: 1, status: 0 },
      new Uint8Array(MIB),
    );
    const before = process.memoryUsage().arrayBuffers;
    let messages = 0;
    let most = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      // As a socket gives them: each piece in memory of its own.
      const piece = Buffer.alloc(1, bytes[at]);
      for (const message of splitter.push(piece)) messages += message.payload.length;
      if (at % 65_536 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(messages).toBe(MIB);
    expect(splitter.buffered).toBe(0);
    expect(most).toBeLessThan(32 * MIB);
  });
});
