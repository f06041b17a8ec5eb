/**
 * `npm run scenarios`: the scenarios with every interval and size through both versions of Prometheus, and
 * every minute through VictoriaMetrics' vmalert-tool. It takes half an hour, so that `npm run check:rules` has
 * each interval, each size and each Prometheus once. `promtool` or `vmalert-tool` as an argument is that
 * program alone. One line for each difference and one for each watch, which counts them; exits with 1 when
 * there is any.
 */
import { ALERT_GROUPS, RECORDING_GROUPS } from '../src/pack.ts';
import { newerEngines } from '../tool/engines.ts';
import { SliceRunner } from '../tool/run-tests.ts';
import { VmalertTool } from '../tool/vmalert-tool.ts';
import {
  ALL_WATCHES,
  EVERY_MINUTE,
  scenarioDifferences,
  scenarioFaults,
  type Watch,
} from './check.ts';

const PROGRAMS = ['promtool', 'vmalert-tool'];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((one) => !PROGRAMS.includes(one));
if (unknown.length > 0) {
  console.error(`no such program: ${unknown.join(', ')} (there are: ${PROGRAMS.join(', ')})`);
  process.exit(2);
}
const groups = [...RECORDING_GROUPS, ...ALERT_GROUPS];
const { promtool: newer, vmalertTool } = await newerEngines();
if (asked('promtool')) {
  for (const { name, path } of [{ name: 'promtool', path: 'promtool' }, newer]) {
    await using runner = await SliceRunner.open(path);
    for (const watch of ALL_WATCHES) {
      report(name, watch, await scenarioFaults(watch, groups, runner));
    }
  }
}
if (asked('vmalert-tool')) {
  await using vmalert = await VmalertTool.open(vmalertTool.path);
  report(vmalertTool.name, EVERY_MINUTE, await scenarioDifferences(EVERY_MINUTE, groups, vmalert));
}

function asked(program: string): boolean {
  return wanted.length === 0 || wanted.includes(program);
}

function report(program: string, { name, scenarios }: Watch, differences: readonly string[]): void {
  for (const one of differences) console.log(one);
  if (differences.length > 0) process.exitCode = 1;
  console.log(
    `${program}: ${scenarios.length} scenarios ${name}, ${differences.length} differences`,
  );
}
