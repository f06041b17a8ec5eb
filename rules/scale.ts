/**
 * Writes the pack with all times multiplied by one factor, for labs that cannot wait for hours:
 *
 *     npm run scale:rules -- --factor 0.05 --out /tmp/rules
 *
 * Range selectors, subqueries, offsets, `for` and `keep_firing_for` are scaled; names of recording
 * rules keep their `5m`, and limits of the policy that are times stay what the policy says. Nothing
 * else changes, so what fires in the lab fires for the reason it would fire for outside.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';

import { ALERT_GROUPS, RECORDING_GROUPS } from './src/pack.ts';
import type { AlertGroup, RecordingGroup } from './src/rule.ts';
import { secondsOf } from './tool/duration.ts';
import { descendants, durationsOf, increaseAt, parsePromql, textOf } from '../tools/promql.ts';
import { ruleFile } from './tool/render.ts';

/** Rules of a group with all their times multiplied. @param factor greater than 0. */
export function scaledRecordings({ name, rules }: RecordingGroup, factor: number): RecordingGroup {
  return { name, rules: rules.map((rule) => ({ ...rule, expr: scaledExpr(rule.expr, factor) })) };
}

/** Alerts of a group with all their times multiplied. @param factor greater than 0. */
export function scaledAlerts({ name, rules }: AlertGroup, factor: number): AlertGroup {
  return {
    name,
    rules: rules.map(({ for: pending, keepFiringFor, ...rule }) => ({
      ...rule,
      expr: scaledExpr(rule.expr, factor),
      ...(pending === undefined ? {} : { for: scaledDuration(pending, factor) }),
      ...(keepFiringFor === undefined
        ? {}
        : { keepFiringFor: scaledDuration(keepFiringFor, factor) }),
      annotations: {
        ...rule.annotations,
        description: scaledDescription(rule.annotations.description, factor),
      },
    })),
  };
}

/** Every duration in an expression multiplied, with the number that makes an increase of a rate. */
export function scaledExpr(expr: string, factor: number): string {
  const expression = parsePromql(expr);
  const durations = durationsOf(expression).map((node) => ({
    node,
    scaled: scaledDuration(textOf(expression, node), factor),
  }));
  const windows = descendants(expression.root).flatMap((node) => {
    const increase = increaseAt(expression, node);
    if (increase === undefined) return [];
    return [{ node: increase.factor, scaled: String(secondsOf(increase.range) * factor) }];
  });
  return [...durations, ...windows]
    .toSorted((one, other) => other.node.from - one.node.from)
    .reduce(
      (text, { node, scaled }) => text.slice(0, node.from) + scaled + text.slice(node.to),
      expr,
    );
}

/** Milliseconds, because a tenth of a minute is not a whole number of minutes. */
export function scaledDuration(duration: string, factor: number): string {
  return `${Math.max(1, Math.round(secondsOf(duration) * 1000 * factor))}ms`;
}

/** Queries in a description look back as far as the rules do. */
function scaledDescription(description: string, factor: number): string {
  return description.replaceAll(/(?<=\[|offset )\d+[mhd]\b/g, (duration) =>
    scaledDuration(duration, factor),
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { factor: { type: 'string' }, out: { type: 'string' } },
  });
  const factor = Number(values.factor);
  if (!(factor > 0) || values.out === undefined) {
    console.error('usage: npm run scale:rules -- --factor <greater than 0> --out <folder>');
    process.exitCode = 2;
    return;
  }
  await mkdir(values.out, { recursive: true });
  const recordings = RECORDING_GROUPS.map((group) => scaledRecordings(group, factor));
  const alerts = ALERT_GROUPS.map((group) => scaledAlerts(group, factor));
  await writeFile(join(values.out, 'recording.yaml'), ruleFile(recordings));
  await writeFile(join(values.out, 'alerts.yaml'), ruleFile(alerts));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
