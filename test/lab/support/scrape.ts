import { get } from './http.ts';
import { Exposition } from './prometheus-text.ts';

/** Scrapes an exporter as Prometheus would with this timeout. @throws Error unless it says 200. */
export async function scrape(
  exporter: { readonly url: string },
  options: { readonly timeoutSeconds?: number; readonly query?: string } = {},
): Promise<Exposition> {
  const headers = {
    'X-Prometheus-Scrape-Timeout-Seconds': String(options.timeoutSeconds ?? 10),
  };
  const { status, body } = await get(`${exporter.url}/metrics${options.query ?? ''}`, headers);
  if (status !== 200) throw new Error(`/metrics: ${status}: ${body.toString()}`);
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
  exporter: { readonly url: string },
  read: () => Reading | Promise<Reading>,
): Promise<Bracketed<Reading>> {
  const before = await read();
  const scraped = await scrape(exporter);
  return { before, scraped, after: await read() };
}
