import type { AlertLabels } from '../../../rules/tool/alertmanager.ts';
import { secondsOfParts } from '../../../rules/tool/duration.ts';
import { labelsIn } from '../../../rules/tool/expectations.ts';
import type { SliceRunner } from '../../../rules/tool/run-tests.ts';
import { wholePack, type Groups } from '../../../rules/tool/slice.ts';
import type { RuleTest } from '../../../rules/tool/test-file.ts';

/**
 * The alerts of the whole pack that fire, by time: promtool is asked for none at each, and says
 * which there are instead.
 *
 * @param seconds the times to look at.
 */
export async function firingAlerts(
  input: Pick<RuleTest, 'interval' | 'input_series'>,
  seconds: readonly number[],
  groups: Groups,
  runner: SliceRunner,
): Promise<ReadonlyMap<number, readonly AlertLabels[]>> {
  const test: RuleTest = {
    name: 'what fires',
    ...input,
    promql_expr_test: seconds.map((at) => ({
      expr: 'ALERTS{alertstate="firing"}',
      eval_time: `${at}s`,
      exp_samples: [],
    })),
  };
  const { output } = await runner.run((path) => wholePack(test, groups, '30s', path));
  const found = new Map<number, readonly AlertLabels[]>();
  for (const [, time = '', got = ''] of output.matchAll(
    /time: (\S+),\s*exp:[^\n]*\n\s*got: ?([^\n]*)/g,
  )) {
    const series = got.match(/\{__name__="ALERTS"(?:[^{}"]|"(?:[^"\\]|\\.)*")*\}/g) ?? [];
    found.set(
      secondsOfParts(time),
      series.map((one) => Object.fromEntries(labelsOf(one))),
    );
  }
  return found;
}

function labelsOf(series: string): readonly (readonly [string, string])[] {
  return Object.entries(labelsIn(series)).filter(
    ([label]) => label !== '__name__' && label !== 'alertstate',
  );
}
