import { RISK_RESOURCES } from '../../src/risk/risk-model.ts';
import type { SliceRunner } from '../tool/run-tests.ts';
import { wholePack, type Groups } from '../tool/slice.ts';
import type { RuleTest } from '../tool/test-file.ts';
import { HEALTHY } from './healthy.ts';
import { minutes, type Look, type Scenario } from './scenario.ts';
import { TROUBLED } from './troubled.ts';

/** How a fleet of the scenarios is watched: seconds between scrapes, and times the guests. */
export interface Watch {
  readonly interval: number;
  readonly size: number;
}

export const WATCHES: readonly Watch[] = [
  { interval: 15, size: 1 },
  { interval: 60, size: 1 },
  { interval: 120, size: 1 },
  { interval: 60, size: 2 },
];

/**
 * All scenarios at once, as hosts of one Prometheus with the whole pack: does each host say what is
 * expected of it, and nothing else?
 *
 * @returns what promtool says of those that do not.
 */
export async function scenarioFaults(
  watch: Watch,
  groups: Groups,
  runner: SliceRunner,
): Promise<readonly string[]> {
  const scenarios = [...HEALTHY, ...TROUBLED];
  const test: RuleTest = {
    name: `scenarios, ${watch.interval} s`,
    interval: `${watch.interval}s`,
    input_series: scenarios.flatMap(({ hosts }, index) =>
      hosts(instanceOf(index), watch.size).flatMap((host) =>
        host.input(watch.interval, minutes(125)),
      ),
    ),
    promql_expr_test: scenarios.flatMap((scenario, index) =>
      scenario.looks.flatMap((look) => expectations(scenario, instanceOf(index), look)),
    ),
  };
  const { ok, output } = await runner.run((path) => wholePack(test, groups, '1m', path));
  return ok ? [] : [withNames(output, scenarios)];
}

/** Of two clusters only the one that burns says anything, so that the instance is name enough. */
function expectations(
  { name }: Scenario,
  instance: string,
  { minute, alerts, risk = {} }: Look,
): NonNullable<RuleTest['promql_expr_test']> {
  const eval_time = `${minute}m`;
  return [
    {
      expr: `count by (alertname, severity) (ALERTS{alertstate="firing",instance="${instance}"})`,
      eval_time,
      exp_samples: alerts.map((alert) => {
        const [, alertname, severity, count = '1'] =
          /^(\w+) (critical|warning|info)(?: x(\d+))?$/.exec(alert) ?? [];
        if (alertname === undefined || severity === undefined) {
          throw new RangeError(`${name}: ${alert} is not "name severity" or "name severity xN"`);
        }
        return {
          labels: `{alertname="${alertname}",severity="${severity}"}`,
          value: Number(count),
        };
      }),
    },
    {
      expr: `max by (resource) (instance_resource:kvm_risk:level{instance="${instance}"}) > 0`,
      eval_time,
      exp_samples: RISK_RESOURCES.flatMap((resource) => {
        const level = risk[resource];
        return level === undefined ? [] : [{ labels: `{resource="${resource}"}`, value: level }];
      }),
    },
  ];
}

function instanceOf(index: number): string {
  return `scenario${index}`;
}

function withNames(output: string, scenarios: readonly Scenario[]): string {
  return output.replaceAll(/scenario(\d+)/g, (instance, index: string) => {
    const name = scenarios[Number(index)]?.name;
    return name === undefined ? instance : `${instance} (${name})`;
  });
}
