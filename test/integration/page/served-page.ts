import { once } from 'node:events';
import { createServer } from 'node:http';

import { standardError } from '../../../src/config/log-output.ts';
import { createLogger } from '../../../src/config/logger.ts';
import { PolicyStore } from '../../../src/config/policy-store.ts';
import { DemoHost } from '../../../src/demo/demo-host.ts';
import { COLLECTORS, type CollectorName } from '../../../src/model/collectors.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import type { SnapshotSources } from '../../../src/collect/snapshot-sources.ts';
import { createApp } from '../../../src/web/app.ts';
import { Connections } from '../../../src/web/connections.ts';
import { FailureLog } from '../../../src/web/failure-log.ts';
import { RefusalLog } from '../../../src/web/refusal-log.ts';
import { Scraper } from '../../../src/web/scraper.ts';
import { WebAccess } from '../../../src/web/web-access.ts';

/** The demo host at a chosen moment of its story, and changed as a test needs it. */
export class StagedHost implements SnapshotSources {
  /** Seconds since the story began. Never set back. */
  seconds: number;
  alter: (snapshot: Snapshot) => Snapshot = (snapshot) => snapshot;
  readonly #demo: DemoHost;

  constructor(seconds: number) {
    this.seconds = seconds;
    this.#demo = new DemoHost({ elapsedSeconds: () => this.seconds });
  }

  start(): void {
    // Time stands still until a test moves it.
  }

  close(): Promise<void> {
    return this.#demo.close();
  }

  async collect(wanted: ReadonlySet<CollectorName>): Promise<Snapshot> {
    return this.alter(await this.#demo.collect(wanted));
  }
}

export interface ServedPage extends AsyncDisposable {
  /** Ends in a slash. */
  readonly url: string;
}

const { write, dropped } = standardError();

/** The exporter's own web application for that host, on a port of its own. */
export async function servePage(
  host: SnapshotSources,
  { maxRequests = 40, timeoutSeconds = 10, lookSeconds = 0 } = {},
): Promise<ServedPage> {
  const logger = createLogger({ level: 'error', format: 'logfmt', write });
  const app = createApp({
    web: { telemetryPath: '/metrics', maxRequests, exporterMetrics: false, allowedHosts: [] },
    limits: {
      enabled: new Set(COLLECTORS.flatMap((one) => (one.enabledByDefault ? [one.name] : []))),
      timeoutSeconds,
      timeoutOffsetSeconds: timeoutSeconds / 20,
    },
    scraper: new Scraper(
      host,
      new PolicyStore(undefined),
      { version: '0.0.0-test', nodeVersion: process.version },
      new FailureLog(logger),
    ),
    lookSeconds,
    access: new WebAccess(undefined),
    connections: new Connections(),
    refusals: new RefusalLog(logger),
    logger,
    droppedLogLines: dropped,
    isReady: () => true,
  });
  const server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
