import type { RequestListener, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import express, { type ErrorRequestHandler } from 'express';

import type { Config } from '../config/flags.ts';
import type { Logger } from '../config/logger.ts';
import type { Format } from '../exposition/format.ts';
import { negotiateEncoding, negotiateFormat } from '../exposition/negotiate.ts';
import { writeForeign } from '../exposition/prom-client.ts';
import { bodyStream, render, type RenderResult } from '../exposition/render.ts';
import type { ExpositionWriter } from '../exposition/writer.ts';
import { writeCatalogue } from '../metrics/catalogue.ts';
import type { View } from '../view/view.ts';
import type { Connections } from './connections.ts';
import { answerFault, Guard, type Asked, type GuardedRoute } from './guard.ts';
import { HostNames } from './host-names.ts';
import { plain } from './plain-answer.ts';
import { PageViews, type PageLook } from './page-views.ts';
import type { RefusalLog } from './refusal-log.ts';
import { parseScrape, type ScrapeLimits } from './scrape-request.ts';
import type { Scraper } from './scraper.ts';
import { SelfMetrics } from './self-metrics.ts';
import { SharedBody, type BodyReader } from './shared-body.ts';
import type { WebAccess } from './web-access.ts';

export interface AppOptions {
  readonly web: Pick<
    Config['web'],
    'telemetryPath' | 'maxRequests' | 'exporterMetrics' | 'allowedHosts'
  >;
  readonly limits: ScrapeLimits;
  readonly scraper: Scraper;
  readonly access: WebAccess;
  readonly connections: Connections;
  readonly refusals: RefusalLog;
  readonly logger: Logger;
  /** For how long a look at the host is shown to all who open the page; 0: each gets a new one. */
  readonly lookSeconds?: number;
  /** Log lines that were lost so far. */
  readonly droppedLogLines: () => number;
  /** False while the exporter is starting or stopping. */
  readonly isReady: () => boolean;
}

/** A path, or a pattern without groups: express would decode what they match, and not all can be. */
type Route = readonly [path: string | RegExp, route: GuardedRoute];

/** Sending may take as long again as the scrape itself. */
const ANSWER_PER_SCRAPE = 2;

/** The HTTP side: metrics, health checks, and the page for people. Everything else is 404. */
export function createApp(options: AppOptions): RequestListener {
  const { web, limits, refusals } = options;
  const guard = new Guard({
    access: options.access,
    hosts: new HostNames(web.allowedHosts),
    connections: options.connections,
    maxRequests: web.maxRequests,
    answerSeconds: limits.timeoutSeconds * ANSWER_PER_SCRAPE,
    refusals,
  });
  const self = new SelfMetrics({
    underWay: () => guard.places.taken,
    droppedLogLines: options.droppedLogLines,
  });
  const bodies = new MetricsBodies();
  const routes: readonly Route[] = [
    // First, so that nothing takes its place where the metrics are asked for at `/`.
    [web.telemetryPath, metricsRoute(bodies, self, options)],
    [
      '/-/healthy',
      {
        anyHost: true,
        withoutPlace: true,
        answer: (_asked, response) => {
          plain(response, 200, 'Healthy.');
        },
      },
    ],
    [
      '/-/ready',
      {
        anyHost: true,
        withoutPlace: true,
        answer: (_asked, response) => {
          if (options.isReady()) plain(response, 200, 'Ready.');
          else plain(response, 503, 'Not ready.');
        },
      },
    ],
    ...viewRoutes(options),
  ];
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  for (const [path, route] of routes) app.all(path, guard.around(route));
  app.use(
    guard.around({
      withoutPlace: true,
      answer: (_asked, response) => {
        plain(response, 404, 'Not found.');
      },
    }),
  );
  app.use(lastResort(refusals));
  return guard.entrance(app);
}

/** In the place of express' own, which shows stacks. */
function lastResort(refusals: RefusalLog): ErrorRequestHandler {
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- express knows them by four parameters
  return (error, request, response, _next) => {
    refusals.fault('an answer failed', error);
    answerFault(request, response);
  };
}

/** The bodies being made of each view, by what they are. */
class MetricsBodies {
  readonly #bodies = new WeakMap<View, Map<string, SharedBody>>();

  /** A body of that kind: one that is being made, or else a new one. */
  open(view: View, kind: string, make: () => AsyncIterable<Buffer, unknown, void>): BodyReader {
    const bodies = this.#bodies.get(view) ?? new Map<string, SharedBody>();
    this.#bodies.set(view, bodies);
    let body = bodies.get(kind);
    if (body?.joinable !== true) {
      body = new SharedBody(make());
      bodies.set(kind, body);
    }
    return body.open();
  }
}

function metricsRoute(bodies: MetricsBodies, self: SelfMetrics, options: AppOptions): GuardedRoute {
  const { limits, scraper, logger, web } = options;
  const answer = async (asked: Asked, response: ServerResponse): Promise<void> => {
    const timeout = asked.headers['x-prometheus-scrape-timeout-seconds'];
    const scrape = parseScrape(asked.query, timeout?.toString(), limits);
    if (!scrape.ok) {
      plain(response, 400, scrape.error);
      return;
    }
    const { format, contentType } = negotiateFormat(asked.headers.accept);
    const encoding = negotiateEncoding(asked.headers['accept-encoding']?.toString());
    const headers = {
      'Content-Type': contentType,
      ...NOSNIFF,
      Vary: 'Accept, Accept-Encoding',
      ...(encoding === 'gzip' ? { 'Content-Encoding': 'gzip' } : {}),
    };
    if (asked.headOnly) {
      response.writeHead(200, headers).end();
      return;
    }
    const view = await scraper.view(scrape.value, asked.gone);
    const body = bodies.open(view, `${format.name} ${encoding}`, () => {
      const chunks = writeMetrics(view, format, web.exporterMetrics ? self : undefined);
      return bodyStream(countingDrops(chunks, self, logger), encoding);
    });
    await send(body, response, headers, asked.gone);
  };
  return {
    anyHost: true,
    answered: (status) => {
      self.requests.inc({ code: status });
    },
    answer,
  };
}

/** What is the same for all who look within so many seconds. */
const LOOK_SECONDS = 10;
/** The script has another name when it changes. */
const FOREVER = 'private, max-age=31536000, immutable';
const NOSNIFF = { 'X-Content-Type-Options': 'nosniff' };

/** For people and their scripts. The code is loaded when somebody looks: Prometheus never does. */
function viewRoutes(options: AppOptions): readonly Route[] {
  const { limits, scraper, web, lookSeconds = LOOK_SECONDS } = options;
  const request = {
    collectors: limits.enabled,
    timeoutSeconds: limits.timeoutSeconds - limits.timeoutOffsetSeconds,
  };
  const views = new PageViews(scraper, request, lookSeconds);
  /** Sends what `find` finds in a look; undefined: there is no such thing. */
  const answer = async (
    asked: Asked,
    response: ServerResponse,
    headers: Readonly<Record<string, string>>,
    find: (
      look: PageLook,
    ) => Promise<{ readonly kind: string; readonly make: () => string } | undefined>,
    { mayBeMissing = false } = {},
  ): Promise<void> => {
    const encoding = negotiateEncoding(asked.headers['accept-encoding']?.toString());
    const all = {
      ...headers,
      ...NOSNIFF,
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'no-referrer',
      Vary: 'Accept-Encoding',
      ...(encoding === 'gzip' ? { 'Content-Encoding': 'gzip' } : {}),
    };
    if (asked.headOnly && !mayBeMissing) {
      response.writeHead(200, all).end();
      return;
    }
    const look = await views.look(asked.gone);
    const found = await find(look);
    if (found === undefined) {
      plain(response, 404, 'Not found.');
      return;
    }
    if (asked.headOnly) {
      response.writeHead(200, all).end();
      return;
    }
    const body = await look.bodies.get(found.kind, encoding, found.make);
    asked.gone.throwIfAborted();
    response.writeHead(200, { ...all, 'Content-Length': String(body.length) });
    await pipeline(Readable.from([body], { objectMode: false }), response, { signal: asked.gone });
  };
  const page = async (): Promise<Readonly<Record<string, string>>> => {
    const { PAGE_SECURITY_POLICY } = await import('../page/html/security-policy.ts');
    return {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': PAGE_SECURITY_POLICY,
    };
  };
  const json: GuardedRoute = {
    answer: (asked, response) =>
      answer(
        asked,
        response,
        {
          'Content-Type': 'application/json',
          'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
        },
        async ({ facts }) => {
          const { hostJson } = await import('../page/json/host-json.ts');
          return { kind: 'json', make: () => hostJson(facts) };
        },
      ),
  };
  if (web.telemetryPath === '/') return [[API_PATH, json]];
  const hostPage: GuardedRoute = {
    answer: async (asked, response) => {
      await answer(asked, response, await page(), async ({ facts }) => {
        const { pageHtml } = await import('../page/html/page.ts');
        const { listQuery, parseListRequest } = await import('../page/html/list-request.ts');
        const list = parseListRequest(asked.query);
        const make = (): string => pageHtml(facts, web.telemetryPath, list);
        return { kind: `page ${listQuery(list)}`, make };
      });
    },
  };
  const guestPage: GuardedRoute = {
    answer: async (asked, response) => {
      const find = async ({ view, recently, facts }: PageLook) => {
        const { guestFacts } = await import('../page/facts/guest-facts.ts');
        const { guestHtml } = await import('../page/html/guest-page.ts');
        const segment = asked.path.slice(GUEST_PATH.length);
        const guest = guestFacts(view, recently, facts, segment);
        if (guest === undefined) return undefined;
        const make = (): string => guestHtml(guest, facts, web.telemetryPath);
        return { kind: `guest ${guest.row.uuid}`, make };
      };
      await answer(asked, response, await page(), find, { mayBeMissing: true });
    },
  };
  const script: GuardedRoute = {
    withoutPlace: true,
    answer: async (asked, response) => {
      const { REFRESH_SCRIPT, SCRIPT_PATH } = await import('../page/html/refresh-script.ts');
      if (asked.path !== SCRIPT_PATH) {
        plain(response, 404, 'Not found.');
        return;
      }
      response.writeHead(200, {
        ...NOSNIFF,
        'Content-Type': 'text/javascript; charset=utf-8',
        'Cache-Control': FOREVER,
      });
      response.end(asked.headOnly ? undefined : REFRESH_SCRIPT);
    },
  };
  return [
    [API_PATH, json],
    ['/', hostPage],
    [/^\/guest\/[^/]+$/, guestPage],
    [/^\/-\/page-[0-9a-f]+\.js$/, script],
  ];
}

const API_PATH = '/api/v1/host';
const GUEST_PATH = '/guest/';

/** Waits for the first chunk, so that what cannot be made at all gets an answer that says so. */
async function send(
  body: BodyReader,
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
  gone: AbortSignal,
): Promise<void> {
  try {
    const first = await body.next();
    gone.throwIfAborted();
    response.writeHead(200, headers);
    const chunks = Readable.from(startingWith(first, body), { objectMode: false });
    await pipeline(chunks, response, { signal: gone });
  } finally {
    await body.return();
  }
}

async function* startingWith(
  first: IteratorResult<Buffer, undefined>,
  rest: BodyReader,
): AsyncGenerator<Buffer, void, void> {
  if (first.done === true) return;
  yield first.value;
  yield* rest;
}

async function* writeMetrics(
  view: View,
  format: Format,
  self: SelfMetrics | undefined,
): AsyncGenerator<Buffer, RenderResult, void> {
  const own = self === undefined ? [] : await self.read();
  return yield* render(function* (writer: ExpositionWriter) {
    yield* writeCatalogue(view, writer);
    yield* writeForeign(writer, own);
  }, format);
}

/** Passes the chunks on and notes at the end whether a series came twice. */
async function* countingDrops(
  chunks: AsyncGenerator<Buffer, RenderResult, void>,
  self: SelfMetrics,
  logger: Logger,
): AsyncGenerator<Buffer, void, void> {
  const { dropped } = yield* chunks;
  if (dropped === 0) return;
  self.droppedSamples.inc(dropped);
  logger.warn('duplicate series dropped', { samples: dropped });
}
