import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';

import type { ListenAddress } from '../config/listen-address.ts';
import { StartError } from '../config/start-error.ts';
import type { TlsConfig } from '../config/web-config.ts';
import type { Connections } from './connections.ts';
import { refuseOtherTalk } from './other-talk.ts';
import type { RefusalLog } from './refusal-log.ts';
import { refuseClients, tlsOptions } from './tls.ts';

/** Longest that a whole request header, or a TLS handshake, may take to arrive. */
const ARRIVAL_MS = 10_000;
/** How often connections are checked for that. */
const LOOK_MS = 2000;
/** Requests on one connection; the client then opens another. Prometheus asks every few seconds. */
const MAX_REQUESTS_PER_CONNECTION = 100;

/** The sockets of the HTTP side, with the same content on each. */
export class Listeners {
  readonly #servers: Server[] = [];
  readonly #tlsServers: TlsServer[] = [];
  readonly #connections: Connections;

  private constructor(connections: Connections) {
    this.#connections = connections;
  }

  /**
   * Listens on every address, or on none.
   *
   * @param tls undefined: plain HTTP.
   * @throws StartError naming the address that is not to be had.
   */
  static async open(
    addresses: readonly ListenAddress[],
    tls: TlsConfig | undefined,
    handler: RequestListener,
    connections: Connections,
    refusals: RefusalLog,
  ): Promise<Listeners> {
    const listeners = new Listeners(connections);
    try {
      for (const address of addresses) {
        await listen(listeners.#add(tls, handler, refusals), address);
      }
    } catch (error) {
      for (const server of listeners.#servers) server.close();
      throw new StartError(error instanceof Error ? error.message : String(error));
    }
    return listeners;
  }

  /** Where they listen, with the port the kernel chose. */
  get addresses(): readonly string[] {
    return this.#servers.map(toAddress);
  }

  /** Takes other certificates for connections to come. */
  renew(tls: TlsConfig): void {
    for (const server of this.#tlsServers) server.setSecureContext(tlsOptions(tls));
  }

  /**
   * Takes no new connection; requests under way are answered, but in no more than this time.
   *
   * @returns when the last connection is closed.
   */
  async close(graceMilliseconds: number): Promise<void> {
    const closed = this.#servers.map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(() => {
            resolve();
          });
        }),
    );
    this.#connections.stop(graceMilliseconds);
    await Promise.all(closed);
  }

  /** Closes every connection at once. */
  hangUp(): void {
    this.#connections.closeAll();
  }

  #add(tls: TlsConfig | undefined, handler: RequestListener, refusals: RefusalLog): Server {
    const limits = {
      headersTimeout: ARRIVAL_MS,
      requestTimeout: ARRIVAL_MS,
      connectionsCheckingInterval: LOOK_MS,
    };
    if (tls === undefined) {
      const server = createServer(limits, handler);
      this.#prepare(server, false, refusals);
      return server;
    }
    const options = { ...tlsOptions(tls), ...limits, handshakeTimeout: ARRIVAL_MS };
    const server = createTlsServer(options, handler);
    refuseClients(server, tls.clientAuth);
    this.#prepare(server, true, refusals);
    this.#tlsServers.push(server);
    return server;
  }

  #prepare(server: Server, isTls: boolean, refusals: RefusalLog): void {
    server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION;
    // Whoever sends more has not heeded the `Connection: close` of the last answer.
    server.on('dropRequest', (_request, socket) => socket.destroy());
    this.#connections.watch(server, isTls);
    refuseOtherTalk(server, this.#connections, refusals);
    this.#servers.push(server);
  }
}

function listen(server: Server, { host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function toAddress(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') return String(address);
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `${host}:${address.port}`;
}
