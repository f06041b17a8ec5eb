import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import {
  commandsOf,
  filled,
  placeholdersOf,
  readRunbooks,
  sectionOf,
  stepsOf,
  type Step,
} from '../../../docs/runbook.ts';
import { labelsOfExpression } from '../../../rules/tool/series.ts';
import { unitOfExpression, type Unit } from '../../../rules/tool/units.ts';
import { COLLECTORS } from '../../../src/model/collectors.ts';
import { CATALOGUE } from '../../../src/metrics/catalogue.ts';
import { parsePromql, selectorsOf } from '../../../tools/promql.ts';
import { TREATMENTS, UNTRIED } from '../../support/runbook-mitigations.ts';
import { NOT_ON_THIS_HOST, SHOWN } from '../../support/runbook-promises.ts';

const steps = readRunbooks().flatMap((runbook) => {
  const diagnosis = sectionOf(runbook, 'Diagnosis');
  return (diagnosis === undefined ? [] : stepsOf(diagnosis)).map((step) => ({
    key: `${runbook.name} ${step.number}`,
    ...step,
  }));
});

/** Programs a step tells to run, or not to, and options: nothing that is printed. */
const OF_THE_READER = new Set(['ls', 'df', 'du', '-U', '+Inf']);

function commandsIn({ blocks }: Step): readonly string[] {
  return blocks.filter(({ language }) => language === 'sh').flatMap(commandsOf);
}

function expressionsIn({ blocks }: Step): readonly string[] {
  return blocks.filter(({ language }) => language === 'promql').map(({ text }) => text);
}

