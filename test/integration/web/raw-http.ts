import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection on which a test says what it likes, and which keeps what comes back. */
export class RawConnection implements Disposable {
  readonly socket: Socket;
  received = '';
  readonly closed: Promise<unknown>;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1').on('data', (part: string) => (this.received += part));
    // Being hung up on is what many a test wants to see.
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => socket.once('close', resolve));
  }

  /** @param localAddress of the loopback network, to be another client. */
  static async open(port: number, localAddress = '127.0.0.1'): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  /** The statuses of all answers so far. */
  get statuses(): readonly number[] {
    return [...this.received.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** All that comes back for a text, until the other end hangs up. */
export async function answerTo(port: number, text: string): Promise<RawConnection> {
  const connection = await RawConnection.open(port);
  connection.send(text);
  await connection.closed;
  return connection;
}
