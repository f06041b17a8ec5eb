import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Unanswered requests on one connection; nobody who scrapes or reads a page sends a second one
 * before the first was answered.
 */
const MAX_PIPELINED = 8;

/** A request from its arrival until it was answered or its client went. */
export interface Exchange {
  /** When its client went, its time was up, or its place was given away. */
  readonly gone: AbortSignal;
  /** Ends the work on it; whoever works on it answers what is still unanswered. */
  readonly abandon: (reason: Error) => void;
}

/**
 * What is under way on which connection. An answer that waits behind another one on its connection
 * hears nothing of the connection's end from Node, so that is kept here.
 */
export class Connections {
  readonly #exchanges = new WeakMap<Socket, Set<AbortController>>();
  readonly #sockets = new Set<Socket>();
  /** Those of them that requests come through: with TLS, not the bare ones below. */
  readonly #channels = new Set<Socket>();
  #stopping = false;

  /** Knows of all connections of a server, also of those that have asked nothing yet. */
  watch(server: Server, isTls: boolean): void {
    server.on('connection', (socket: Socket) => {
      this.#add(this.#sockets, socket);
      if (!isTls) this.#add(this.#channels, socket);
    });
    server.on('secureConnection', (socket: Socket) => {
      this.#add(this.#channels, socket);
    });
  }

  /**
   * @param milliseconds after which the connection is closed, whatever became of the request.
   * @returns undefined where the connection had too many requests already, and is closed.
   */
  begin(
    request: IncomingMessage,
    response: ServerResponse,
    milliseconds: number,
  ): Exchange | undefined {
    const { socket } = request;
    const exchanges = this.#findExchanges(socket);
    if (exchanges.size >= MAX_PIPELINED) {
      socket.destroy();
      return undefined;
    }
    const controller = new AbortController();
    exchanges.add(controller);
    const timer = setTimeout(() => socket.destroy(), milliseconds).unref();
    response.once('close', () => {
      clearTimeout(timer);
      exchanges.delete(controller);
      if (!response.writableFinished) controller.abort();
      if (this.#stopping && exchanges.size === 0) socket.destroySoon();
    });
    if (this.#stopping) response.setHeader('Connection', 'close');
    return {
      gone: controller.signal,
      abandon: (reason) => {
        controller.abort(reason);
      },
    };
  }

  /** Whether an answer is under way on a connection. */
  isBusy(socket: Duplex): boolean {
    return socket instanceof Socket && this.#findExchanges(socket).size > 0;
  }

  /**
   * Closes every connection on which nothing is asked; the others when they were answered, but after
   * this time at the latest.
   */
  stop(graceMilliseconds: number): void {
    this.#stopping = true;
    for (const socket of this.#channels) {
      if (this.#findExchanges(socket).size === 0) socket.destroy();
    }
    setTimeout(() => {
      this.closeAll();
    }, graceMilliseconds).unref();
  }

  closeAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #add(sockets: Set<Socket>, socket: Socket): void {
    if (this.#stopping) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  }

  #findExchanges(socket: Socket): Set<AbortController> {
    let exchanges = this.#exchanges.get(socket);
    if (exchanges === undefined) {
      const begun = new Set<AbortController>();
      exchanges = begun;
      this.#exchanges.set(socket, begun);
      socket.once('close', () => {
        for (const controller of begun) controller.abort();
        begun.clear();
      });
    }
    return exchanges;
  }
}
