import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

import type { RequestHandler } from 'express';

import { toClient } from './client-address.ts';
import type { Connections, Exchange } from './connections.ts';
import { parseHost, type HostNames } from './host-names.ts';
import { Places } from './places.ts';
import { plain } from './plain-answer.ts';
import type { RefusalLog } from './refusal-log.ts';
import { parseRequestTarget } from './request-target.ts';
import type { WebAccess } from './web-access.ts';

/**
 * What a path answers. Without any of its marks it is asked for a login, answers only under names we
 * are known by, and counts against the limit of requests.
 */
export interface GuardedRoute {
  /** Answers under any name, since what asks it is no browser. */
  readonly anyHost?: true;
  /** Costs next to nothing and is answered when all places are taken: a host's health check. */
  readonly withoutPlace?: true;
  /** Told the status of each answer. */
  readonly answered?: (status: number) => void;
  /** @throws whatever keeps it from an answer; the guard says so and logs it. */
  readonly answer: (asked: Asked, response: ServerResponse) => Promise<void> | void;
}

/** A request that passed the guard. */
export interface Asked {
  /** As it was sent: not decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** True where only the header of the answer is wanted. */
  readonly headOnly: boolean;
  /** When the client went or is to get nothing more: work for it stops. */
  readonly gone: AbortSignal;
}

export interface GuardOptions {
  readonly access: WebAccess;
  readonly hosts: HostNames;
  readonly connections: Connections;
  /** Requests that cost something, at once. */
  readonly maxRequests: number;
  /** Longest from a request to the end of its answer. */
  readonly answerSeconds: number;
  readonly refusals: RefusalLog;
}

/** A request that came in, as far as it is known then. */
interface Entered {
  readonly exchange: Exchange;
  readonly path: string;
  readonly query: string;
  /** The name we were asked by; undefined: none. */
  readonly host: string | undefined;
}

/**
 * The one way in: every request enters through {@link entrance}, and every route is wrapped by
 * {@link around}. Both answer for themselves whatever goes wrong, so that no error reaches express,
 * which would show its stack.
 */
export class Guard {
  readonly places: Places;
  readonly #options: GuardOptions;
  readonly #entered = new WeakMap<IncomingMessage, Entered>();

  constructor(options: GuardOptions) {
    this.#options = options;
    this.places = new Places(options.maxRequests);
  }

  /** Lets through requests that HTTP knows, with a path as their URL. */
  entrance(inside: RequestListener): RequestListener {
    const { access, connections, answerSeconds, refusals } = this.#options;
    return (request, response) => {
      // Node parses on to the end of what it has read from a connection that was closed meanwhile.
      if (request.socket.destroyed) return;
      // Of a client that went while it was written to; nobody is left to tell.
      response.on('error', () => undefined);
      for (const [name, text] of access.config.headers) response.setHeader(name, text);
      const exchange = connections.begin(request, response, answerSeconds * 1000);
      if (exchange === undefined) {
        refusals.report('connection closed: too many requests on it before an answer', {
          client: toClient(request.socket.remoteAddress),
        });
        return;
      }
      const refuse = (status: number, text: string): void => {
        refusals.report('request refused', {
          status,
          reason: text,
          client: toClient(request.socket.remoteAddress),
        });
        // What may still come of its body is not read.
        response.setHeader('Connection', 'close');
        plain(response, status, text);
      };
      const { method } = request;
      if (method !== 'GET' && method !== 'HEAD') {
        response.setHeader('Allow', 'GET, HEAD');
        refuse(405, 'Only GET and HEAD are answered.');
        return;
      }
      const target = parseRequestTarget(request.url ?? '');
      if (target === undefined) {
        refuse(400, 'The request asks for no path.');
        return;
      }
      if (hasBody(request)) {
        refuse(413, 'Requests have no body here.');
        return;
      }
      const host = parseHost(readHosts(request, target.authority));
      if (host.kind === 'malformed') {
        refuse(400, 'The Host header names no host.');
        return;
      }
      this.#entered.set(request, {
        exchange,
        path: target.path,
        query: target.query,
        host: host.kind === 'name' ? host.name : undefined,
      });
      request.url = target.path;
      inside(request, response);
    };
  }

  /** The handler of a route. It settles when the work for the request has ended. */
  around(route: GuardedRoute): RequestHandler {
    return async (request, response) => {
      const { refusals } = this.#options;
      const { answered } = route;
      if (answered !== undefined) {
        response.once('close', () => {
          answered(response.statusCode);
        });
      }
      try {
        await this.#pass(route, request, response);
      } catch (error) {
        const isWanted = this.#entered.get(request)?.exchange.gone.aborted !== true;
        if (isWanted) refusals.fault('an answer failed', error);
        answerFault(request, response);
      }
    };
  }

  async #pass(
    route: GuardedRoute,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const entered = this.#entered.get(request);
    if (entered === undefined) throw new Error('a request came in another way');
    const { exchange, host, path, query } = entered;
    const { access, hosts, refusals, maxRequests } = this.#options;
    const client = toClient(request.socket.remoteAddress);
    const isKnown = host !== undefined && hosts.know(host, request.socket.localAddress);
    if (route.anyHost !== true && !isKnown) {
      refusals.report('request refused', { status: 421, reason: 'another host name', client });
      plain(response, 421, 'Not known by this name; see --web.allowed-host.');
      return;
    }
    const login = await access.check(request.headers.authorization, client, exchange.gone);
    if (login === 'wrong') {
      response.setHeader(
        'WWW-Authenticate',
        'Basic realm="kvm-overcommit-exporter", charset="UTF-8"',
      );
      plain(response, 401, 'Unauthorized.');
      return;
    }
    if (login === 'busy') {
      response.setHeader('Retry-After', '5');
      plain(response, 503, 'Too many logins at once.');
      return;
    }
    const asked: Asked = {
      path,
      query: new URLSearchParams(query),
      headers: request.headers,
      headOnly: request.method === 'HEAD',
      gone: exchange.gone,
    };
    if (route.withoutPlace === true) {
      await route.answer(asked, response);
      return;
    }
    const givenAway = new Error('its place was given to another client');
    const place = this.places.take(client, () => {
      exchange.abandon(givenAway);
    });
    const full = `More than ${maxRequests} requests at once; see --web.max-requests.`;
    if (place === undefined) {
      response.setHeader('Retry-After', '1');
      plain(response, 503, full);
      return;
    }
    try {
      await route.answer(asked, response);
    } catch (error) {
      const isAnswerable = !response.headersSent && !response.destroyed;
      if (exchange.gone.reason !== givenAway || !isAnswerable) throw error;
      response.setHeader('Retry-After', '1');
      plain(response, 503, full);
    } finally {
      place.release();
    }
  }
}

/** Says that there is no answer, or breaks off one that was begun. */
export function answerFault(request: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent || response.destroyed) request.socket.destroy();
  else plain(response, 500, 'The exporter failed to answer; see its log.');
}

/** All `Host` headers: Node keeps the first alone. The target of a request goes before them. */
function readHosts({ rawHeaders }: IncomingMessage, authority: string | undefined): string[] {
  const hosts = rawHeaders.filter(
    (_, at) => rawHeaders[at - 1]?.toLowerCase() === 'host' && at % 2 === 1,
  );
  return authority === undefined || hosts.length > 1 ? hosts : [authority];
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
