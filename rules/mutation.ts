/**
 * Puts one small fault after the other into the rules and sees whether the tests notice: an operator
 * turned round, a limit moved by a tenth or exchanged for the other severity, an arm of `and`,
 * `unless` or `or` dropped, a matcher dropped, a time halved. Exits with 1 when the tests notice less
 * than 98 % of them. `--show` lists what they missed; names of rules or subjects as arguments restrict
 * it to these.
 */
import { parseArgs } from 'node:util';

import { RISK_SIGNALS } from '../src/risk/risk-model.ts';
import { ALERT_GROUPS, RECORDING_GROUPS } from './src/pack.ts';
import type { AlertGroup, RecordingGroup } from './src/rule.ts';
import { mutantsOf, type Mutant } from './tool/mutants.ts';
import { SliceRunner } from './tool/run-tests.ts';
import {
  assertionsOf,
  Dependencies,
  nameOf,
  namesIn,
  sliceOf,
  type Assertion,
  type Groups,
  type Rule,
  type Slice,
} from './tool/slice.ts';
import { readTestFile, testFiles, type RuleTest, type TestFile } from './tool/test-file.ts';

const REQUIRED_SHARE = 0.98;

const { values: flags, positionals: wanted } = parseArgs({
  options: { show: { type: 'boolean', default: false } },
  allowPositionals: true,
});

interface Place {
  readonly file: TestFile;
  readonly test: RuleTest;
  readonly assertions: readonly Assertion[];
}

interface Case {
  readonly original: Rule;
  readonly mutant: Mutant;
  readonly places: readonly Place[];
}

const GROUPS: Groups = [...RECORDING_GROUPS, ...ALERT_GROUPS];
const DEPENDENCIES = new Dependencies(GROUPS);

const files = await Promise.all((await testFiles()).map(readTestFile));
const rules = GROUPS.flatMap((group): readonly Rule[] => group.rules);
const unknown = wanted.filter((name) => rulesCalled(name).length === 0);
if (unknown.length > 0) throw new RangeError(`no such rule: ${unknown.join(', ')}`);
const selected = new Set(wanted.length === 0 ? rules : wanted.flatMap(rulesCalled));
/** A count of what an alert finds, by its very expression, which lint holds: that is mutated itself. */
const copies = new Set(
  RISK_SIGNALS.flatMap(({ record, threshold }) => (threshold.kind === 'loss' ? [record] : [])),
);
const cases = rules
  .filter((rule) => !copies.has(nameOf(rule)))
  .filter((rule) => selected.has(rule))
  .flatMap((original): readonly Case[] => {
    const places = placesOf(original);
    return mutantsOf(original).map((mutant) => ({ original, mutant, places }));
  });

await using runner = await SliceRunner.open();
const missed = await survivors();
const killed = cases.length - missed.length;
const share = killed / cases.length;
if (flags.show) {
  for (const { original, mutant } of missed)
    console.log(`missed: ${titleOf(original)}: ${mutant.change}`);
}
console.log(`mutation score: ${(share * 100).toFixed(1)}% (${killed}/${cases.length})`);
process.exitCode = share >= REQUIRED_SHARE ? 0 : 1;

/** Rules of that name, or of the subject of that name. */
function rulesCalled(name: string): readonly Rule[] {
  const groups = [`kvm-${name}-recording`, `kvm-${name}-alerts`];
  return [
    ...rules.filter((rule) => nameOf(rule) === name),
    ...GROUPS.filter((group) => groups.includes(group.name)).flatMap(
      (group): readonly Rule[] => group.rules,
    ),
  ];
}

/** Assertions that depend on a rule, the ones about the rule itself first: they kill most. */
function placesOf(rule: Rule): readonly Place[] {
  const places = files.flatMap((file) =>
    file.tests.flatMap((test): readonly Place[] => {
      const assertions = assertionsOf(test).filter((one) => dependsOn(one, rule));
      return assertions.length === 0 ? [] : [{ file, test, assertions }];
    }),
  );
  const isDirect = ({ assertions }: Place): boolean =>
    assertions.some((one) => namesIn(one).includes(nameOf(rule)));
  const spread = (place: Place): number =>
    DEPENDENCIES.closureOf(place.assertions.flatMap(namesIn)).size;
  return places.toSorted(
    (one, other) => Number(isDirect(other)) - Number(isDirect(one)) || spread(one) - spread(other),
  );
}

function dependsOn(assertion: Assertion, rule: Rule): boolean {
  return DEPENDENCIES.closureOf(namesIn(assertion)).has(nameOf(rule));
}

/** Mutants no test notices: all run their first test, those that are left their second, and so on. */
async function survivors(): Promise<readonly Case[]> {
  let left: readonly Case[] = cases;
  const untested = left.filter(({ places }) => places.length === 0);
  const gone: Case[] = [...untested];
  left = left.filter(({ places }) => places.length > 0);
  for (let round = 0; left.length > 0; round += 1) {
    const passing = await runner.passing(left.map((one) => sliceIn(one, round)));
    const still = left.filter((_one, index) => passing[index]);
    gone.push(...still.filter(({ places }) => places.length === round + 1));
    left = still.filter(({ places }) => places.length > round + 1);
  }
  return gone;
}

function sliceIn({ original, mutant, places }: Case, round: number): (path: string) => Slice {
  const place = places[round];
  if (place === undefined) throw new RangeError('a mutant without a test');
  const { file, test, assertions } = place;
  const groups = GROUPS.map((group) => replaceIn(group, original, mutant.rule));
  return (path) => sliceOf(file, test, assertions, groups, DEPENDENCIES, path);
}

function replaceIn(
  group: RecordingGroup | AlertGroup,
  original: Rule,
  mutant: Rule,
): RecordingGroup | AlertGroup {
  const { name } = group;
  if ('alert' in mutant) {
    const rules = group.rules.filter((rule) => 'alert' in rule);
    return rules.length === 0
      ? group
      : { name, rules: rules.map((rule) => (rule === original ? mutant : rule)) };
  }
  const rules = group.rules.filter((rule) => 'record' in rule);
  return rules.length === 0
    ? group
    : { name, rules: rules.map((rule) => (rule === original ? mutant : rule)) };
}

function titleOf(rule: Rule): string {
  return 'alert' in rule ? `${rule.alert} ${rule.labels.severity}` : recordTitle(rule);
}

function recordTitle({ record, labels }: Exclude<Rule, { alert: string }>): string {
  return labels === undefined ? record : `${record} ${Object.values(labels).join(' ')}`;
}
