/**
 * `npm test`: installs what the tests need, runs every check and every test, and ends in one
 * line, `N passed, N failed`, after a table of what took how long and the names of what failed. Checks count
 * one each, vitest and the rule pack count their own tests. Unit tests come first, since they have time limits and
 * keep all CPUs busy; then lanes run beside each other, since daemons and guests mostly wait; the paging tests
 * that look at the host as a whole run alone.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { z } from 'zod';

import { ensurePackages, LAB_PACKAGES } from '../lab/index.ts';
import { BUILT, setup as buildExporter } from './build.ts';
import { excluding, SHARING_A_PROCESS, UNIT_TESTS_APART } from '../tools/unit-tests.ts';

interface Outcome {
  readonly passed: number;
  /** A line for each check and each test that failed. */
  readonly failures: readonly string[];
}

/** How a part runs beside the other lane. */
interface Manner {
  readonly nice: number;
  /** Of the lanes only one can be read as it goes; the others print a part when it has ended. */
  readonly printed: 'at-once' | 'at-the-end';
}

const AT_ONCE: Manner = { nice: 0, printed: 'at-once' };
const UNREAD: Manner = { nice: 0, printed: 'at-the-end' };
/** Nothing in these parts has a time limit. */
const LAST_IN_LINE: Manner = { nice: 19, printed: 'at-the-end' };

/** Paging tests about one filesystem or one guest, whatever else the host does. */
const PAGING_APART = ['storage', 'control'].map((name) => `test/paging/${name}.test.ts`);

const began = performance.now();
/** How long each part took, in the order they ended. */
const minutes: { readonly part: string; readonly minutes: number }[] = [];

/** Programs the tests start besides those of the lab. */
const TEST_PACKAGES = [
  ...LAB_PACKAGES,
  'prometheus',
  'prometheus-alertmanager',
  'prometheus-libvirt-exporter',
  'bindfs',
  'fuse3',
  'lvm2',
  'e2fsprogs',
  'xfsprogs',
  'btrfs-progs',
  'chromium',
  'curl',
  'openssl',
  'lsof',
  'dbus',
  'polkitd',
  'util-linux',
  'systemd',
  'buildah',
  'mmdebstrap',
  'strace',
  'python3',
  'libseccomp2',
] as const;

