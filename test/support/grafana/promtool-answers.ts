import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run } from '../../../rules/tool/promtool.ts';

/** What a query of a dashboard is asked of: series from minute 0 on, in promtool's notation. */
export interface PromtoolQuestion {
  readonly series: readonly (readonly [series: string, samples: string])[];
  /** Files of rules that record what the query reads. */
  readonly ruleFiles?: readonly string[];
  /** With the variables of all dashboards, which stand for everything. */
  readonly expr: string;
  /** `20m`. */
  readonly time: string;
  /** By labels, as they stand between braces. */
  readonly values: Readonly<Record<string, number>>;
}

/** What promtool says against an expression having exactly these values; empty when it has them. */
export async function objections(question: PromtoolQuestion): Promise<string> {
  const { series, ruleFiles = [], expr, time, values } = question;
  const test = {
    rule_files: ruleFiles,
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: series.map(([name, samples]) => ({ series: name, values: samples })),
        promql_expr_test: [
          {
            expr: expr
              .replaceAll('$cluster', '.*')
              .replaceAll('$job', '.+')
              .replaceAll('$instance', '.+'),
            eval_time: time,
            exp_samples: Object.entries(values).map(([labels, value]) => ({
              labels: `{${labels}}`,
              value,
            })),
          },
        ],
      },
    ],
  };
  const directory = await mkdtemp(join(tmpdir(), 'promtool-answers-'));
  try {
    const file = join(directory, 'test.yaml');
    // JSON is YAML.
    await writeFile(file, JSON.stringify(test));
    const { ok, output } = await run('promtool', ['test', 'rules', file]);
    return ok ? '' : output;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
