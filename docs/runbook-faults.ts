import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { LIMITS } from '../src/config/policy-defaults.ts';
import { CATALOGUE } from '../src/metrics/catalogue.ts';
import { RECORDING_GROUPS, SUBJECTS } from '../rules/src/pack.ts';
import type { AlertDefinition, Severity, Timing } from '../rules/src/rule.ts';
import { parsePromql, selectorsOf } from '../tools/promql.ts';
import { labelsOfExpression, TARGET_LABELS } from '../rules/tool/series.ts';
import {
  commandsOf,
  filled,
  isEndMarker,
  placeholdersOf,
  RUNBOOKS_FOLDER,
  sectionOf,
  type Block,
  type Runbook,
  type Section,
} from './runbook.ts';

/** What is wrong, as `file:line: what`. */
export type Fault = string;

const HEADINGS = ['Meaning', 'Impact', 'Diagnosis', 'Mitigation'] as const;

/** Longest line of prose that has a place to break it. */
const COLUMNS = 80;

export const ALERTS: readonly AlertDefinition[] = SUBJECTS.flatMap(({ alerts }) => alerts);

/**
 * Things no alert has as its label but a step finds: the guest to move, its image, the interface of
 * a guest, a mount point.
 */
const FOUND_BY_STEPS: readonly string[] = ['domain', 'device', 'mountpoint', 'path'];

/** Settings of other programs that look like limits. */
const NOT_OURS: readonly string[] = ['mem_stats_period_seconds'];

/** How the text says how long an alert waits. */
const SPOKEN: Readonly<Record<string, RegExp>> = {
  '1m': /\b(?:one|a) minute\b/,
  '2m': /\btwo minutes\b/,
  '5m': /\bfive\b(?: minutes\b)?/,
  '10m': /\bten minutes\b/,
  '15m': /\bfifteen\b(?: minutes\b)?/,
  '30m': /\bthirty minutes\b|\bhalf an hour\b/,
  '1h': /\b(?:an|one) hour\b/,
  '6h': /\bsix hours\b/,
  '24h': /\ba day\b/,
};

/** Every fault of all runbooks, and of alerts that have none. */
export function faultsOf(runbooks: readonly Runbook[]): readonly Fault[] {
  const written = new Set(runbooks.map(({ name }) => name));
  const missing = ALERTS.filter(({ name }) => !written.has(name)).map(
    ({ name }) => `${name}: the alert has no runbook`,
  );
  return [...missing, ...runbooks.flatMap(faultsOfRunbook)];
}

export function faultsOfRunbook(runbook: Runbook): readonly Fault[] {
  const alert = ALERTS.find(({ name }) => name === runbook.name);
  const faults: Fault[] = [];
  const report = (line: number, what: string) => faults.push(`${runbook.name}.md:${line}: ${what}`);

  if (alert === undefined) report(1, 'there is no such alert');
  if (runbook.titles.join() !== runbook.name) report(1, `the title is not ${runbook.name}`);
  const headings = runbook.sections.map(({ heading }) => heading).join(', ');
  if (headings !== HEADINGS.join(', ')) report(1, `headings are ${headings}`);

  for (const section of runbook.sections) {
    for (const { text, line } of section.prose) {
      if (text === '```') report(line, 'the block does not end');
      if (isEndMarker(text)) report(line, `${text.trim()} ends nothing`);
      if (
        text.length > COLUMNS &&
        text
          .trimStart()
          .replace(/^\d+\. /, '')
          .includes(' ')
      ) {
        report(line, `${text.length} columns`);
      }
      for (const fault of faultsOfProse(text)) report(line, fault);
    }
    for (const block of section.blocks) {
      for (const fault of faultsOfBlock(block, section, alert)) report(block.line, fault);
    }
  }
  for (const heading of ['Diagnosis', 'Mitigation']) {
    const section = sectionOf(runbook, heading);
    if (section !== undefined) for (const fault of faultsOfSteps(section)) report(...fault);
  }
  const meaning = sectionOf(runbook, 'Meaning');
  if (meaning !== undefined && alert !== undefined) {
    for (const fault of faultsOfMeaning(meaning, alert)) report(meaning.line, fault);
  }
  return faults;
}

