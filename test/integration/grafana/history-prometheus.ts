import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { z } from 'zod';

import { eventually } from '../../../lab/polling.ts';
import { writeDemoHistory, type History } from './demo-history.ts';

const RULES = join(import.meta.dirname, '../../../rules');
const run = promisify(execFile);

const Answer = z.object({
  data: z.object({
    result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })),
  }),
});

/**
 * A real Prometheus whose past is the demo host's, with the rule pack. It scrapes nothing and
 * evaluates the rules every second. Alerts do not wait: `for` is taken away, since a minute of
 * this Prometheus cannot be a minute of the story.
 */
export class HistoryPrometheus implements AsyncDisposable {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #directory: string;
  #log = '';

  private constructor(port: number, directory: string) {
    this.url = `http://127.0.0.1:${port}`;
    this.#directory = directory;
    this.#process = spawn(
      'prometheus',
      [
        `--config.file=${join(directory, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        '--storage.tsdb.retention.time=30d',
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#log += text));
  }

  static async of(history: History): Promise<HistoryPrometheus> {
    const directory = await mkdtemp(join(tmpdir(), 'grafana-prometheus-'));
    const samples = join(directory, 'samples.om');
    await writeDemoHistory(samples, history);
    await run(
      'promtool',
      ['tsdb', 'create-blocks-from', 'openmetrics', samples, join(directory, 'data')],
      { maxBuffer: 64 * 1024 * 1024 },
    );
    await rm(samples);
    await cp(join(RULES, 'recording.yaml'), join(directory, 'recording.yaml'));
    const alerts = await readFile(join(RULES, 'alerts.yaml'), 'utf8');
    await writeFile(join(directory, 'alerts.yaml'), alerts.replaceAll(/^ +for: .*\n/gm, ''));
    const config = {
      global: { evaluation_interval: '1s' },
      rule_files: ['recording.yaml', 'alerts.yaml'],
    };
    // JSON is YAML.
    await writeFile(join(directory, 'prometheus.yml'), JSON.stringify(config));
    const prometheus = new HistoryPrometheus(await freePort(), directory);
    try {
      await eventually(
        'Prometheus is ready',
        60_000,
        async () => {
          const response = await fetch(`${prometheus.url}/-/ready`).catch(() => undefined);
          return response?.status === 200;
        },
        () => prometheus.#log,
      );
    } catch (error) {
      await prometheus[Symbol.asyncDispose]();
      throw error;
    }
    return prometheus;
  }

  /** How many series a selector has now. */
  async count(selector: string): Promise<number> {
    const parameters = new URLSearchParams({ query: `count(${selector})` });
    const response = await fetch(`${this.url}/api/v1/query?${parameters.toString()}`);
    const [first] = Answer.parse(await response.json()).data.result;
    return Number(first?.value[1] ?? 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill('SIGKILL');
      await once(this.#process, 'exit');
    }
    await rm(this.#directory, { recursive: true, force: true });
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
