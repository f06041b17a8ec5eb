/**
 * The machine behind the lab's uplink: a TCP sink on port 9 (discard, RFC 863) and a source on port
 * 19 (after RFC 864), which sends zeros at the rate the client names in its first line, in KiB/s
 * (0: as fast as it goes).
 * Usage: peer-service.ts ADDRESS
 */
import { createServer, type Socket } from 'node:net';

const address = process.argv[2];
if (address === undefined) throw new Error('usage: peer-service.ts ADDRESS');

const TICK_MS = 100;
const BLOCK = Buffer.alloc(64 * 1024);

createServer((socket) => {
  socket.on('error', () => undefined);
  socket.resume();
}).listen(9, address);

createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => undefined);
  socket.once('data', (line: Buffer) => {
    const kibPerSecond = Number(line.toString());
    if (kibPerSecond === 0) sendFast(socket);
    else sendAt(socket, (kibPerSecond * 1024 * TICK_MS) / 1000);
  });
}).listen(19, address, () => {
  process.stdout.write('listening\n');
});

function sendFast(socket: Socket): void {
  const more = () => {
    while (socket.writable && socket.write(BLOCK));
  };
  socket.on('drain', more);
  more();
}

function sendAt(socket: Socket, bytesPerTick: number): void {
  const timer = setInterval(() => {
    // A full buffer means the guest is slower than the wanted rate.
    if (!socket.writableNeedDrain) socket.write(Buffer.alloc(bytesPerTick));
  }, TICK_MS);
  socket.on('close', () => {
    clearInterval(timer);
  });
}
