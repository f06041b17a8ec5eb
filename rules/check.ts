/**
 * Everything that can be said about the pack without a hypervisor: `node rules/check.ts`. One line
 * per check and a last line `N passed, N failed`; exits with 1 when something failed. The mutation
 * check takes minutes and stands alone: `node rules/mutation.ts`.
 */
import { basename } from 'node:path';

import { coverageFaults } from './coverage.ts';
import { driftedFiles } from './generate.ts';
import { lintFaults } from './lint.ts';
import { ALERT_GROUPS, RECORDING_GROUPS } from './src/pack.ts';
import { alertmanagerBinary, mutedAlerts, namedAlerts, receiverOf } from './tool/alertmanager.ts';
import { ALERTMANAGER_FILE, ALERTS_FILE, RECORDING_FILE } from './tool/files.ts';
import { INHIBITION_CASES } from './tool/inhibition-cases.ts';
import { promtool, run } from './tool/promtool.ts';
import { riskModelsAgree } from './tool/risk-agreement.ts';
import { inParallel, SliceRunner } from './tool/run-tests.ts';
import { assertionsOf, Dependencies, sliceOf } from './tool/slice.ts';
import { readTestFile, testFiles } from './tool/test-file.ts';

let passed = 0;
let failed = 0;

/** @param faults none: the check has passed. */
function report(check: string, faults: readonly string[]): void {
  if (faults.length === 0) {
    passed += 1;
    console.log(`ok      ${check}`);
    return;
  }
  failed += 1;
  console.log(`FAILED  ${check}`);
  for (const fault of faults) console.log(fault.replaceAll(/^/gm, '        '));
}

report('generated files are what the rules say', await driftedFiles());
report('conventions', lintFaults());
report('every alert has a firing and a silent test', await coverageFaults());
for (const path of [RECORDING_FILE, ALERTS_FILE]) {
  const { ok, output } = await promtool('check', 'rules', path);
  report(`promtool check rules ${basename(path)}`, ok ? [] : [output]);
}
await reportTests();
await reportAlertmanager();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** As `promtool test rules rules/tests/*.yaml`, but each test only with the rules it needs. */
async function reportTests(): Promise<void> {
  const groups = [...RECORDING_GROUPS, ...ALERT_GROUPS];
  const dependencies = new Dependencies(groups);
  await using runner = await SliceRunner.open();
  for (const path of await testFiles()) {
    const file = await readTestFile(path);
    const results = await inParallel(file.tests, (test) =>
      runner.run((rules) => sliceOf(file, test, assertionsOf(test), groups, dependencies, rules)),
    );
    const faults = results.filter(({ ok }) => !ok).map(({ output }) => output);
    report(`promtool test rules ${basename(path)} (${file.tests.length} tests)`, [
      ...faults,
      ...orderFaults(file.group_eval_order),
    ]);
  }
  const { ok, output } = await riskModelsAgree(runner);
  report('rules and exporter agree about the risk of made-up hosts', ok ? [] : [output]);
}

/** promtool evaluates groups it was given no order for in any order. */
function orderFaults(order: readonly string[]): readonly string[] {
  const names = [...RECORDING_GROUPS, ...ALERT_GROUPS].map(({ name }) => name);
  return order.join() === names.join() ? [] : [`group_eval_order must be: ${names.join(', ')}`];
}

async function reportAlertmanager(): Promise<void> {
  const { ok, output } = await run('amtool', ['check-config', ALERTMANAGER_FILE]);
  report('amtool check-config', ok ? [] : [output]);
  const alerts = ALERT_GROUPS.flatMap(({ rules }) => rules);
  const unknown = (await namedAlerts()).filter(
    (pattern) => !alerts.some(({ alert }) => pattern.test(alert)),
  );
  report(
    'the Alertmanager example names only alerts there are',
    unknown.map((pattern) => `no alert matches ${pattern.source}`),
  );
  const receivers = { critical: 'pager', warning: 'tickets', info: 'nobody' } as const;
  const wrong = await inParallel(alerts, async ({ alert, labels: { severity } }) => {
    const receiver = await receiverOf({ alertname: alert, severity });
    return receiver === receivers[severity] ? [] : [`${alert} ${severity} goes to ${receiver}`];
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
  const key = (labels: Readonly<Record<string, string>>): string =>
    JSON.stringify(Object.entries(labels).toSorted());
  const silenced = new Set((await mutedAlerts(binary, all)).map(key));
  report(
    `${check} (${INHIBITION_CASES.length} cases)`,
    INHIBITION_CASES.flatMap(({ name, heard, muted }) => [
      ...heard.filter((one) => silenced.has(key(one))).map((one) => `${name}: mutes ${key(one)}`),
      ...muted
        .filter((one) => !silenced.has(key(one)))
        .map((one) => `${name}: lets ${key(one)} pass`),
    ]),
  );
}
