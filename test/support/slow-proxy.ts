import { rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';

/** A socket that stands between clients and a daemon. */
export interface SlowProxy extends AsyncDisposable {
  readonly path: string;
  /** Clients connected now. */
  readonly clients: number;
  /** From now on the daemon's bytes arrive so much later. */
  delay(milliseconds: number): void;
}

/** Passes on what clients say at once, and what the daemon says in order and after a delay. */
export async function slowProxy(path: string, daemon: string): Promise<SlowProxy> {
  let delayMs = 0;
  const sockets = new Set<Socket>();
  let clients = 0;
  const server = createServer((client) => {
    const upstream = connect(daemon);
    clients += 1;
    client.on('close', () => (clients -= 1));
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream);
    let notBefore = 0;
    upstream.on('data', (data: Buffer) => {
      // A delay that is taken away must not let later bytes overtake.
      notBefore = Math.max(notBefore, performance.now() + delayMs);
      setTimeout(() => client.write(data), Math.max(0, notBefore - performance.now()));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  return {
    path,
    get clients() {
      return clients;
    },
    delay: (milliseconds) => {
      delayMs = milliseconds;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(path, { force: true });
    },
  };
}
