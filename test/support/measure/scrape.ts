import { get, type Agent } from 'node:http';
import { gunzipSync } from 'node:zlib';

/** What Prometheus 2.42 sends with each scrape (scrape/scrape.go). */
const PROMETHEUS_HEADERS = {
  Accept:
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,' +
    'text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
  'Accept-Encoding': 'gzip',
} as const;

export interface Scrape {
  /** From the request to the last byte of the answer. */
  readonly seconds: number;
  /** Of the body as sent, i.e. compressed where the exporter compresses. */
  readonly bytesSent: number;
  /** The body, decompressed after the clock was stopped. */
  readonly text: string;
}

/**
 * One scrape as Prometheus does it.
 *
 * @param timeoutSeconds what Prometheus would wait; the answer is waited for however long it takes.
 * @throws Error on another status than 200.
 */
export async function scrape(url: string, agent: Agent, timeoutSeconds = 60): Promise<Scrape> {
  try {
    return await ask(url, agent, timeoutSeconds);
  } catch (error) {
    if (error instanceof StaleConnectionError) return ask(url, agent, timeoutSeconds);
    throw error;
  }
}

/** The kept connection was closed at the moment it was used again; Go's client asks anew, too. */
class StaleConnectionError extends Error {}

function ask(url: string, agent: Agent, timeoutSeconds: number): Promise<Scrape> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const headers = {
      ...PROMETHEUS_HEADERS,
      'X-Prometheus-Scrape-Timeout-Seconds': String(timeoutSeconds),
    };
    const request = get(url, { headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const seconds = (performance.now() - start) / 1000;
        const body = Buffer.concat(chunks);
        const plain = response.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
        const text = plain.toString('utf8');
        if (response.statusCode === 200) resolve({ seconds, bytesSent: body.length, text });
        else reject(new Error(`${url}: status ${response.statusCode ?? 0}: ${text}`));
      });
    }).on('error', (error) => {
      reject(request.reusedSocket ? new StaleConnectionError(error.message) : error);
    });
  });
}
