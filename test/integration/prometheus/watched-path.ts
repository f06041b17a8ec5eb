import { createServer, request, type Server } from 'node:http';
import { gunzipSync } from 'node:zlib';

/** One answer as it passed by. */
export interface Passed {
  readonly contentType: string;
  readonly encoding: string;
  readonly text: string;
}

/**
 * A way to an exporter that keeps the last answer, so that what a server stored can be compared
 * with what it was given. Prometheus 2.42 cannot be told which format to ask for; `accept` makes
 * it ask for another one than it would.
 */
export class WatchedPath implements AsyncDisposable {
  readonly #server: Server;
  #last: Passed | undefined;

  private constructor(target: string, accept: string | undefined) {
    this.#server = createServer((incoming, outgoing) => {
      const headers = { ...incoming.headers, ...(accept === undefined ? {} : { accept }) };
      const upstream = request(`${target}${incoming.url ?? ''}`, { headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => {
          const body = Buffer.concat(chunks);
          const encoding = answer.headers['content-encoding'] ?? 'identity';
          const contentType = answer.headers['content-type'] ?? '';
          const text = (encoding === 'gzip' ? gunzipSync(body) : body).toString();
          this.#last = { contentType, encoding, text };
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers).end(body);
        });
      });
      upstream.on('error', () => {
        outgoing.writeHead(502).end();
      });
      upstream.end();
    });
  }

  static async to(target: string, accept?: string): Promise<WatchedPath> {
    const path = new WatchedPath(target, accept);
    await new Promise<void>((resolve) => path.#server.listen(0, '127.0.0.1', resolve));
    return path;
  }

  /** host:port to scrape. */
  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return `127.0.0.1:${address.port}`;
  }

  /** The last answer. @throws Error when nothing has passed yet. */
  get last(): Passed {
    if (this.#last === undefined) throw new Error('nothing has passed');
    return this.#last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
