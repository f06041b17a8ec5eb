/**
 * Writes into the tests what every alert they expect would say: `promtool test rules` compares all
 * annotations, and nobody types them. Run it after a change of wording, then read the difference:
 * that is what people on call will read.
 */
import { readFile, writeFile } from 'node:fs/promises';

import { isMap, isSeq, parseDocument, type YAMLMap } from 'yaml';

import { ALERT_GROUPS, RECORDING_GROUPS } from './src/pack.ts';
import { inParallel, SliceRunner } from './tool/run-tests.ts';
import { assertionsOf, Dependencies, sliceOf, type Groups } from './tool/slice.ts';
import { readTestFile, testFiles } from './tool/test-file.ts';

type Labels = ReadonlyMap<string, string>;

interface Rendered {
  readonly test: string;
  readonly labels: Labels;
  readonly annotations: Labels;
}

const GROUPS: Groups = [...RECORDING_GROUPS, ...ALERT_GROUPS];
const DEPENDENCIES = new Dependencies(GROUPS);

await using runner = await SliceRunner.open();
for (const path of await testFiles()) {
  const file = await readTestFile(path);
  const outputs = await inParallel(file.tests, (test) =>
    runner.run((rules) => sliceOf(file, test, assertionsOf(test), GROUPS, DEPENDENCIES, rules)),
  );
  const rendered = outputs.flatMap(({ output }) => renderedIn(output));
  if (rendered.length === 0) continue;
  const document = parseDocument(await readFile(path, 'utf8'));
  const tests = document.get('tests');
  if (!isSeq(tests)) throw new Error(`${path}: no tests`);
  for (const test of tests.items) {
    if (!isMap(test)) continue;
    for (const alert of expectedAlerts(test)) {
      const found = rendered.find(
        (one) => one.test === test.get('name') && sameLabels(one.labels, alert.get('exp_labels')),
      );
      if (found !== undefined) alert.set('exp_annotations', Object.fromEntries(found.annotations));
    }
  }
  await writeFile(path, document.toString({ lineWidth: 0, singleQuote: true }));
}

function expectedAlerts(test: YAMLMap): readonly YAMLMap[] {
  const checks = test.get('alert_rule_test');
  if (!isSeq(checks)) return [];
  return checks.items.flatMap((check) => {
    const alerts = isMap(check) ? check.get('exp_alerts') : undefined;
    return isSeq(alerts) ? alerts.items.filter((alert) => isMap(alert)) : [];
  });
}

/** Reads what promtool got instead of what a test expected; all of it where they differ. */
function renderedIn(output: string): readonly Rendered[] {
  return output.split('\n    name: ').flatMap((block) => {
    const test = block.slice(0, block.indexOf(',\n'));
    const got = block.split('got:[').slice(1).join('');
    const pairs = [...got.matchAll(/Labels:\{(.*)\}\n\s*Annotations:\{(.*)\}/g)];
    return pairs.map(([, labels = '', annotations = '']) => ({
      test,
      labels: pairsIn(labels),
      annotations: pairsIn(annotations),
    }));
  });
}

function pairsIn(text: string): Labels {
  const pairs = text.matchAll(/(\w+)=("(?:[^"\\]|\\.)*")/g);
  return new Map([...pairs].map(([, name = '', value = '""']) => [name, unquoted(value)]));
}

function unquoted(value: string): string {
  const text: unknown = JSON.parse(value);
  return String(text);
}

/** The expectation leaves the name of the alert out. */
function sameLabels(labels: Labels, expected: unknown): boolean {
  if (!isMap(expected) || expected.items.length !== labels.size - 1) return false;
  return [...labels].every(
    ([name, value]) => name === 'alertname' || String(expected.get(name)) === value,
  );
}
