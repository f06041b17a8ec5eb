import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parse } from 'yaml';
import { z } from 'zod';

import { TESTS_FOLDER } from './files.ts';

const TEXT = z.union([z.string(), z.number()]).transform(String);

/** The parts of promtool's test format that the tests here use; anything else is a fault. */
const TEST_FILE = z.strictObject({
  rule_files: z.array(z.string()),
  evaluation_interval: z.string(),
  group_eval_order: z.array(z.string()),
  tests: z.array(
    z.strictObject({
      name: z.string(),
      interval: z.string(),
      input_series: z.array(z.strictObject({ series: z.string(), values: TEXT })),
      alert_rule_test: z
        .array(
          z.strictObject({
            eval_time: z.string(),
            alertname: z.string(),
            exp_alerts: z
              .array(
                z.strictObject({
                  exp_labels: z.record(z.string(), TEXT),
                  exp_annotations: z.record(z.string(), TEXT).optional(),
                }),
              )
              .optional(),
          }),
        )
        .optional(),
      promql_expr_test: z
        .array(
          z.strictObject({
            expr: z.string(),
            eval_time: z.string(),
            exp_samples: z.array(
              z.strictObject({ labels: z.string(), value: z.union([z.number(), z.string()]) }),
            ),
          }),
        )
        .optional(),
    }),
  ),
});

export type TestFile = z.output<typeof TEST_FILE>;
export type RuleTest = TestFile['tests'][number];

export async function testFiles(): Promise<readonly string[]> {
  const names = await readdir(TESTS_FOLDER);
  return names
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => join(TESTS_FOLDER, name));
}

/** @throws when a file is not a test file of promtool. */
export async function readTestFile(path: string): Promise<TestFile> {
  const parsed = TEST_FILE.safeParse(parse(await readFile(path, 'utf8')));
  if (!parsed.success) throw new Error(`${path}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
