import { RISK_SIGNALS, type RiskResource } from '../../src/risk/risk-model.ts';
import { ALERT_GROUPS } from '../src/pack.ts';
import { secondsOf } from './duration.ts';
import type { SliceRunner } from './run-tests.ts';
import { assertionsOf, type Dependencies, namesIn, sliceOf, type Groups } from './slice.ts';
import type { RuleTest, TestFile } from './test-file.ts';

const ONE_UNIT = /^[1-9][0-9]*[smhd]$/;

/**
 * Asks in every written test of an alert that pages for a resource, at each moment the test looks at:
 * is the level of that resource 3 exactly on the hosts where the expression of one of its critical
 * alerts has a result? However the tests came about, they are what the alerts are known by.
 *
 * @returns what promtool says of the tests in which it is not so.
 */
export async function lossFaults(
  files: readonly TestFile[],
  groups: Groups,
  dependencies: Dependencies,
  runner: SliceRunner,
): Promise<readonly string[]> {
  const slices = files.flatMap((file) =>
    file.tests.flatMap((test) => {
      const asked = withQuestions(file, test);
      return asked === undefined
        ? []
        : [(path: string) => sliceOf(file, asked, assertionsOf(asked), groups, dependencies, path)];
    }),
  );
  return slices.length === 0 ? ['no test asks for a loss'] : await runner.faults(slices);
}

/** The test with these questions instead of its own; undefined where it is about no loss. */
function withQuestions(file: TestFile, test: RuleTest): RuleTest | undefined {
  const step = secondsOf(file.evaluation_interval);
  const checks = assertionsOf(test).flatMap((assertion) => {
    const { eval_time: time } = assertion.check;
    // Between two evaluations what was recorded is older than what is asked.
    if (!ONE_UNIT.test(time) || secondsOf(time) % step !== 0) return [];
    const names = namesIn(assertion);
    return LOSSES.filter(({ alert }) => names.includes(alert)).map(({ resource }) => ({
      resource,
      time,
    }));
  });
  if (checks.length === 0) return undefined;
  const distinct = new Map(checks.map((one) => [`${one.resource} ${one.time}`, one]));
  const { name, interval, input_series } = test;
  return {
    name,
    interval,
    input_series,
    promql_expr_test: [...distinct.values()].flatMap(({ resource, time }) =>
      questions(resource).map((expr) => ({ expr, eval_time: time, exp_samples: [] })),
    ),
  };
}

const HOST = 'cluster, job, instance';

/** Nothing comes of either: no level 3 without a loss, and no loss without level 3. */
function questions(resource: RiskResource): readonly string[] {
  const level = `instance_resource:kvm_risk:level{resource="${resource}"} == 3`;
  const lost = LOSSES.filter((loss) => loss.resource === resource)
    .map(({ expr }) => `count by (${HOST}) (\n${expr}\n)`)
    .join('\nor\n');
  return [
    `(${level}) unless on (${HOST}) (\n${lost}\n)`,
    `(\n${lost}\n) unless on (${HOST}) (${level})`,
  ];
}

const CRITICAL = ALERT_GROUPS.flatMap(({ rules }) =>
  rules.filter(({ labels }) => labels.severity === 'critical'),
);

const LOSSES = RISK_SIGNALS.flatMap(({ resource, threshold }) =>
  threshold.kind === 'loss'
    ? CRITICAL.filter(({ alert }) => alert === threshold.alert).map(({ alert, expr }) => ({
        resource,
        alert,
        expr,
      }))
    : [],
);
