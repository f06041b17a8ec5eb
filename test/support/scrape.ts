import { isDeepStrictEqual } from 'node:util';

import { eventually } from '../../lab/polling.ts';
import { get } from './http.ts';
import { Exposition } from './prometheus-text.ts';

/** An exporter, if possible with what it logged. */
export interface Target {
  readonly url: string;
  readonly process?: { output(): string };
}

/**
 * Scrapes an exporter as Prometheus would with this timeout.
 *
 * @throws Error unless it says 200, and in time.
 */
export async function scrape(
  exporter: Target,
  options: { readonly timeoutSeconds?: number; readonly query?: string } = {},
): Promise<Exposition> {
  const { timeoutSeconds = 10, query = '' } = options;
  const { status, body, milliseconds } = await get(`${exporter.url}/metrics${query}`, {
    'X-Prometheus-Scrape-Timeout-Seconds': String(timeoutSeconds),
  });
  const log = () => exporter.process?.output().slice(-4000) ?? '';
  if (status !== 200) throw new Error(`/metrics: ${status}: ${body.toString()}\n${log()}`);
  if (milliseconds >= timeoutSeconds * 1000) {
    throw new Error(`/metrics took ${milliseconds} ms of ${timeoutSeconds} s\n${log()}`);
  }
  return Exposition.parse(body.toString());
}

/** A value that was read three times: by us, by the exporter, and by us again. */
export interface Bracketed<Reading> {
  readonly before: Reading;
  readonly scraped: Exposition;
  readonly after: Reading;
}

/**
 * Scrapes between two independent readings: of a counter the scraped value must lie between them,
 * however busy the machine is.
 */
export async function bracket<Reading>(
  exporter: Target,
  read: () => Reading | Promise<Reading>,
): Promise<Bracketed<Reading>> {
  const before = await read();
  const scraped = await scrape(exporter);
  return { before, scraped, after: await read() };
}

/**
 * Scrapes until two equal independent readings enclose a scrape: what it says of a quantity that
 * goes up and down must then be exactly the reading.
 */
export async function scrapeWhileSteady<Reading>(
  exporter: Target,
  read: () => Reading | Promise<Reading>,
): Promise<{ readonly reading: Reading; readonly scraped: Exposition }> {
  let last: Bracketed<Reading> | undefined;
  return eventually(
    'a scrape between two equal readings',
    60_000,
    async () => {
      last = await bracket(exporter, read);
      const { before, scraped, after } = last;
      return isDeepStrictEqual(before, after) && { reading: before, scraped };
    },
    () => JSON.stringify([last?.before, last?.after]),
  );
}
