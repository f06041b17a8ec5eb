/**
 * Everything that can be said about the pack without a hypervisor: `npm run check:rules`. One line
 * per check and a last line `N passed, N failed`; exits with 1 when something failed. The mutation
 * check takes minutes and stands alone: `npm run mutation`.
 */
import { basename } from 'node:path';

import { coverageFaults } from './coverage.ts';
import { driftedFiles } from './generate.ts';
import { lintFaults } from './lint.ts';
import { EVERY_MINUTE, scenarioFaults, WATCHES } from './scenarios/check.ts';
import {
  absenceFaults,
  FIRES_WITHOUT,
  PENDING_AFTER_RESTART,
  restartFaults,
} from './robustness.ts';
import { ALERT_GROUPS, RECORDING_GROUPS } from './src/pack.ts';
import {
  alertKey,
  alertmanagerBinary,
  mutedAlerts,
  namedAlerts,
  notificationsOf,
  receiverOf,
} from './tool/alertmanager.ts';
import { newerEngines, type NewerEngines, type Program } from './tool/engines.ts';
import {
  ALERTMANAGER_FILE,
  ALERTS_FILE,
  ALERTS_WITHOUT_KEEP_FIRING_FILE,
  FLEET_FILE,
  PLAIN_ALERTS_FILE,
  RECORDING_FILE,
} from './tool/files.ts';
import { INHIBITION_CASES } from './tool/inhibition-cases.ts';
import { emittedFaults } from './tool/emitted.ts';
import { lossFaults } from './tool/loss-agreement.ts';
import { run } from './tool/promtool.ts';
import { riskModelsAgree } from './tool/risk-agreement.ts';
import { inParallel, SliceRunner } from './tool/run-tests.ts';
import { assertionsOf, Dependencies, sliceOf } from './tool/slice.ts';
import { readTestFile, testFiles, type TestFile } from './tool/test-file.ts';
import { VmalertTool } from './tool/vmalert-tool.ts';

const GROUPS = [...RECORDING_GROUPS, ...ALERT_GROUPS];
const ALERTS = ALERT_GROUPS.flatMap(({ rules }) => rules);

/** What Debian 12 has. */
const INSTALLED: Program = { name: 'promtool', path: 'promtool' };

/** Alerts of a cause that many hosts share. */
const SHARED_CAUSES = {
  'a switch that is gone': { alertname: 'KvmExporterDown' },
  'a share whose server is gone': { alertname: 'KvmFilesystemUnresponsive', mountpoint: '/share' },
  'a share that is full': { alertname: 'KvmFilesystemFull', mountpoint: '/share' },
} as const;

let passed = 0;
let failed = 0;

/** When the check before ended. */
let previous = performance.now();

/** @param faults none: the check has passed. */
function report(check: string, faults: readonly string[]): void {
  const now = performance.now();
  const seconds = ((now - previous) / 1000).toFixed(1);
  previous = now;
  if (faults.length === 0) {
    passed += 1;
    console.log(`ok      ${check} (${seconds} s)`);
    return;
  }
  failed += 1;
  console.log(`FAILED  ${check}`);
  for (const fault of faults) console.log(fault.replaceAll(/^/gm, '        '));
}

report('generated files are what the rules say', await driftedFiles());
report('conventions', lintFaults());
const files = await Promise.all((await testFiles()).map(readNamedTestFile));
report(
  'every alert has a firing and a silent test',
  coverageFaults(
    RECORDING_GROUPS,
    ALERT_GROUPS,
    files.flatMap(({ file }) => file.tests),
  ),
);
report(
  'tests are given what an exporter publishes',
  files.flatMap(({ file }) => file.tests.flatMap(emittedFaults)),
);
await reportRuleFiles(INSTALLED);
await reportTests();
await reportScenarios();
await reportNewerEngines();
await reportAlertmanager();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

interface NamedTestFile {
  readonly name: string;
  readonly file: TestFile;
}

async function readNamedTestFile(path: string): Promise<NamedTestFile> {
  return { name: basename(path), file: await readTestFile(path) };
}

/** As `promtool test rules rules/tests/*.yaml`, but each test only with the rules it needs. */
async function reportTests(): Promise<void> {
  const dependencies = new Dependencies(GROUPS);
  await using runner = await SliceRunner.open();
  for (const named of files) {
    await reportTestFile(INSTALLED, named, runner, dependencies);
  }
  const { ok, output } = await riskModelsAgree(runner);
  report('rules and exporter agree about the risk of made-up hosts', ok ? [] : [output]);
  const tests = files.map(({ file }) => file);
  report(
    'level 3 is where a critical alert has its reason, in each of its tests',
    await lossFaults(tests, GROUPS, dependencies, runner),
  );
  report(
    'no alert fires while something it needs is missing',
    await absenceFaults(ALERTS, GROUPS, tests, runner, FIRES_WITHOUT),
  );
  report(
    'no alert is woken by counters that begin anew',
    await restartFaults(ALERTS, GROUPS, tests, runner, PENDING_AFTER_RESTART),
  );
}

/** Whole hosts with stories, with every rule there is. */
async function reportScenarios(): Promise<void> {
  await using runner = await SliceRunner.open();
  const faults = await inParallel(WATCHES, (watch) => scenarioFaults(watch, GROUPS, runner));
  for (const [index, { name }] of WATCHES.entries()) {
    report(`scenarios ${name}`, faults[index] ?? []);
  }
}

