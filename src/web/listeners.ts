import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';

import type { ListenAddress } from '../config/listen-address.ts';
import { StartError } from '../config/start-error.ts';
import type { TlsConfig } from '../config/web-config.ts';
import { refuseClients, tlsOptions } from './tls.ts';

/** The sockets of the HTTP side, with the same content on each. */
export class Listeners {
  readonly #servers: Server[] = [];
  readonly #tlsServers: TlsServer[] = [];

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
  ): Promise<Listeners> {
    const listeners = new Listeners();
    try {
      for (const address of addresses) await listen(listeners.#add(tls, handler), address);
    } catch (error) {
      listeners.close();
      throw new StartError(error instanceof Error ? error.message : String(error));
    }
    return listeners;
  }

  /** Where they listen, with the port the kernel chose. */
  get addresses(): readonly string[] {
    return this.#servers.map(addressOf);
  }

  /** Takes other certificates for connections to come. */
  renew(tls: TlsConfig): void {
    for (const server of this.#tlsServers) server.setSecureContext(tlsOptions(tls));
  }

  /** Takes no new connection; requests under way are answered. */
  close(): void {
    for (const server of this.#servers) {
      server.close();
      server.closeIdleConnections();
    }
  }

  #add(tls: TlsConfig | undefined, handler: RequestListener): Server {
    if (tls === undefined) {
      const server = createServer(handler);
      this.#servers.push(server);
      return server;
    }
    const server = createTlsServer(tlsOptions(tls), handler);
    refuseClients(server, tls.clientAuth);
    this.#servers.push(server);
    this.#tlsServers.push(server);
    return server;
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

function addressOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') return String(address);
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `${host}:${address.port}`;
}
