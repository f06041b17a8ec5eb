import { createServer, type Server, type Socket } from 'node:net';

/** Requests that want an answer (QEMU docs/interop/vhost-user). */
const GET_FEATURES = 1;
const GET_VRING_BASE = 11;
const HEADER_BYTES = 12;
const VERSION_AND_REPLY = 0b101;
const VIRTIO_F_VERSION_1 = 1n << 32n;

/**
 * Listens for QEMUs and says what it takes for a vhost-user NIC to be there. Moves no packet: for
 * guests that never start their driver.
 */
export async function vhostUserBackend(path: string): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let pending: Buffer = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (data: Buffer) => {
      pending = Buffer.concat([pending, data]);
      while (pending.length >= HEADER_BYTES) {
        const end = HEADER_BYTES + pending.readUInt32LE(8);
        if (pending.length < end) break;
        answer(socket, pending.readUInt32LE(0), pending.subarray(HEADER_BYTES, end));
        pending = pending.subarray(end);
      }
    });
  });
  await listening(server, path);
  return {
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(socket: Socket, request: number, body: Buffer): void {
  if (request === GET_FEATURES) {
    const features = Buffer.alloc(8);
    features.writeBigUInt64LE(VIRTIO_F_VERSION_1);
    reply(socket, request, features);
  } else if (request === GET_VRING_BASE) {
    reply(socket, request, Buffer.concat([body.subarray(0, 4), Buffer.alloc(4)]));
  }
}

function reply(socket: Socket, request: number, body: Buffer): void {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(request, 0);
  header.writeUInt32LE(VERSION_AND_REPLY, 4);
  header.writeUInt32LE(body.length, 8);
  socket.write(Buffer.concat([header, body]));
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}
