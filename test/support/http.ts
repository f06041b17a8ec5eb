import { request, type IncomingHttpHeaders } from 'node:http';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As it came over the wire: still compressed if it was. */
  readonly body: Buffer;
  readonly milliseconds: number;
}

/**
 * GET over a connection of its own, closed afterwards, so that a server's open sockets can be
 * counted. Sends no header that is not named.
 */
export function get(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<HttpAnswer> {
  const from = performance.now();
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
          milliseconds: performance.now() - from,
        });
      });
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}
