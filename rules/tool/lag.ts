import { parsePromql, selectorsOf } from '../../tools/promql.ts';
import type { AlertRule, RecordingRule } from '../src/rule.ts';

/** Evaluations that the youngest and the oldest data behind a value are late. */
interface Lag {
  readonly least: number;
  readonly most: number;
}

/** Limits do not move, so it does not matter how old they are. */
const CONSTANT = /^kvm_policy_/;
const NO_LAG: Lag = { least: 0, most: 0 };

/**
 * How many evaluations apart the data are that an alert compares, where a rule sees what another
 * recorded only one evaluation later: between groups with Prometheus, between any two rules with
 * vmalert, Mimir and Thanos' stateless ruler. Data that are all late by as much are late, not wrong.
 */
export function skewOf({ expr }: AlertRule, recordings: readonly RecordingRule[]): number {
  const { least, most } = lagOf(expr, recordings);
  return most - least;
}

function lagOf(expr: string, recordings: readonly RecordingRule[]): Lag {
  const lags = selectorsOf(parsePromql(expr))
    .filter(({ metric }) => !CONSTANT.test(metric))
    .map(({ metric }): Lag => {
      const behind = recordings
        .filter(({ record }) => record === metric)
        // What a rule reads of itself is its own last value, kept on purpose.
        .map((rule) =>
          lagOf(
            rule.expr,
            recordings.filter((other) => other !== rule),
          ),
        );
      if (behind.length === 0) return NO_LAG;
      return {
        least: 1 + Math.min(...behind.map(({ least }) => least)),
        most: 1 + Math.max(...behind.map(({ most }) => most)),
      };
    });
  if (lags.length === 0) return NO_LAG;
  return {
    least: Math.min(...lags.map(({ least }) => least)),
    most: Math.max(...lags.map(({ most }) => most)),
  };
}
