/**
 * VictoriaMetrics' vmalert-tool as a second reading of the tests. It runs promtool's tests, but with
 * MetricsQL, whose windows reach one sample further back and whose rules see what other rules
 * recorded one evaluation late: so the moment may differ, and the last digits, and nothing else.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { secondsOfParts } from './duration.ts';
import { run } from './promtool.ts';
import { assertionsOf, nameOf, namesIn, type Assertion, type Groups, type Slice } from './slice.ts';
import type { RuleTest, TestFile } from './test-file.ts';

/**
 * How many evaluations earlier or later it may say the same: where a counter begins, promtool's
 * rate rises for the five minutes of its window, MetricsQL's is right at once.
 */
const EVALUATIONS = 5;
/** Its storage keeps some twelve digits. */
const RELATIVE_ERROR = 1e-6;
/** Of the group; promtool's alerts have none. */
const GROUP_LABEL = 'alertgroup';
/** What no test expects, so that it shows what it got. */
const NEVER = { never: 'expected' } as const;

/** Labels as sorted JSON, and a value; alerts have none. */
interface Sample {
  readonly labels: string;
  readonly value?: number;
}

/** Answers by the question and the second it was asked for. */
type Answers = ReadonlyMap<string, readonly Sample[]>;

export class VmalertTool implements AsyncDisposable {
  readonly #path: string;
  readonly #folder: string;
  #count = 0;

  /** @param path of the program. */
  static async open(path: string): Promise<VmalertTool> {
    return new VmalertTool(path, await mkdtemp(join(tmpdir(), 'kvm-vmalert-')));
  }

  private constructor(path: string, folder: string) {
    this.#path = path;
    this.#folder = folder;
  }

  /**
   * What it says otherwise than the test expects.
   *
   * @param slice the rules that are needed; what else is in it does not count.
   * @throws Error when the program says nothing that could be compared.
   */
  async differences(
    file: TestFile,
    test: RuleTest,
    groups: Groups,
    slice: (rulesPath: string) => Slice,
  ): Promise<readonly string[]> {
    const assertions = assertionsOf(test);
    const step = secondsOfParts(file.evaluation_interval);
    const answers = await this.#ask(file, test, groups, slice, step);
    return assertions.flatMap((assertion) => {
      const expected = expectedSamples(assertion);
      const time = secondsOfParts(assertion.check.eval_time);
      // What never happens in a test has no moment that could differ.
      const moments = happens(assertion, assertions) ? momentsAround(time, step) : [time];
      const got = moments.map((at) => answers.get(keyOf(assertion, at)) ?? []);
      if (got.some((samples) => alike(samples, expected))) return [];
      const now = got[0] ?? [];
      return [
        `${test.name}\n  ${questionOf(assertion)} at ${assertion.check.eval_time}` +
          `\n  expected ${wordsOf(expected)}\n  got      ${wordsOf(now)}`,
      ];
    });
  }

