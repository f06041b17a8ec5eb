import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from '../../tools/free-port.ts';
import { run } from '../../rules/tool/promtool.ts';
import { ALERT_GROUPS, RECORDING_GROUPS } from '../../rules/src/pack.ts';
import { writeDemoHistory, type History } from '../../test/integration/grafana/demo-history.ts';
import { eventually } from '../../lab/polling.ts';
import { firing, layersOf, type Recording } from './rule-layers.ts';

/**
 * A real Prometheus that holds the past of some hosts, with everything the rules record of it, and
 * scrapes nothing.
 */
export class PastPrometheus implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(url: string, child: ChildProcess, directory: string) {
    this.url = url;
    this.#child = child;
    this.#directory = directory;
  }

  /** @param say takes a line for each step, since all of them together take minutes. */
  static async of(
    histories: readonly History[],
    say: (line: string) => void,
  ): Promise<PastPrometheus> {
    const directory = await mkdtemp(join(tmpdir(), 'render-prometheus-'));
    try {
      for (const history of histories) {
        say(`writing the past of ${history.instance}`);
        const samples = join(directory, 'samples.om');
        await writeDemoHistory(samples, history);
        await promtool('tsdb', 'create-blocks-from', 'openmetrics', samples, data(directory));
        await rm(samples);
      }
      await backfill(directory, histories, say);
      return new PastPrometheus(...(await start(directory)), directory);
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stop(this.#child);
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function data(directory: string): string {
  return join(directory, 'data');
}

async function backfill(
  directory: string,
  histories: readonly History[],
  say: (line: string) => void,
): Promise<void> {
  const from = Math.min(...histories.map(({ startedAtSeconds }) => startedAtSeconds));
  const to = Math.max(
    ...histories.map(({ startedAtSeconds, seconds }) => startedAtSeconds + seconds),
  );
  const step = Math.min(...histories.map(({ scrapeIntervalSeconds }) => scrapeIntervalSeconds));
  for (const [index, layer] of layersOf(allRules()).entries()) {
    say(`backfilling ${layer.length} rules, layer ${index + 1}`);
    const file = join(directory, `layer-${index}.yaml`);
    // JSON is YAML.
    await writeFile(file, JSON.stringify({ groups: [{ name: `layer-${index}`, rules: layer }] }));
    const [url, child] = await start(directory);
    try {
      await promtool(
        ...['tsdb', 'create-blocks-from', 'rules', `--url=${url}`],
        ...[`--start=${from}`, `--end=${to}`, `--eval-interval=${step}s`],
        ...[`--output-dir=${data(directory)}`, file],
      );
    } finally {
      await stop(child);
    }
  }
}

function allRules(): readonly Recording[] {
  return [
    ...RECORDING_GROUPS.flatMap(({ rules }) => rules).map(({ record, expr, labels = {} }) => ({
      record,
      expr,
      labels,
    })),
    ...ALERT_GROUPS.flatMap(({ rules }) => rules).map(firing),
  ];
}

async function promtool(...parameters: readonly string[]): Promise<void> {
  const { ok, output } = await run('promtool', parameters);
  if (!ok) throw new Error(`promtool ${parameters.slice(0, 3).join(' ')}: ${output.slice(-2000)}`);
}

async function start(directory: string): Promise<[url: string, child: ChildProcess]> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(directory, 'prometheus.yml');
  await writeFile(config, '{}');
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${data(directory)}`,
      // What is drawn lies in the past, always the same, so that pictures can be compared.
      '--storage.tsdb.retention.time=50y',
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const isReady = async (): Promise<boolean> => {
    const response = await fetch(`${url}/-/ready`).catch(() => undefined);
    return response?.status === 200;
  };
  await eventually('Prometheus is ready', 60_000, isReady, () => log);
  return [url, child];
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
