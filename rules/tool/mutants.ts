import type { SyntaxNode } from '@lezer/common';

import { LIMITS } from '../../src/config/policy-defaults.ts';
import {
  aggregationAt,
  binaryAt,
  children,
  descendants,
  parsePromql,
  selectorAt,
  textOf,
  type Expression,
} from '../../tools/promql.ts';
import { secondsOf } from './duration.ts';
import type { Rule } from './slice.ts';

/** A rule with one small fault put into it on purpose. */
export interface Mutant {
  readonly rule: Rule;
  /** What was changed into what. */
  readonly change: string;
}

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** All mutants of a rule, those of its expression and those of its times. */
export function mutantsOf(rule: Rule): readonly Mutant[] {
  const expression = parsePromql(rule.expr);
  const edits = descendants(expression.root).flatMap((node) => editsAt(expression, node));
  const seen = new Set([rule.expr]);
  const ofExpression = edits.flatMap(({ from, to, text }): readonly Mutant[] => {
    const expr = rule.expr.slice(0, from) + text + rule.expr.slice(to);
    if (seen.has(expr)) return [];
    seen.add(expr);
    const before = rule.expr.slice(from, to).replaceAll(/\s+/g, ' ');
    return [{ rule: { ...rule, expr }, change: `${before} => ${text.replaceAll(/\s+/g, ' ')}` }];
  });
  return [...ofExpression, ...mutantsOfTimes(rule)];
}

const COMPARISONS: Readonly<Record<string, readonly string[]>> = {
  '>': ['>=', '<'],
  '<': ['<=', '>'],
  '>=': ['>', '<='],
  '<=': ['<', '>='],
  '==': ['!='],
  '!=': ['=='],
};

const OPPOSITES: Readonly<Record<string, string>> = {
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  max: 'min',
  min: 'max',
  sum: 'max',
  topk: 'bottomk',
  '=': '!=',
  '!=': '=',
  '=~': '!~',
  '!~': '=~',
};

function editsAt(expression: Expression, node: SyntaxNode): readonly Edit[] {
  const replaced = (one: SyntaxNode, text: string): Edit => ({ from: one.from, to: one.to, text });
  const binary = binaryAt(expression, node);
  if (binary !== undefined) {
    const { operator, left, right } = binary;
    const sign = textOf(expression, operator);
    const [ofLeft, ofRight] = [textOf(expression, left), textOf(expression, right)];
    if (sign === 'and' || sign === 'unless') {
      const other = sign === 'and' ? 'unless' : 'and';
      return [replaced(node, ofLeft), replaced(operator, other)];
    }
    if (sign === 'or') return [replaced(node, ofLeft), replaced(node, ofRight)];
    const swapped = COMPARISONS[sign] ?? [OPPOSITES[sign]].filter((one) => one !== undefined);
    return swapped.map((one) => replaced(operator, one));
  }
  const aggregation = aggregationAt(expression, node);
  if (aggregation !== undefined) {
    const operator = node.getChild('AggregateOp');
    const other = OPPOSITES[aggregation.operation];
    return operator === null || other === undefined ? [] : [replaced(operator, other)];
  }
  switch (node.name) {
    case 'NumberDurationLiteral':
      return moved(textOf(expression, node)).map((text) => replaced(node, text));
    case 'VectorSelector':
      return editsOfSelector(expression, node);
    case 'UnaryOp':
      return textOf(expression, node) === '-' ? [replaced(node, '')] : [];
    default:
      return [];
  }
}

function moved(literal: string): readonly string[] {
  const value = Number(literal);
  // Infinity is where it is; moved, it would still be.
  return Number.isFinite(value) ? [String(value + 1), String(value - 1)] : [];
}

function editsOfSelector(expression: Expression, node: SyntaxNode): readonly Edit[] {
  const { metric, matchers } = selectorAt(expression, node);
  const text = textOf(expression, node);
  const whole = (one: string): Edit => ({ from: node.from, to: node.to, text: one });
  const limit = LIMITS.find((one) => metric === `kvm_policy_${one.resource}_${one.name}`);
  if (limit !== undefined) {
    const severity = matchers.find(({ label }) => label === 'severity')?.value;
    const other = severity === 'warning' ? 'critical' : 'warning';
    return [
      // A limit of 0 cannot be scaled.
      whole(limit.name === 'oom_kills' ? `(${text} + 1)` : `(${text} * 1.1)`),
      whole(limit.name === 'oom_kills' ? `(${text} - 1)` : `(${text} * 0.9)`),
      whole(text.replace(`"${severity ?? ''}"`, `"${other}"`)),
    ];
  }
  const list = node.getChild('LabelMatchers');
  if (list === null) return [];
  const each = children(list).filter(({ name }) => name === 'UnquotedLabelMatcher');
  return each.flatMap((matcher) => {
    const operator = matcher.getChild('MatchOp');
    const rest = each.filter((one) => one.from !== matcher.from);
    const others = rest.map((one) => textOf(expression, one)).join(',');
    const dropped: Edit = { from: list.from, to: list.to, text: `{${others}}` };
    const opposite = operator === null ? undefined : OPPOSITES[textOf(expression, operator)];
    return operator === null || opposite === undefined
      ? [dropped]
      : [dropped, { from: operator.from, to: operator.to, text: opposite }];
  });
}

function mutantsOfTimes(rule: Rule): readonly Mutant[] {
  if (!('alert' in rule)) return [];
  const { for: pending, keepFiringFor, ...others } = rule;
  const mutants: Mutant[] = [];
  if (pending !== undefined) {
    const kept = keepFiringFor === undefined ? others : { ...others, keepFiringFor };
    for (const factor of [0.5, 2]) {
      const changed = scaled(pending, factor);
      mutants.push({ rule: { ...kept, for: changed }, change: `for ${pending} => ${changed}` });
    }
  }
  if (keepFiringFor !== undefined) {
    const kept = pending === undefined ? others : { ...others, for: pending };
    mutants.push({ rule: kept, change: `keep_firing_for ${keepFiringFor} => none` });
    const longer = scaled(keepFiringFor, 2);
    mutants.push({
      rule: { ...kept, keepFiringFor: longer },
      change: `keep_firing_for ${keepFiringFor} => ${longer}`,
    });
  }
  return mutants;
}

/** Tests evaluate once a minute: anything below that would be no change, so it becomes none at all. */
function scaled(duration: string, factor: number): string {
  const seconds = secondsOf(duration) * factor;
  return `${seconds < 60 ? 0 : seconds}s`;
}