  async #ask(
    file: TestFile,
    test: RuleTest,
    groups: Groups,
    slice: (rulesPath: string) => Slice,
    step: number,
  ): Promise<Answers> {
    this.#count += 1;
    const folder = join(this.#folder, String(this.#count));
    await mkdir(folder);
    const rules = join(folder, 'rules.yaml');
    const path = join(folder, 'test.yaml');
    const assertions = assertionsOf(test);
    await writeFile(rules, slice(rules).rules);
    await writeFile(path, questions(file, test, groups, rules, step));
    const args = ['unittest', `--files=${path}`];
    // Its database lies under a fixed name in the folder for temporary files.
    const { output } = await run(this.#path, args, { TMPDIR: folder });
    await rm(folder, { recursive: true });
    const answers = parseAnswers(output);
    const asked = new Set(
      assertions.flatMap((one) =>
        momentsAround(secondsOfParts(one.check.eval_time), step).map((at) => keyOf(one, at)),
      ),
    );
    const missing = [...asked].filter((key) => !answers.has(key));
    if (missing.length > 0) {
      throw new Error(`vmalert-tool does not answer ${missing.join(', ')} but says: ${output}`);
    }
    return answers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The test as questions: each expects what cannot be, so each answer is printed. */
function questions(
  file: TestFile,
  test: RuleTest,
  groups: Groups,
  rules: string,
  step: number,
): string {
  const asked = new Set<string>();
  const alerts: unknown[] = [];
  const queries: unknown[] = [];
  for (const assertion of assertionsOf(test)) {
    for (const at of momentsAround(secondsOfParts(assertion.check.eval_time), step)) {
      if (asked.has(keyOf(assertion, at))) continue;
      asked.add(keyOf(assertion, at));
      if (assertion.kind === 'alert') {
        alerts.push({
          eval_time: `${at}s`,
          // Told to leave the label of the group out, it does so for some samples only.
          groupname: groupOf(assertion.check.alertname, groups),
          alertname: assertion.check.alertname,
          exp_alerts: [{ exp_labels: NEVER }],
        });
      } else {
        queries.push({
          expr: assertion.check.expr,
          eval_time: `${at}s`,
          exp_samples: [{ labels: '{never="expected"}', value: 1 }],
        });
      }
    }
  }
  return stringify({
    rule_files: [rules],
    evaluation_interval: file.evaluation_interval,
    group_eval_order: file.group_eval_order,
    tests: [
      {
        name: test.name,
        interval: test.interval,
        input_series: test.input_series,
        ...(alerts.length === 0 ? {} : { alert_rule_test: alerts }),
        ...(queries.length === 0 ? {} : { metricsql_expr_test: queries }),
      },
    ],
  });
}

function groupOf(alert: string, groups: Groups): string {
  const group = groups.find(({ rules }) => rules.some((rule) => nameOf(rule) === alert));
  if (group === undefined) throw new RangeError(`${alert}: no such alert`);
  return group.name;
}

/** The moment itself first. */
function momentsAround(time: number, step: number): readonly number[] {
  const moments = [time];
  for (let away = 1; away <= EVALUATIONS; away += 1) {
    moments.push(time + away * step, time - away * step);
  }
  return moments.filter((moment) => moment >= 0);
}

function questionOf({ kind, check }: Assertion): string {
  return kind === 'alert' ? check.alertname : check.expr;
}

/** Whether what is asked about is there at some time of the test. */
function happens(assertion: Assertion, all: readonly Assertion[]): boolean {
  const names = namesIn(assertion);
  return all.some(
    (one) => expectedSamples(one).length > 0 && namesIn(one).some((name) => names.includes(name)),
  );
}

function keyOf(assertion: Assertion, seconds: number): string {
  return `${questionOf(assertion)} @${seconds}`;
}

function expectedSamples(assertion: Assertion): readonly Sample[] {
  if (assertion.kind === 'alert') {
    return (assertion.check.exp_alerts ?? []).map(({ exp_labels }) => ({
      labels: sorted({ ...exp_labels, alertname: assertion.check.alertname }),
    }));
  }
  return assertion.check.exp_samples.map(({ labels, value }) => {
    const [, name = '', rest = ''] = /^([a-zA-Z_:][\w:]*)?(\{.*)?$/s.exec(labels.trim()) ?? [];
    return {
      labels: sorted({ ...pairsIn(rest), ...(name === '' ? {} : { __name__: name }) }),
      value: numberOf(String(value)),
    };
  });
}

/** Reads what it got out of its complaints. */
function parseAnswers(output: string): Answers {
  const answers = new Map<string, readonly Sample[]>();
  let key: string | undefined;
  let got: Sample[] | undefined;
  for (const line of output.split('\n')) {
    const alert = /^ +groupname: .*, alertname: (\w+), time: (\w+)/.exec(line);
    const query = /^ +expr: ("(?:[^"\\]|\\.)*"), time: (\w+)/.exec(line);
    if (alert !== null) {
      key = `${alert[1] ?? ''} @${secondsOfParts(alert[2] ?? '')}`;
      got = undefined;
    } else if (query !== null) {
      const expr: unknown = JSON.parse(query[1] ?? '""');
      key = `${String(expr)} @${secondsOfParts(query[2] ?? '')}`;
    } else if (key !== undefined && line.trimStart().startsWith('got:[')) {
      got = [];
      answers.set(key, got);
    } else if (key !== undefined && line.trimStart().startsWith('got: ')) {
      answers.set(key, samplesIn(line));
    } else {
      const [, labels] = /^ *Labels:\{(.*)\}/.exec(line) ?? [];
      if (labels !== undefined) got?.push({ labels: sorted(pairsIn(labels)) });
    }
  }
  return answers;
}

function samplesIn(line: string): readonly Sample[] {
  const samples = line.matchAll(/(\{(?:"(?:[^"\\]|\\.)*"|[^"}])*\}) ([^\s,\]]+)/g);
  return [...samples].map(([, labels = '', value = '']) => ({
    labels: sorted(pairsIn(labels)),
    value: numberOf(value),
  }));
}

function alike(got: readonly Sample[], expected: readonly Sample[]): boolean {
  return (
    got.length === expected.length &&
    expected.every(({ labels, value }) =>
      got.some((one) => one.labels === labels && close(one.value, value)),
    )
  );
}

function close(a: number | undefined, b: number | undefined): boolean {
  if (a === undefined || b === undefined || Object.is(a, b)) return Object.is(a, b);
  return a === b || Math.abs(a - b) <= RELATIVE_ERROR * Math.max(Math.abs(a), Math.abs(b));
}

function pairsIn(text: string): Readonly<Record<string, string>> {
  const pairs = text.matchAll(/(\w+)=("(?:[^"\\]|\\.)*")/g);
  return Object.fromEntries(
    [...pairs].map(([, name = '', quoted = '""']): [string, string] => {
      const value: unknown = JSON.parse(quoted);
      return [name, String(value)];
    }),
  );
}

function sorted(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).filter(
    ([name, value]) => name !== GROUP_LABEL && value !== '',
  );
  return JSON.stringify(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function numberOf(text: string): number {
  const word = /^([+-]?)\.?inf$/i.exec(text);
  if (word !== null) return word[1] === '-' ? -Infinity : Infinity;
  return Number(text);
}

function wordsOf(samples: readonly Sample[]): string {
  if (samples.length === 0) return 'nothing';
  return samples
    .map(({ labels, value }) => `${labels} ${String(value ?? '')}`)
    .join('\n           ');
}
