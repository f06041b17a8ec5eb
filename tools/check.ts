/**
 * `npm run check`: types, lint, format, words, generated files and unit tests, two at a time; starts nothing
 * but Node and needs no root. The longest unit tests are left to `npm test`. With files after `--`, as the
 * hook before a commit gives them, lint and format look at these alone, and of the unit tests those run that
 * these files have a part in.
 *
 * The caches in node_modules/.cache make the second run a fast one. ESLint's knows a file by its own text: a
 * type that changed elsewhere is seen by the compiler, and by `npm test`, which has no cache.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { REPOSITORY } from './repository-files.ts';
import { excluding, SHARING_A_PROCESS, UNIT_TESTS_APART } from './unit-tests.ts';

interface Part {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
}

interface Outcome {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: number;
  readonly output: string;
}

const LANES = 2;

/** Of the unit tests, so that both lanes are busy to the end. */
const SHARDS = ['1/3', '2/3', '3/3'] as const;

const files = process.argv.slice(2);
// The longest first, so that the two lanes end together.
const waiting = [...slowParts(files), ...fastParts()];
const outcomes: Outcome[] = [];
await Promise.all(Array.from({ length: LANES }, lane));
for (const { name, seconds } of outcomes) {
  process.stdout.write(`${seconds.toFixed(0).padStart(5)} s  ${name}\n`);
}
const failed = outcomes.filter(({ passed }) => !passed).length;
process.stdout.write(`${outcomes.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

async function lane(): Promise<void> {
  for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
    const outcome = await run(part);
    outcomes.push(outcome);
    if (!outcome.passed) process.stdout.write(`== ${part.name} failed\n${outcome.output}\n`);
  }
}

function slowParts(only: readonly string[]): readonly Part[] {
  const cache = (tool: string): readonly string[] => [
    '--cache',
    `--cache-location=node_modules/.cache/check/${tool}`,
    '--cache-strategy=content',
  ];
  const code = only.filter((file) => /\.[jt]s$/.test(file));
  const lint: Part = {
    name: 'lint',
    command: ['eslint', ...cache('eslint'), '--no-warn-ignored', ...(all(only) ? ['.'] : code)],
  };
  const prettier = ['--check', '--log-level=warn', '--ignore-unknown', ...cache('prettier')];
  const units: readonly Part[] = all(only)
    ? SHARDS.map((shard) => ({
        name: `unit tests ${shard}`,
        command: ['vitest', ...unitTests(only), `--shard=${shard}`],
      }))
    : [{ name: 'unit tests', command: ['vitest', ...unitTests(only)] }];
  return [
    ...units,
    ...(all(only) || code.length > 0 ? [lint] : []),
    { name: 'types', command: ['tsc', '--noEmit'] },
    { name: 'format', command: ['prettier', ...prettier, ...(all(only) ? ['.'] : only)] },
  ];
}

function fastParts(): readonly Part[] {
  return [
    { name: 'generated rules', command: ['node', 'rules/generate.ts', '--check'] },
    { name: 'dashboards', command: ['node', 'grafana/check.ts'] },
    { name: 'generated docs', command: ['node', 'docs/generate.ts', '--check'] },
    { name: 'runbooks', command: ['node', 'docs/runbooks-check.ts'] },
    { name: 'manifests', command: ['node', 'packaging/generate.ts', '--check'] },
    { name: 'words', command: ['node', 'tools/check-words.ts'] },
  ];
}

function all(only: readonly string[]): boolean {
  return only.length === 0;
}

/** Arguments for vitest. What is read rather than imported, such as a fixture, may concern any test. */
function unitTests(only: readonly string[]): readonly string[] {
  const options = ['--project=unit', '--reporter=dot', '--maxWorkers=1', ...SHARING_A_PROCESS];
  const isDocument = (file: string): boolean => /\.md$/.test(file) && !file.startsWith('test/');
  if (all(only) || only.some((file) => !/\.ts$/.test(file) && !isDocument(file))) {
    return ['run', ...options, ...excluding(UNIT_TESTS_APART)];
  }
  const documents = readdirSync(join(REPOSITORY, 'test/unit/docs'))
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/unit/docs/${name}`);
  return [
    ...['related', '--run', '--passWithNoTests', ...options],
    ...only.filter((file) => !isDocument(file)),
    ...(only.some(isDocument) ? documents : []),
  ];
}

function run({ name, command: [program, ...args] }: Part): Promise<Outcome> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: REPOSITORY, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({
        name,
        passed: code === 0,
        seconds: (performance.now() - start) / 1000,
        output,
      });
    });
  });
}