async function reportRuleFiles({ name, path }: Program): Promise<void> {
  const written = [
    ...[RECORDING_FILE, FLEET_FILE],
    ...[ALERTS_FILE, PLAIN_ALERTS_FILE, ALERTS_WITHOUT_KEEP_FIRING_FILE],
  ];
  for (const file of written) {
    const { ok, output } = await run(path, ['check', 'rules', file]);
    report(`${name} check rules ${basename(file)}`, ok ? [] : [output]);
  }
}

/** @param runner of that program. */
async function reportTestFile(
  program: Program,
  { name, file }: NamedTestFile,
  runner: SliceRunner,
  dependencies: Dependencies,
): Promise<void> {
  const slices = file.tests.map(
    (test) => (rules: string) =>
      sliceOf(file, test, assertionsOf(test), GROUPS, dependencies, rules),
  );
  report(`${program.name} test rules ${name} (${file.tests.length} tests)`, [
    ...(await runner.faults(slices)),
    ...orderFaults(file.group_eval_order),
  ]);
}

/** The written tests again with Prometheus 3 and VictoriaMetrics. */
async function reportNewerEngines(): Promise<void> {
  let engines: NewerEngines;
  try {
    engines = await newerEngines();
  } catch (error) {
    report('Prometheus 3 and VictoriaMetrics from Debian sid', [
      error instanceof Error ? error.message : String(error),
    ]);
    return;
  }
  const { promtool: newer, vmalertTool } = engines;
  await reportRuleFiles(newer);
  const dependencies = new Dependencies(GROUPS);
  await using runner = await SliceRunner.open(newer.path);
  await using vmalert = await VmalertTool.open(vmalertTool.path);
  for (const named of files) await reportTestFile(newer, named, runner, dependencies);
  for (const { name, file } of files) {
    const differences = await inParallel(file.tests, (test) =>
      vmalert.differences(file, test, GROUPS, (path) =>
        sliceOf(file, test, assertionsOf(test), GROUPS, dependencies, path),
      ),
    );
    report(`${vmalertTool.name} unittest ${name} (${file.tests.length} tests)`, differences.flat());
  }
  report(
    `${newer.name}: scenarios ${EVERY_MINUTE.name}`,
    await scenarioFaults(EVERY_MINUTE, GROUPS, runner),
  );
}

/** promtool evaluates groups it was given no order for in any order. */
function orderFaults(order: readonly string[]): readonly string[] {
  const names = GROUPS.map(({ name }) => name);
  return order.join() === names.join() ? [] : [`group_eval_order must be: ${names.join(', ')}`];
}

async function reportAlertmanager(): Promise<void> {
  const { ok, output } = await run('amtool', ['check-config', ALERTMANAGER_FILE]);
  report('amtool check-config', ok ? [] : [output]);
  const unknown = (await namedAlerts()).filter(
    (pattern) => !ALERTS.some(({ alert }) => pattern.test(alert)),
  );
  report(
    'the Alertmanager example names only alerts there are',
    unknown.map((pattern) => `no alert matches ${pattern.source}`),
  );
  const receivers = { critical: 'pager', warning: 'tickets', info: 'nobody' } as const;
  const wrong = await inParallel(ALERTS, async ({ alert, labels: { severity } }) => {
    const receiver = await receiverOf({ alertname: alert, severity });
    const wanted = alert === 'KvmWatchdog' ? 'watchdog' : receivers[severity];
    return receiver === wanted ? [] : [`${alert} ${severity} goes to ${receiver}`];
  });
  report('amtool config routes test: every alert reaches its receiver', wrong.flat());
  await reportInhibition();
}

async function reportInhibition(): Promise<void> {
  const check = 'a real Alertmanager mutes what it should';
  const binary = await alertmanagerBinary();
  if (binary === undefined) {
    report(check, ['Alertmanager is not installed']);
    return;
  }
  const all = INHIBITION_CASES.flatMap(({ heard, muted }) => [...heard, ...muted]);
  const silenced = new Set((await mutedAlerts(binary, all)).map(alertKey));
  report(
    `${check} (${INHIBITION_CASES.length} cases)`,
    INHIBITION_CASES.flatMap(({ name, heard, muted }) => [
      ...heard
        .filter((one) => silenced.has(alertKey(one)))
        .map((one) => `${name}: mutes ${alertKey(one)}`),
      ...muted
        .filter((one) => !silenced.has(alertKey(one)))
        .map((one) => `${name}: lets ${alertKey(one)} pass`),
    ]),
  );
  await reportPagesOfMany(binary);
}

async function reportPagesOfMany(binary: string): Promise<void> {
  const hosts = Array.from({ length: 40 }, (_one, index) => `hypervisor${index}:9177`);
  const causes = await inParallel(Object.entries(SHARED_CAUSES), async ([cause, labels]) => {
    const alerts = hosts.map((instance) => ({
      ...labels,
      ...{ cluster: 'fra', job: 'kvm', instance, severity: 'critical' },
    }));
    const notifications = await notificationsOf(binary, alerts, 'pager');
    return notifications.join() === '40' ? [] : [`${cause}: pages of ${notifications.join()}`];
  });
  report('forty hosts with one cause are one page that names them all', causes.flat());
}
