import { pipeline } from 'node:stream/promises';

import express, { type Express, type Request, type RequestHandler, type Response } from 'express';

import type { Config } from '../config/flags.ts';
import type { Logger } from '../config/logger.ts';
import { negotiateEncoding, negotiateFormat } from '../exposition/negotiate.ts';
import { readRegistry, writeForeign } from '../exposition/prom-client.ts';
import { bodyStream, render, type RenderResult } from '../exposition/render.ts';
import type { ExpositionWriter } from '../exposition/writer.ts';
import { writeCatalogue } from '../metrics/catalogue.ts';
import { landingPage } from './landing-page.ts';
import { PAGE_SECURITY_POLICY } from './page/security-policy.ts';
import { parseScrape, type ScrapeLimits } from './scrape-request.ts';
import type { Scraper } from './scraper.ts';
import { SelfMetrics } from './self-metrics.ts';

export interface AppOptions {
  readonly web: Pick<Config['web'], 'telemetryPath' | 'maxRequests' | 'exporterMetrics'>;
  readonly limits: ScrapeLimits;
  readonly scraper: Scraper;
  /** Asked before anything else about each request. */
  readonly guard: RequestHandler;
  readonly logger: Logger;
  /** False while the exporter is starting or stopping. */
  readonly isReady: () => boolean;
}

/** The HTTP side: metrics, health checks, and the page for people. Everything else is 404. */
export function createApp(options: AppOptions): Express {
  const self = new SelfMetrics();
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(options.guard);
  app.get(options.web.telemetryPath, (request, response) =>
    serveMetrics(request, response, self, options),
  );
  app.get('/-/healthy', (_request, response) => {
    plain(response, 200, 'Healthy.');
  });
  app.get('/-/ready', (_request, response) => {
    if (options.isReady()) plain(response, 200, 'Ready.');
    else plain(response, 503, 'Not ready.');
  });
  if (options.web.telemetryPath !== '/') {
    app.get('/', (_request, response) => servePage(response, options));
  }
  app.use((_request, response) => {
    plain(response, 404, 'Not found.');
  });
  return app;
}

async function serveMetrics(
  request: Request,
  response: Response,
  self: SelfMetrics,
  options: AppOptions,
): Promise<void> {
  response.once('close', () => {
    self.requests.inc({ code: response.statusCode });
  });
  const query = new URL(request.url, 'http://localhost').searchParams;
  const header = request.get('x-prometheus-scrape-timeout-seconds');
  const scrape = parseScrape(query, header, options.limits);
  if (!scrape.ok) {
    plain(response, 400, scrape.fault);
    return;
  }
  const inFlight = self.beginRequest();
  try {
    const { maxRequests } = options.web;
    if (inFlight > maxRequests) {
      plain(response, 503, `More than ${maxRequests} scrapes at once; see --web.max-requests.`);
      return;
    }
    const view = await options.scraper.view(scrape.request);
    const own = options.web.exporterMetrics ? await readRegistry(self.registry) : [];
    const { format, contentType } = negotiateFormat(request.get('accept'));
    const encoding = negotiateEncoding(request.get('accept-encoding'));
    response.status(200).set({ 'Content-Type': contentType, Vary: 'Accept, Accept-Encoding' });
    if (encoding === 'gzip') response.set('Content-Encoding', 'gzip');
    const chunks = render(function* (writer: ExpositionWriter) {
      yield* writeCatalogue(view, writer);
      yield* writeForeign(writer, own);
    }, format);
    await pipeline(bodyStream(countingDrops(chunks, self, options.logger), encoding), response);
  } catch (error) {
    // A scraper that went away; everything else is a fault of ours.
    if (response.closed) return;
    options.logger.error('scrape failed', {
      error: error instanceof Error ? error : String(error),
    });
    if (response.headersSent) response.destroy();
    else plain(response, 500, 'The scrape failed; see the log of the exporter.');
  } finally {
    self.endRequest();
  }
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
  logger.warn('series came twice and were left out', { samples: dropped });
}

async function servePage(response: Response, options: AppOptions): Promise<void> {
  try {
    const { enabled, timeoutSeconds, timeoutOffsetSeconds } = options.limits;
    const view = await options.scraper.view({
      collectors: enabled,
      timeoutSeconds: timeoutSeconds - timeoutOffsetSeconds,
    });
    response
      .status(200)
      .set({
        'Content-Type': 'text/html; charset=utf-8',
        'Content-Security-Policy': PAGE_SECURITY_POLICY,
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
        'Referrer-Policy': 'no-referrer',
      })
      .end(landingPage(view, options.scraper.recently(view.snapshot), options.web.telemetryPath));
  } catch (error) {
    options.logger.error('page failed', { error: error instanceof Error ? error : String(error) });
    plain(response, 500, 'The page failed; see the log of the exporter.');
  }
}

function plain(response: Response, status: number, text: string): void {
  response
    .status(status)
    .set({ 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' })
    .end(`${text}\n`);
}
