/**
 * `npm test`: installs what the tests need, runs every check and every test, and ends in one line,
 * `N passed, N failed`, after a table of what took how long. Checks count one each, vitest and the rule pack count their own tests.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { z } from 'zod';

import { ensurePackages, LAB_PACKAGES } from '../lab/index.ts';

interface Count {
  readonly passed: number;
  readonly failed: number;
}

/** How long each part took, in the order they ran. */
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
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  success: z.boolean(),
});

const scratch = mkdtempSync(join(tmpdir(), 'kvm-overcommit-test-'));
try {
  await ensurePackages(TEST_PACKAGES);
  const counts = [
    await check('types', 'tsc', ['--noEmit']),
    await check('lint', 'eslint', ['.']),
    await check('format', 'prettier', ['--check', '--log-level=warn', '.']),
    await check('generated docs', 'node', ['docs/generate.ts', '--check']),
    await check('words', 'node', ['tools/check-words.ts']),
    await check('runbooks', 'node', ['docs/runbooks-check.ts']),
    await check('dashboards', 'node', ['grafana/check.ts']),
    await counted('rule pack', 'node', ['rules/check.ts']),
    await vitest('unit'),
    await vitest('integration'),
    await vitest('lab'),
    await vitest('paging'),
  ];
  const passed = counts.reduce((sum, count) => sum + count.passed, 0);
  const failed = counts.reduce((sum, count) => sum + count.failed, 0);
  process.exitCode = failed === 0 ? 0 : 1;
  process.stdout.write(`\n${minutesTable()}`);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** A table as CONTRIBUTING.md has it. */
function minutesTable(): string {
  const total = minutes.reduce((sum, one) => sum + one.minutes, 0);
  const rows = [...minutes, { part: 'all of it', minutes: total }].map(
    (one) => `| ${one.part} | ${one.minutes.toFixed(1)} |\n`,
  );
  return `| part | minutes |\n|---|---:|\n${rows.join('')}`;
}

/** A command that passes or fails as a whole. */
async function check(name: string, command: string, args: readonly string[]): Promise<Count> {
  const { code } = await run(name, command, args);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** A command whose last line is itself `N passed, N failed`. */
async function counted(name: string, command: string, args: readonly string[]): Promise<Count> {
  const { code, output } = await run(name, command, args);
  const match = /(\d+) passed, (\d+) failed\s*$/.exec(output);
  const count = { passed: Number(match?.[1] ?? 0), failed: Number(match?.[2] ?? 0) };
  // Dying without failures to show is a failure too, as is running nothing.
  const silent = count.failed === 0 && (code !== 0 || count.passed === 0);
  return silent ? { ...count, failed: 1 } : count;
}

async function vitest(project: string): Promise<Count> {
  const file = join(scratch, `${project}.json`);
  await run(project, 'vitest', [
    'run',
    `--project=${project}`,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ]);
  try {
    const report = vitestReport.parse(JSON.parse(readFileSync(file, 'utf8')));
    // A skipped test proves nothing, and a file that cannot be loaded has no tests to fail.
    const failed = report.numFailedTests + report.numPendingTests;
    return {
      passed: report.numPassedTests,
      failed: failed === 0 && !report.success ? 1 : failed,
    };
  } catch (error) {
    process.stdout.write(`no report of ${project}: ${String(error)}\n`);
    return { passed: 0, failed: 1 };
  }
}

function run(
  name: string,
  command: string,
  args: readonly string[],
): Promise<{ readonly code: number; readonly output: string }> {
  process.stdout.write(`\n== ${name}: ${command} ${args.join(' ')}\n`);
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      // Only the end is read.
      output = (output + text).slice(-4096);
      process.stdout.write(text);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      minutes.push({ part: name, minutes: (performance.now() - start) / 60_000 });
      resolve({ code: code ?? 1, output });
    });
  });
}
