import { execFile, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { z } from 'zod';

import { cpuSeconds } from '../../test/support/measure/process-usage.ts';
import { freePort } from '../../tools/free-port.ts';

const START_TIMEOUT_MS = 60_000;
const POLL_MS = 500;
const EVALUATION_INTERVAL = '15s';

const GROUPS = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        name: z.string(),
        evaluationTime: z.number(),
        lastEvaluation: z.string(),
        rules: z.array(
          z.object({
            name: z.string(),
            labels: z.record(z.string(), z.string()).optional(),
            evaluationTime: z.number(),
            lastError: z.string().optional(),
          }),
        ),
      }),
    ),
  }),
});

interface EvaluatedRule {
  readonly name: string;
  readonly seconds: number;
}

export interface EvaluatedGroup {
  readonly name: string;
  readonly rules: readonly EvaluatedRule[];
  readonly seconds: number;
  readonly evaluatedAt: string;
  readonly errors: readonly string[];
}

/** Makes blocks of a Prometheus database from an OpenMetrics file. */
export async function backfill(openMetrics: string, database: string): Promise<void> {
  await promisify(execFile)(
    'promtool',
    ['tsdb', 'create-blocks-from', 'openmetrics', openMetrics, database],
    {
      maxBuffer: 64 * 2 ** 20,
    },
  );
}

/** A Prometheus on loopback that scrapes nothing and evaluates rules over what it was given. */
export class RulePrometheus implements AsyncDisposable {
  readonly #url: string;
  readonly #pid: number;
  readonly #stop: () => Promise<void>;

  private constructor(url: string, pid: number, stop: () => Promise<void>) {
    this.#url = url;
    this.#pid = pid;
    this.#stop = stop;
  }

  static async start(
    folder: string,
    database: string,
    ruleFiles: readonly string[],
  ): Promise<RulePrometheus> {
    const config = join(folder, 'prometheus.yaml');
    const files = ruleFiles.map((path) => `  - ${path}`).join('\n');
    await writeFile(
      config,
      `global:\n  evaluation_interval: ${EVALUATION_INTERVAL}\nrule_files:\n${files}\n`,
    );
    const port = await freePort();
    const daemon = spawn(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${database}`,
        '--storage.tsdb.retention.time=30d',
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=error',
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const ended = new Promise<void>((resolve) => {
      daemon.on('exit', () => {
        resolve();
      });
      daemon.on('error', () => {
        resolve();
      });
    });
    const url = `http://127.0.0.1:${port}`;
    const stop = async (): Promise<void> => {
      daemon.kill('SIGTERM');
      await ended;
    };
    const deadline = Date.now() + START_TIMEOUT_MS;
    while ((await fetch(`${url}/-/ready`).catch(() => undefined))?.ok !== true) {
      if (Date.now() > deadline) {
        await stop();
        throw new Error('Prometheus does not become ready');
      }
      await sleep(POLL_MS);
    }
    if (daemon.pid === undefined) throw new Error('Prometheus does not start');
    return new RulePrometheus(url, daemon.pid, stop);
  }

  /** CPU time it has used since it was started. */
  cpuSeconds(): number {
    return cpuSeconds(this.#pid);
  }

  /** Each group as of its last evaluation. */
  async groups(): Promise<readonly EvaluatedGroup[]> {
    const answer = await fetch(`${this.#url}/api/v1/rules`);
    return GROUPS.parse(await answer.json()).data.groups.map((group) => ({
      name: group.name,
      rules: group.rules.map(({ name, labels, evaluationTime }) => ({
        name: [name, ...Object.values(labels ?? {})].join(' '),
        seconds: evaluationTime,
      })),
      seconds: group.evaluationTime,
      evaluatedAt: group.lastEvaluation,
      errors: group.rules.flatMap(({ lastError }) =>
        lastError === undefined || lastError === '' ? [] : [lastError],
      ),
    }));
  }

  /** The one value of a query; 0 for an empty result. */
  async value(query: string): Promise<number> {
    const answer = await fetch(`${this.#url}/api/v1/query?query=${encodeURIComponent(query)}`);
    const { data } = SCALAR.parse(await answer.json());
    return Number(data.result[0]?.value[1] ?? 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}

const SCALAR = z.object({
  data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
});
