import { RISK_RESOURCES } from '../../src/risk/risk-model.ts';
import { inParallel, type SliceRunner } from '../tool/run-tests.ts';
import { wholePack, type Groups, type Slice } from '../tool/slice.ts';
import type { RuleTest, TestFile } from '../tool/test-file.ts';
import type { VmalertTool } from '../tool/vmalert-tool.ts';
import { HEALTHY } from './healthy.ts';
import { minutes, type Look, type Scenario } from './scenario.ts';
import { SLOW } from './slow.ts';
import { TROUBLED } from './troubled.ts';

/** How the hosts of some scenarios are watched. Times in seconds. */
export interface Watch {
  readonly name: string;
  readonly scenarios: readonly Scenario[];
  /** Between two scrapes. */
  readonly interval: number;
  /** As Prometheus writes it. */
  readonly evaluationInterval: string;
  /** So many times the guests. */
  readonly size: number;
}

/** @param interval between two scrapes, in seconds. */
function watchOfHours(interval: number, size: number): Watch {
  const guests = size === 1 ? '' : `, with ${size} times the guests`;
  return {
    name: `scraped every ${interval} s${guests}`,
    scenarios: [...HEALTHY, ...TROUBLED],
    interval,
    evaluationInterval: '1m',
    size,
  };
}

const OF_WEEKS: Watch = {
  name: 'of weeks',
  scenarios: SLOW,
  interval: minutes(5),
  evaluationInterval: '30m',
  size: 1,
};

export const EVERY_MINUTE: Watch = watchOfHours(60, 1);

/** What the installed promtool is asked in `npm run check:rules`, where a newer one has every minute. */
export const WATCHES: readonly Watch[] = [watchOfHours(15, 1), watchOfHours(120, 2), OF_WEEKS];

/** Each interval with once and twice the guests. */
export const ALL_WATCHES: readonly Watch[] = [
  ...[15, 60, 120].flatMap((interval) => [1, 2].map((size) => watchOfHours(interval, size))),
  OF_WEEKS,
];

/**
 * All scenarios that are examined for about as long, as hosts of one Prometheus with the whole pack: does
 * each host say what is expected of it, and nothing else?
 *
 * @returns what promtool says of those that do not.
 */
export async function scenarioFaults(
  watch: Watch,
  groups: Groups,
  runner: SliceRunner,
): Promise<readonly string[]> {
  const parts = [...Map.groupBy(watch.scenarios, lastHalfHour).values()];
  const faults = await inParallel(parts, async (scenarios) => {
    const { slice } = watched({ ...watch, scenarios }, groups);
    const { ok, output } = await runner.run(slice);
    return ok ? [] : [withNames(output, scenarios)];
  });
  return faults.flat();
}

/** In which half hour, by number, the last look at a scenario is: until then promtool evaluates. */
function lastHalfHour(scenario: Scenario): number {
  return Math.ceil(lastLook(scenario) / 30);
}

/** In minutes. */
function lastLook({ looks }: Scenario): number {
  return Math.max(...looks.map(({ minute }) => minute));
}

/** All hosts at once are more series than vmalert-tool takes: it answers nothing then. */
const SCENARIOS_AT_ONCE = 8;

/** The same with MetricsQL. */
export async function scenarioDifferences(
  watch: Watch,
  groups: Groups,
  vmalert: VmalertTool,
): Promise<readonly string[]> {
  const parts: Watch[] = [];
  for (let start = 0; start < watch.scenarios.length; start += SCENARIOS_AT_ONCE) {
    const scenarios = watch.scenarios.slice(start, start + SCENARIOS_AT_ONCE);
    parts.push({ ...watch, scenarios });
  }
  const differences = await inParallel(parts, async (part) => {
    const { file, test, slice } = watched(part, groups);
    const found = await vmalert.differences(file, test, groups, slice);
    return found.map((one) => withNames(one, part.scenarios));
  });
  return differences.flat();
}

interface Watched {
  readonly file: TestFile;
  readonly test: RuleTest;
  readonly slice: (rulesPath: string) => Slice;
}

function watched(watch: Watch, groups: Groups): Watched {
  const { name, scenarios, interval, evaluationInterval, size } = watch;
  // The series outlive what is asked of them.
  const duration = minutes(Math.max(...scenarios.map(lastLook)) + 5);
  const test: RuleTest = {
    name: `scenarios ${name}`,
    interval: `${interval}s`,
    input_series: scenarios.flatMap(({ hosts }, index) =>
      hosts(instanceOf(index), size).flatMap((host) => host.input(interval, duration)),
    ),
    promql_expr_test: scenarios.flatMap((scenario, index) =>
      scenario.looks.flatMap((look) => expectations(scenario, instanceOf(index), look)),
    ),
  };
  const file: TestFile = {
    rule_files: [],
    evaluation_interval: evaluationInterval,
    group_eval_order: groups.map((group) => group.name),
    tests: [test],
  };
  return { file, test, slice: (path) => wholePack(test, groups, evaluationInterval, path) };
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