/** Words in code or in quotes, and units: what a text says is printed. */
function promisedWords(text: string): readonly string[] {
  const words = text.matchAll(
    /`([^`]+)`|"([^"]+)"|\b(KiB|Mbit\/s|Unix time|microseconds|milliseconds|nanoseconds|percent)\b/g,
  );
  return [...words].map(([, code, quoted, unit]) => code ?? quoted ?? unit ?? '');
}

describe('what the text of a runbook says its commands print', () => {
  const withCommands = steps.filter((step) =>
    commandsIn(step).some((command) => !NOT_ON_THIS_HOST.some((one) => one.command.test(command))),
  );

  it('is compared for each step that has any', () => {
    const missing = withCommands.filter(({ key }) => SHOWN[key] === undefined);
    expect(missing.map(({ key }) => key)).toEqual([]);
    const known = new Set(withCommands.map(({ key }) => key));
    expect(Object.keys(SHOWN).filter((key) => !known.has(key))).toEqual([]);
  });

  it('stands in the text as it is compared', () => {
    const gone = withCommands.flatMap(({ key, text }) =>
      (SHOWN[key] ?? [])
        .filter(({ says }) => !text.includes(says))
        .map(({ says }) => `${key}: ${says}`),
    );
    expect(gone).toEqual([]);
  });

  it('leaves no word in code, no quotation and no unit out', () => {
    const left = withCommands.flatMap((step) => {
      const compared = (SHOWN[step.key] ?? []).map(({ says }) => says).join(' ');
      const inExpressions = wordsOf(expressionsIn(step));
      return promisedWords(step.text)
        .filter((word) => !OF_THE_READER.has(word) && !compared.includes(word))
        .filter((word) => !inExpressions.has(word))
        .map((word) => `${step.key}: ${word}`);
    });
    expect(left).toEqual([]);
  });
});

describe('what virsh is told to do in a mitigation', () => {
  const commands = new Set(
    readRunbooks().flatMap((runbook) =>
      (sectionOf(runbook, 'Mitigation')?.blocks ?? []).flatMap(({ text }) =>
        [...text.matchAll(/\bvirsh -c (?:qemu:\/\/\/system )?([^\n|;)]*)/g)].map(
          ([, command = '']) => command.trim(),
        ),
      ),
    ),
  );

  it('is tried on a guest, or there is a reason why not', () => {
    const tried = new Set(TREATMENTS.map(({ command }) => command));
    const untried = [...commands].filter((command) => !tried.has(command));
    expect(untried.filter((command) => !UNTRIED.some((one) => one.command.test(command)))).toEqual(
      [],
    );
    expect([...tried].filter((command) => !commands.has(command))).toEqual([]);
    expect(UNTRIED.filter((one) => !untried.some((command) => one.command.test(command)))).toEqual(
      [],
    );
  });
});

interface Measured {
  readonly text: string;
  readonly unit: Unit;
  readonly labels: ReadonlySet<string>;
}

function measured(text: string): Measured {
  const values = Object.fromEntries(placeholdersOf(text).map((name) => [name, 'x']));
  const expression = parsePromql(filled(text, values));
  return {
    text,
    unit: unitOfExpression(expression).unit,
    labels: labelsOfExpression(expression).labels,
  };
}

/** Of the label `collector` of the alert, too. */
const COLLECTOR_NAMES = COLLECTORS.map(({ name }) => name);

/** An example of every series, with values of its labels. */
const EXAMPLES = readFileSync(join(import.meta.dirname, '../metrics/golden.text.txt'), 'utf8');

/** Labels of the series that are read, and values those may have. */
function wordsOf(expressions: readonly string[]): ReadonlySet<string> {
  const all = expressions.flatMap((text) => {
    const { labels } = measured(text);
    const families = selectorsOf(parsePromql(text.replaceAll(/\$[a-z_]+/g, 'x'))).flatMap(
      ({ metric }) => CATALOGUE.filter(({ name }) => name === metric),
    );
    return [
      ...labels,
      ...families.flatMap((family) => [family.name, ...family.labels]),
      ...text.matchAll(/\w+/g).map(([word]) => word),
      ...families.flatMap(({ note }) => (note ?? '').match(/[\w-]+/g) ?? []),
      ...families.flatMap((family) =>
        [...EXAMPLES.matchAll(new RegExp(`^${family.name}\\{(.*)\\}`, 'gm'))].flatMap(
          ([, labels = '']) => [...labels.matchAll(/"([^"]*)"/g)].map(([, value = '']) => value),
        ),
      ),
    ];
  });
  return new Set([...all, ...COLLECTOR_NAMES]);
}

const is =
  (bytes: number, seconds: number) =>
  ({ unit }: Measured): boolean =>
    unit === 'number' || (unit !== 'unknown' && unit.bytes === bytes && unit.seconds === seconds);

/** What words of a text say of a result, and what an expression has to be for that. */
const WORDS: readonly (readonly [words: RegExp, holds: (one: Measured) => boolean])[] = [
  [/\bbytes per second\b/, is(1, -1)],
  [/\bin bytes(?! per)\b/, (one) => is(1, 0)(one) || one.text.includes('_bytes_per_packet')],
  [/\bhow many seconds\b|, in seconds\b|\bseconds until\b|\bseconds per write\b/, is(0, 1)],
  [/\bin CPUs\b/, is(0, 0)],
  [/\bthe (?:share|ratio)\b/, is(0, 0)],
  [
    /\b(?:Find|List)\b.*\bmost\b|\b(?:most|fullest) first\b|\bwith the largest\b/,
    ({ text }) => /\b(?:topk|bottomk|sort|sort_desc)\(/.test(text),
  ],
  [
    /\bFind (?:the |large )?guests\b|\bFind who\b|\bList the guests\b/,
    ({ labels }) => labels.has('domain'),
  ],
  [/\bby memory zone\b/, ({ labels }) => labels.has('zone')],
  [/\bby direction\b/, ({ labels }) => labels.has('direction')],
  [/\bof each set\b/, ({ labels }) => labels.has('cpuset')],
];

describe('what the text of a runbook says of the results of its expressions', () => {
  const asked = steps.filter((step) => expressionsIn(step).length > 0);

  it.each(WORDS.map(([words, holds]) => ({ words, holds })))(
    '$words is true of one of them',
    ({ words, holds }) => {
      const said = asked.filter((step) => words.test(step.text) && commandsIn(step).length === 0);
      expect(said.length).toBeGreaterThan(0);
      const wrong = said.filter((step) => !expressionsIn(step).map(measured).some(holds));
      expect(wrong.map(({ key, text }) => `${key}: ${text}`)).toEqual([]);
    },
  );

  it('and words in code are labels, values of labels or series there', () => {
    const strange = asked
      .filter((step) => commandsIn(step).length === 0)
      .flatMap((step) => {
        const known = wordsOf(expressionsIn(step));
        return [...step.text.matchAll(/`([^`]+)`/g)]
          .map(([, word = '']) => word.replace(/="?.*$/, ''))
          .filter((word) => !known.has(word) && !OF_THE_READER.has(word))
          .map((word) => `${step.key}: ${word}`);
      });
    expect(strange).toEqual([]);
  });
});
