/**
 * Tests nobody has to write: from every written one in which an alert fires, as many as it reads
 * metrics, each without one of them; from every one in which it is silent, the same in which all
 * counters begin anew. An alert must stay silent in all of them.
 */
import type { AlertRule } from '../src/rule.ts';
import { secondsOf } from './duration.ts';
import { expectedAlerts, labelsIn, type Labels } from './expectations.ts';
import { parsePromql, selectorsOf } from '../../tools/promql.ts';
import type { SliceRunner } from './run-tests.ts';
import { expandedValues, restartedValues } from './sample-values.ts';
import {
  assertionsOf,
  Dependencies,
  namesIn,
  nameOf,
  sliceOf,
  type Groups,
  type Rule,
} from './slice.ts';
import type { RuleTest, TestFile } from './test-file.ts';

/** An alert that must be silent in a test made from a written one. */
export interface DerivedCase {
  readonly rule: AlertRule;
  readonly file: TestFile;
  readonly test: RuleTest;
}

/** A case in which data are missing, and which. */
export interface AbsenceCase extends DerivedCase {
  readonly metric: string;
}

/** Every alert that fires in a test, once for every metric it reads there, without that one. */
export function absenceCases(
  rule: AlertRule,
  groups: Groups,
  files: readonly TestFile[],
): readonly AbsenceCase[] {
  const inputs = inputsOf(rule, groups);
  return moments(rule, files).flatMap(({ file, test, time, firing }) =>
    firing.flatMap((labels) => {
      const about = test.input_series
        .map(({ series }) => series)
        .filter((one) => fits(one, labels));
      return [...inputs.intersection(new Set(about.map(metricOf)))].map((metric) => ({
        rule,
        file,
        metric,
        test: silentAt(time, alertsOf(rule, { ...labels, alertstate: 'firing' }), {
          ...test,
          input_series: test.input_series.filter(({ series }) => metricOf(series) !== metric),
        }),
      }));
    }),
  );
}

/** Every moment an alert does not fire in its tests, as it is written and after a restart. */
export function restartCases(
  rule: AlertRule,
  groups: Groups,
  files: readonly TestFile[],
): readonly { readonly written: DerivedCase; readonly restarted: DerivedCase }[] {
  const counters = new Set([...inputsOf(rule, groups)].filter((one) => one.endsWith('_total')));
  const silence = alertsOf(rule, {});
  return moments(rule, files)
    .filter(({ firing, time }) => firing.length === 0 && time !== '0m')
    .flatMap(({ file, test, time }) => {
      const at = Math.floor(secondsOf(time) / secondsOf(test.interval)) - 1;
      const restarted = test.input_series.map(({ series, values }) => ({
        series,
        values: series.includes('_total') ? restartedAt(values, at) : values,
      }));
      const counts = test.input_series.some(({ series }) => counters.has(metricOf(series)));
      if (!counts || at < 1) return [];
      return [
        {
          written: { rule, file, test: silentAt(time, silence, test) },
          restarted: {
            rule,
            file,
            test: silentAt(time, silence, { ...test, input_series: restarted }),
          },
        },
      ];
    });
}

/** Metrics of the exporter a rule rests on, through recording rules; what annotations read is none. */
export function inputsOf(rule: Rule, groups: Groups): ReadonlySet<string> {
  const rules = groups.flatMap((group): readonly Rule[] => group.rules);
  const found = new Set<string>();
  const open = [rule];
  const seen = new Set<Rule>();
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (seen.has(one)) continue;
    seen.add(one);
    for (const { metric } of selectorsOf(parsePromql(one.expr))) {
      const recorded = rules.filter((other) => nameOf(other) === metric);
      open.push(...recorded);
      if (recorded.length === 0) found.add(metric);
    }
  }
  return found;
}

/** The cases in which the alert is not silent. */
export async function loudCases<T extends DerivedCase>(
  cases: readonly T[],
  groups: Groups,
  runner: SliceRunner,
): Promise<readonly T[]> {
  const dependencies = new Dependencies(groups);
  const silent = await runner.passing(
    cases.map(
      ({ file, test }) =>
        (path) =>
          sliceOf(file, test, assertionsOf(test), groups, dependencies, path),
    ),
  );
  return cases.filter((_one, index) => silent[index] !== true);
}

/** What the tests of an alert say about it at some time. */
interface Moment {
  readonly file: TestFile;
  readonly test: RuleTest;
  readonly time: string;
  /** The labels of each that fires; none: it is silent. */
  readonly firing: readonly Labels[];
}

function moments(
  { alert, labels: { severity } }: AlertRule,
  files: readonly TestFile[],
): readonly Moment[] {
  return files.flatMap((file) =>
    file.tests
      .filter(({ name }) => name.startsWith(`${alert} `))
      .flatMap((test) =>
        assertionsOf(test)
          .filter((one) => namesIn(one).includes(alert))
          .map((one) => ({
            file,
            test,
            time: one.check.eval_time,
            firing: expectedAlerts(one, alert).filter((labels) => labels['severity'] === severity),
          })),
      ),
  );
}

function alertsOf({ alert, labels: { severity } }: AlertRule, more: Labels): string {
  const labels = Object.entries({ ...more, alertname: alert, severity });
  return `ALERTS{${labels.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}}`;
}

/** Whether a series can be about what an alert with these labels is about. */
function fits(series: string, labels: Labels): boolean {
  return Object.entries(labelsIn(series)).every(
    ([name, value]) => labels[name] === undefined || labels[name] === value || name === 'severity',
  );
}

function silentAt(
  time: string,
  alerts: string,
  { name, interval, input_series }: RuleTest,
): RuleTest {
  return {
    name,
    interval,
    input_series,
    promql_expr_test: [{ expr: alerts, eval_time: time, exp_samples: [] }],
  };
}

function restartedAt(values: string, at: number): string {
  return restartedValues(expandedValues(values), at).join(' ');
}

function metricOf(series: string): string {
  return series.split('{')[0] ?? series;
}