/** What is read of vitest's JSON report. */
const vitestReport = z.object({
  numPassedTests: z.number(),
  success: z.boolean(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string(),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
});

const scratch = mkdtempSync(join(tmpdir(), 'kvm-overcommit-test-'));
try {
  await ensurePackages(TEST_PACKAGES);
  buildExporter();
  process.env[BUILT] = 'yes';
  const unit = await unitTests();
  const lanes = await Promise.all([guests(), daemons(), pages(), computing()]);
  // Alone: guests that are well must raise no alert, and a host that computes tests is not well. Swap and KSM
  // are the host's, so that no other lab may use them meanwhile.
  const paging = await vitest('paging', AT_ONCE, excluding(PAGING_APART));
  const outcomes = [...unit, ...lanes.flat(), paging];
  const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
  const failures = outcomes.flatMap((outcome) => outcome.failures);
  process.exitCode = failures.length === 0 ? 0 : 1;
  process.stdout.write(`\n${minutesTable()}`);
  process.stdout.write(failures.map((failure) => `FAILED  ${failure}\n`).join(''));
  process.stdout.write(`${passed} passed, ${failures.length} failed\n`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function unitTests(): Promise<readonly Outcome[]> {
  return [
    await vitest('unit', AT_ONCE, [...SHARING_A_PROCESS, ...excluding(UNIT_TESTS_APART)]),
    await vitest('unit', AT_ONCE, UNIT_TESTS_APART, 'unit, a process each'),
  ];
}

/** What needs nothing but Node and promtool. It yields the CPUs to the guests and daemons of the other lanes. */
async function computing(): Promise<readonly Outcome[]> {
  return [
    await check('types', 'tsc', ['--noEmit']),
    await check('lint', 'eslint', ['.']),
    await check('format', 'prettier', ['--check', '--log-level=warn', '.']),
    await check('generated docs', 'node', ['docs/generate.ts', '--check']),
    await check('words', 'node', ['tools/check-words.ts']),
    await check('runbooks', 'node', ['docs/runbooks-check.ts']),
    await check('dashboards', 'node', ['grafana/check.ts']),
    await counted('rule pack', 'node', ['rules/check.ts']),
  ];
}

/** What starts guests: one file at a time, since they share the machine. */
async function guests(): Promise<readonly Outcome[]> {
  return [await vitest('lab', AT_ONCE)];
}

/** What starts daemons, one file at a time. */
async function daemons(): Promise<readonly Outcome[]> {
  return [await vitest('integration', UNREAD)];
}

/** Guests that are examined one by one. */
async function pages(): Promise<readonly Outcome[]> {
  return [await vitest('paging', UNREAD, PAGING_APART, 'paging beside others')];
}

/** A table as CONTRIBUTING.md has it. */
function minutesTable(): string {
  const rows = [...minutes, { part: 'all of it', minutes: minutesSince(began) }].map(
    (one) => `| ${one.part} | ${one.minutes.toFixed(1)} |\n`,
  );
  return `| part | minutes |\n|---|---:|\n${rows.join('')}`;
}

function minutesSince(start: number): number {
  return (performance.now() - start) / 60_000;
}

/** A command that passes or fails as a whole. */
async function check(name: string, command: string, args: readonly string[]): Promise<Outcome> {
  const { code } = await run(name, LAST_IN_LINE, command, args);
  return code === 0 ? { passed: 1, failures: [] } : { passed: 0, failures: [name] };
}

/** A command that says `ok` or `FAILED` of each of its checks, and in its last line how many. */
async function counted(name: string, command: string, args: readonly string[]): Promise<Outcome> {
  const { code, output } = await run(name, LAST_IN_LINE, command, args);
  const passed = Number(/^(\d+) passed, \d+ failed$/m.exec(output)?.[1] ?? 0);
  const failures = [...output.matchAll(/^FAILED +(.*)$/gm)].map(([, text]) => `${name}: ${text}`);
  // Dying without failures to show is a failure too, as is running nothing.
  const silent = failures.length === 0 && (code !== 0 || passed === 0);
  return { passed, failures: silent ? [`${name}: ended with ${code}`] : failures };
}

/** @param args options and files; by default all files of the project. */
async function vitest(
  project: string,
  manner: Manner,
  args: readonly string[] = [],
  part: string = project,
): Promise<Outcome> {
  const file = join(scratch, `${part}.json`);
  await run(part, manner, 'vitest', [
    'run',
    `--project=${project}`,
    ...args,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ]);
  try {
    const report = vitestReport.parse(JSON.parse(readFileSync(file, 'utf8')));
    const failures = report.testResults.flatMap(failuresOf).map((one) => `${part}: ${one}`);
    const silent = failures.length === 0 && !report.success;
    return {
      passed: report.numPassedTests,
      failures: silent ? [`${part}: no success, and no test failed`] : failures,
    };
  } catch (error) {
    return { passed: 0, failures: [`${part}: no report: ${String(error)}`] };
  }
}

/** Of one file of vitest's report: what did not pass, with the first line of the reason. */
function failuresOf(file: z.infer<typeof vitestReport>['testResults'][number]): readonly string[] {
  const path = relative(process.cwd(), file.name);
  // A skipped test proves nothing.
  const failures = file.assertionResults
    .filter(({ status }) => status !== 'passed')
    .map(
      ({ fullName, status, failureMessages }) =>
        `${path}: ${fullName}: ${firstLine(failureMessages?.[0] ?? status)}`,
    );
  // A file that cannot be loaded has no tests to fail.
  if (failures.length === 0 && file.status !== 'passed') {
    return [`${path}: ${firstLine(file.message)}`];
  }
  return failures;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

function run(
  name: string,
  { nice, printed }: Manner,
  command: string,
  args: readonly string[],
): Promise<{ readonly code: number; readonly output: string }> {
  const title = `\n== ${name}: ${command} ${args.join(' ')}\n`;
  if (printed === 'at-once') process.stdout.write(title);
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn('nice', [`--adjustment=${nice}`, command, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (printed === 'at-once') process.stdout.write(text);
      });
    }
    child.on('error', reject);
    child.on('close', (code) => {
      minutes.push({ part: name, minutes: minutesSince(start) });
      if (printed === 'at-the-end') process.stdout.write(`${title}${output}`);
      resolve({ code: code ?? 1, output });
    });
  });
}
