import { DEFAULT_POLICY, findLimit } from '../../src/config/policy.ts';
import {
  PROMISE_SERIES,
  RISK_RESOURCES,
  RISK_SIGNALS,
  riskLevels,
  type RiskSignal,
  type SignalId,
} from '../../src/risk/risk-model.ts';
import { ALERT_GROUPS, RECORDING_GROUPS } from '../src/pack.ts';
import type { SliceResult, SliceRunner } from './run-tests.ts';
import { seriesText } from './expectations.ts';
import { policySeries } from './policy-series.ts';
import { assertionsOf, Dependencies, sliceOf } from './slice.ts';
import type { RuleTest, TestFile } from './test-file.ts';

const HOSTS = 60;

/**
 * Lets the recording rules and the function of src/risk/risk-model.ts judge the same made-up
 * hosts: values below, at and above every limit, values that are missing, and promises nobody knows.
 */
export function riskModelsAgree(runner: SliceRunner): Promise<SliceResult> {
  const random = generator(20_260_101);
  const hosts = Array.from({ length: HOSTS }, (_one, index) => ({
    instance: `host${index}`,
    values: new Map(
      RISK_SIGNALS.flatMap((signal): readonly (readonly [SignalId, number])[] => {
        const choices = valuesAround(signal);
        const choice = choices[Math.floor(random() * (choices.length * 2))];
        return choice === undefined ? [] : [[signal.id, choice]];
      }),
    ),
    promised: new Set(RISK_RESOURCES.filter(() => random() < 0.5)),
  }));
  const test: RuleTest = {
    name: 'The rules and the exporter judge alike',
    interval: '1m',
    input_series: hosts.flatMap(({ instance, values, promised }) => [
      ...[...promised].flatMap((resource) => constant(PROMISE_SERIES[resource], instance, 1)),
      ...RISK_SIGNALS.filter((signal) => !isNoLoss(signal, values)).flatMap(({ id, record }) =>
        constant(record, instance, values.get(id)),
      ),
      ...policySeries({ job: 'kvm', instance }, 2),
    ]),
    promql_expr_test: [
      {
        expr: 'instance_resource:kvm_risk:level',
        eval_time: '1m',
        exp_samples: hosts.flatMap(({ instance, values, promised }) => {
          const levels = riskLevels(values, DEFAULT_POLICY, promised);
          return RISK_RESOURCES.flatMap((resource) => {
            // Where the exporter knows that nothing is lost, and nothing else, the rules know nothing.
            const known = RISK_SIGNALS.some(
              (signal) =>
                signal.resource === resource && values.has(signal.id) && !isNoLoss(signal, values),
            );
            if (!known && !promised.has(resource)) return [];
            const level = levels[resource]?.level;
            const labels = `instance_resource:kvm_risk:level{job="kvm",instance="${instance}",resource="${resource}"}`;
            return level === undefined ? [] : [{ labels, value: level }];
          });
        }),
      },
    ],
  };
  const file: TestFile = {
    rule_files: [],
    evaluation_interval: '1m',
    group_eval_order: [],
    tests: [test],
  };
  // Losses are given, and some of what they are counted from is given as well.
  const given = new Set<string>(RISK_SIGNALS.map(({ record }) => record));
  const groups = [
    ...RECORDING_GROUPS.map(({ name, rules }) => ({
      name,
      rules: rules.filter(({ record }) => !given.has(record)),
    })),
    ...ALERT_GROUPS,
  ];
  const dependencies = new Dependencies(groups);
  return runner.run((path) => sliceOf(file, test, assertionsOf(test), groups, dependencies, path));
}

/** The rules have no count of nothing; the exporter has a 0. */
function isNoLoss({ id, threshold }: RiskSignal, values: ReadonlyMap<SignalId, number>): boolean {
  return threshold.kind === 'loss' && values.get(id) === 0;
}

function valuesAround({ threshold }: RiskSignal): readonly number[] {
  if (threshold.kind === 'loss') return [0, 1, 2];
  if (threshold.kind === 'definition') {
    return [threshold.above, threshold.above + 1, threshold.above - 0.5];
  }
  const { warning, critical } = findLimit(DEFAULT_POLICY, threshold.key);
  const limits = [warning, critical].filter((one) => one !== undefined);
  return limits.flatMap((one) => [one, one + 0.01, one - 0.01]);
}

function constant(
  name: string,
  instance: string,
  value: number | undefined,
  labels: Readonly<Record<string, string>> = {},
): RuleTest['input_series'] {
  if (value === undefined) return [];
  const series = seriesText(name, { job: 'kvm', instance, ...labels });
  return [{ series, values: `${value}+0x2` }];
}

/** Numbers from 0 to 1, the same on every run (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
