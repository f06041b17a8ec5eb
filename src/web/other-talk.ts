import { STATUS_CODES, type Server } from 'node:http';
import type { Duplex } from 'node:stream';

import type { Connections } from './connections.ts';
import type { RefusalLog } from './refusal-log.ts';

/** Answers that Node's own parser of requests has a reason for. */
const STATUS_OF_ERROR: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Answers what is no request, or none that becomes one of ours: bad syntax, CONNECT. */
export function refuseOtherTalk(
  server: Server,
  connections: Connections,
  refusals: RefusalLog,
): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // Within another answer this one would be a part of that.
    if (error.code === 'ECONNRESET' || !socket.writable || connections.isBusy(socket)) {
      socket.destroy();
      return;
    }
    const status = STATUS_OF_ERROR[error.code ?? ''] ?? 400;
    refusals.report('connection closed: no sound request', { status, reason: error.code });
    refuse(socket, status);
  });
  server.on('connect', (_request, socket: Duplex) => {
    refusals.report('connection closed: CONNECT');
    refuse(socket, 405, 'Allow: GET, HEAD\r\n');
  });
}

/** Once Node has let go of a connection, its errors are ours to hear. */
function refuse(socket: Duplex, status: number, headers = ''): void {
  socket.on('error', () => undefined);
  const line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  socket.end(`${line}${headers}Connection: close\r\nContent-Length: 0\r\n\r\n`, () => {
    socket.destroy();
  });
}