function faultsOfProse(text: string): readonly string[] {
  const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target ?? '');
  const broken = links.filter((target) => !resolves(target)).map((target) => `no ${target}`);
  const code = [...text.matchAll(/`([^`]+)`/g)].map(([, word]) => word ?? '');
  const unknown = code.filter(isUnknown).map((word) => `there is no ${word}`);
  const alerts = [...text.matchAll(/\bKvm[A-Z][A-Za-z0-9]+/g)]
    .filter(([word]) => !ALERTS.some(({ name }) => name === word))
    .map(([word]) => `there is no alert ${word}`);
  return [...broken, ...unknown, ...alerts];
}

/** Looks like a series or a limit, and is none. */
function isUnknown(word: string): boolean {
  if (/^(?:kvm_[a-z0-9_]+|[a-z0-9_]+:[a-z0-9_]+:[a-z0-9_]+)$/.test(word)) return !isSeries(word);
  if (!/^[a-z0-9_]+_(?:ratio|seconds|per_second|kills)$/.test(word)) return false;
  return !LIMITS.some(({ name }) => name === word) && !NOT_OURS.includes(word);
}

function isSeries(word: string): boolean {
  return CATALOGUE.some(({ name }) => name === word) || RULES.some(({ record }) => record === word);
}

const RULES = RECORDING_GROUPS.flatMap(({ rules }) => rules);

function resolves(target: string): boolean {
  if (/^https?:/.test(target)) return true;
  const [file = '', anchor] = target.split('#');
  const path = join(RUNBOOKS_FOLDER, file);
  if (!existsSync(path)) return false;
  return anchor === undefined || anchorsOf(readFileSync(path, 'utf8')).has(anchor);
}

/** Anchors of headings as GitHub makes them. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const headings = [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading ?? '');
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function faultsOfBlock(
  block: Block,
  section: Section,
  alert: AlertDefinition | undefined,
): readonly string[] {
  const allowed = new Set([...TARGET_LABELS, ...FOUND_BY_STEPS, ...labelsOfAlert(alert)]);
  const strangers = placeholdersOf(block.text)
    .filter((name) => !allowed.has(name))
    .map((name) => `$${name} is no label of the alert`);
  switch (block.language) {
    case 'promql':
      return [...strangers, ...faultsOfPromql(block.text)];
    case 'sh':
      return [...strangers, ...faultsOfShell(block, section)];
    default:
      return [`a block is promql or sh, not "${block.language}"`];
  }
}

/** Labels that results of the alert have, whatever its severity. */
export function labelsOfAlert(alert: AlertDefinition | undefined): readonly string[] {
  if (alert === undefined) return [];
  const labels = severitiesOf(alert).map(
    ([severity]) => labelsOfExpression(parsePromql(alert.expr(severity))).labels,
  );
  return [...new Set(labels.flatMap((one) => [...one]))];
}

/** A list of labels that takes hosts of two clusters with the same job and instance for one. */
const WITHOUT_CLUSTER = /\b(?:on|by) \((?!cluster\b)[^)]*\)/;

function faultsOfPromql(text: string): readonly string[] {
  const values = Object.fromEntries(placeholdersOf(text).map((name) => [name, 'x']));
  const list = WITHOUT_CLUSTER.exec(text)?.[0];
  const mixed = list === undefined ? [] : [`${list} mixes clusters`];
  try {
    return [...mixed, ...labelsOfExpression(parsePromql(filled(text, values))).faults];
  } catch (error) {
    if (error instanceof SyntaxError) return [error.message];
    throw error;
  }
}

function faultsOfShell(block: Block, { heading }: Section): readonly string[] {
  const unprompted = block.text
    .split('\n')
    .filter((line) => !line.startsWith('$ '))
    .map((line) => `"${line}" does not begin with "$ "`);
  const others = commandsOf(block).flatMap((command) => {
    const calls = [...command.matchAll(/\bvirsh (-r )?(?:-c (\S+) )?/g)];
    const faults: string[] = [];
    if (calls.some(([, , uri]) => uri === undefined)) faults.push('virsh without its -c');
    if (heading === 'Diagnosis') {
      const harmless = calls.every(([, readOnly, uri]) => {
        return readOnly !== undefined && uri === 'qemu:///system';
      });
      if (!harmless) faults.push('a diagnosis uses virsh -r -c qemu:///system');
    }
    // A prefix, since commands look for several at once.
    const series = [...command.matchAll(/\bkvm_[a-z0-9_]+/g)].map(([word]) => word);
    const strange = series.filter((word) => !CATALOGUE.some(({ name }) => name.startsWith(word)));
    return [...faults, ...strange.map((word) => `there is no ${word}`)];
  });
  return [...unprompted, ...others];
}

/** Steps count from 1, and each step of a diagnosis shows how. */
function faultsOfSteps(section: Section): readonly (readonly [line: number, what: string])[] {
  const faults: (readonly [number, string])[] = [];
  const steps = section.prose.flatMap(({ text, line }) => {
    const number = /^(\d+)\. /.exec(text)?.[1];
    return number === undefined ? [] : [{ number: Number(number), line }];
  });
  if (steps.length === 0) faults.push([section.line, `${section.heading} has no steps`]);
  for (const [index, { number, line }] of steps.entries()) {
    if (number !== index + 1) faults.push([line, `step ${number} is number ${index + 1}`]);
    const end = steps[index + 1]?.line ?? Infinity;
    const shows = section.blocks.some((block) => block.line > line && block.line < end);
    if (section.heading === 'Diagnosis' && !shows) {
      faults.push([line, `step ${number} has neither expression nor command`]);
    }
  }
  return faults;
}

/**
 * What the text says is what the rule does: it names the limits the rule compares with and no
 * others, links to them, says how long the rule waits, and which severities there are.
 */
function faultsOfMeaning({ prose }: Section, alert: AlertDefinition): readonly string[] {
  const text = prose.map((line) => line.text).join(' ');
  const named = new Set([...text.matchAll(/`([a-z0-9_]+)`/g)].map(([, word]) => word ?? ''));
  const expressions = severitiesOf(alert).map(([severity]) => alert.expr(severity));
  const direct = limitsIn(expressions);
  const all = limitsIn(withRules(expressions));
  const faults: string[] = [];
  for (const { resource, name } of direct) {
    if (!named.has(name)) faults.push(`Meaning does not name the limit ${name}`);
    if (!text.includes(`(../policy.md#${resource})`)) {
      faults.push(`Meaning does not link ../policy.md#${resource}`);
    }
  }
  for (const name of named) {
    const isLimit = LIMITS.some((limit) => limit.name === name);
    if (isLimit && !all.some((limit) => limit.name === name)) {
      faults.push(`the rule does not compare with ${name}`);
    }
  }
  for (const [severity, timing] of severitiesOf(alert)) {
    const { for: wait } = timing;
    if (wait !== undefined && SPOKEN[wait]?.test(text) !== true) {
      faults.push(`Meaning does not say that it waits ${wait} (${severity})`);
    }
  }
  const both = alert.at.warning !== undefined && alert.at.critical !== undefined;
  if (both && !/\bcritical/.test(text)) faults.push('Meaning does not say when it is critical');
  return faults;
}

type LimitName = (typeof LIMITS)[number];

function limitsIn(expressions: readonly string[]): readonly LimitName[] {
  const metrics = new Set(expressions.flatMap(metricsOf));
  return LIMITS.filter(({ resource, name }) => metrics.has(`kvm_policy_${resource}_${name}`));
}

/** Expressions and those of the recording rules they read, and so on. */
function withRules(expressions: readonly string[]): readonly string[] {
  const seen = new Set(expressions);
  for (const expression of seen) {
    const read = new Set(metricsOf(expression));
    for (const { record, expr } of RULES) if (read.has(record)) seen.add(expr);
  }
  return [...seen];
}

function metricsOf(expression: string): readonly string[] {
  return selectorsOf(parsePromql(expression)).map(({ metric }) => metric);
}

function severitiesOf(alert: AlertDefinition): readonly (readonly [Severity, Timing])[] {
  return SEVERITIES.flatMap((severity) => {
    const timing = alert.at[severity];
    return timing === undefined ? [] : [[severity, timing] as const];
  });
}

const SEVERITIES: readonly Severity[] = ['critical', 'warning', 'info'];
