import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { z } from 'zod';

import { eventually } from '../../../lab/polling.ts';

const targets = z.object({
  data: z.object({
    activeTargets: z.array(
      z.object({
        scrapePool: z.string(),
        health: z.string(),
        lastError: z.string(),
      }),
    ),
  }),
});

const vector = z.object({
  data: z.object({
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        value: z.tuple([z.number(), z.string()]),
      }),
    ),
  }),
});

export type ScrapeTarget = z.infer<typeof targets>['data']['activeTargets'][number];

export interface QueriedSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A real Prometheus on a port of its own that scrapes once a second; its data is thrown away. */
export class ScrapingPrometheus implements AsyncDisposable {
  readonly #url: string;
  readonly #process: ChildProcess;
  readonly #directory: string;
  readonly #ended: Promise<void>;
  #log = '';

  private constructor(port: number, directory: string) {
    this.#url = `http://127.0.0.1:${port}`;
    this.#directory = directory;
    this.#process = spawn(
      'prometheus',
      [
        `--config.file=${join(directory, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=debug',
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#log += text));
    }
    this.#ended = new Promise((resolve, reject) => {
      this.#process.once('error', reject);
      this.#process.once('close', () => {
        resolve();
      });
    });
  }

  /** @param jobs host and port to scrape, by job name. */
  static async of(jobs: Readonly<Record<string, string>>): Promise<ScrapingPrometheus> {
    const directory = mkdtempSync(join(tmpdir(), 'prometheus-'));
    mkdirSync(join(directory, 'data'));
    const config = {
      // Other tests may keep the machine busy for longer than a second.
      global: { scrape_interval: '5s', scrape_timeout: '5s' },
      scrape_configs: Object.entries(jobs).map(([name, target]) => ({
        job_name: name,
        static_configs: [{ targets: [target] }],
      })),
    };
    // JSON is YAML.
    writeFileSync(join(directory, 'prometheus.yml'), JSON.stringify(config));
    const prometheus = new ScrapingPrometheus(await freePort(), directory);
    await eventually(
      'Prometheus is ready',
      60_000,
      async () => {
        const response = await fetch(`${prometheus.#url}/-/ready`).catch(() => undefined);
        return response?.status === 200;
      },
      () => prometheus.#log,
    );
    return prometheus;
  }

  /** All it has logged, debug messages too. */
  get log(): string {
    return this.#log;
  }

  async targets(): Promise<readonly ScrapeTarget[]> {
    const response = await fetch(`${this.#url}/api/v1/targets`);
    return targets.parse(await response.json()).data.activeTargets;
  }

  /** An instant query. */
  async query(expression: string): Promise<readonly QueriedSample[]> {
    const parameters = new URLSearchParams({ query: expression });
    const response = await fetch(`${this.#url}/api/v1/query?${parameters.toString()}`);
    return vector
      .parse(await response.json())
      .data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
