/**
 * Whether the tests say of every alert, at every severity, when it fires and when it does not: not
 * only run by accident, but written down under a name that claims it.
 */
import type { AlertGroup, AlertRule, RecordingGroup } from './src/rule.ts';
import { expectedAlerts } from './tool/expectations.ts';
import { assertionsOf, Dependencies, namesIn, type Assertion } from './tool/slice.ts';
import type { RuleTest } from './tool/test-file.ts';

/** Alerts that have no silence to show, and why. */
const NEVER_SILENT: ReadonlyMap<string, string> = new Map([
  ['KvmWatchdog', 'it always fires: that it ends is the alarm'],
]);

/** What the tests leave out. */
export function coverageFaults(
  recordingGroups: readonly RecordingGroup[],
  alertGroups: readonly AlertGroup[],
  tests: readonly RuleTest[],
): readonly string[] {
  const alerts = alertGroups.flatMap((group) => group.rules);
  return [
    ...alerts.flatMap((alert) => faultsOfAlert(alert, alerts, tests)),
    ...untestedRecords(recordingGroups, alertGroups, tests),
    ...repeatedNames(tests),
  ];
}

function faultsOfAlert(
  { alert, labels: { severity }, keepFiringFor }: AlertRule,
  all: readonly AlertRule[],
  tests: readonly RuleTest[],
): readonly string[] {
  const title = `${alert} (${severity})`;
  const own = tests.filter(({ name }) => name.startsWith(`${alert} `));
  const checks = own.flatMap(assertionsOf).filter((one) => namesIn(one).includes(alert));
  const faults: string[] = [];
  if (!checks.some((one) => firing(one, alert).includes(severity))) {
    faults.push(`${title}: no test in which it fires`);
  }
  const silent = own.filter(({ name }) => name.startsWith(`${alert} stays silent `));
  const only = own.filter(({ name }) => name.startsWith(`${alert} is only a warning `));
  const isSecond = severity === 'critical' && all.filter((one) => one.alert === alert).length > 1;
  const claims = isSecond ? only : silent;
  const kept = claims.flatMap(assertionsOf).filter((one) => namesIn(one).includes(alert));
  if (NEVER_SILENT.has(alert)) {
    if (silent.length > 0) faults.push(`${title}: said to be never silent, and a test says it is`);
  } else if (kept.length === 0 || kept.some((one) => firing(one, alert).includes(severity))) {
    const words = isSecond ? 'is only a warning' : 'stays silent';
    faults.push(`${title}: no test "${alert} ${words} …"`);
  }
  const keeps = own.some(({ name }) => name.includes('keeps firing'));
  if (keepFiringFor !== undefined && !keeps) {
    faults.push(`${title}: no test that it keeps firing for ${keepFiringFor}`);
  }
  return faults;
}

/** The severities at which an assertion expects an alert to fire. */
function firing(assertion: Assertion, alert: string): readonly (string | undefined)[] {
  return expectedAlerts(assertion, alert).map(({ severity }) => severity);
}

function untestedRecords(
  recordingGroups: readonly RecordingGroup[],
  alertGroups: readonly AlertGroup[],
  tests: readonly RuleTest[],
): readonly string[] {
  const dependencies = new Dependencies([...recordingGroups, ...alertGroups]);
  const reached = dependencies.closureOf(tests.flatMap(assertionsOf).flatMap(namesIn));
  const records = new Set(
    recordingGroups.flatMap(({ rules }) => rules.map(({ record }) => record)),
  );
  return [...records].filter((one) => !reached.has(one)).map((one) => `${one}: no test reaches it`);
}

function repeatedNames(tests: readonly RuleTest[]): readonly string[] {
  const names = tests.map(({ name }) => name);
  return names
    .filter((name, index) => names.indexOf(name) !== index)
    .map((name) => `two tests are called "${name}"`);
}
