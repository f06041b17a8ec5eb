import type { SyntaxNode, Tree } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/**
 * PromQL as a tree, parsed with the grammar of Prometheus' own editor. Everything that looks into
 * an expression goes through here.
 */
export interface Expression {
  readonly text: string;
  readonly root: SyntaxNode;
  readonly tree: Tree;
}

/** @throws SyntaxError with the place of the first fault. */
export function parsePromql(text: string): Expression {
  const tree = parser.parse(text);
  tree.iterate({
    enter(node) {
      if (node.type.isError) {
        throw new SyntaxError(`not PromQL at "${text.slice(node.from, node.from + 20)}": ${text}`);
      }
    },
  });
  const root = children(tree.topNode).find((node) => node.name !== 'LineComment');
  if (root === undefined) throw new SyntaxError(`an empty expression: ${text}`);
  return { text, root, tree };
}

export function children(node: SyntaxNode): readonly SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) found.push(child);
  return found;
}

/** A node and all below it, from the top. */
export function descendants(node: SyntaxNode): readonly SyntaxNode[] {
  return [node, ...children(node).flatMap(descendants)];
}

export function textOf({ text }: Expression, node: SyntaxNode): string {
  return text.slice(node.from, node.to);
}

interface LabelMatcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

export interface Selector {
  readonly node: SyntaxNode;
  readonly metric: string;
  readonly matchers: readonly LabelMatcher[];
}

/** All `metric{…}` of an expression, those inside `metric{…}[5m]` too. */
export function selectorsOf(expression: Expression): readonly Selector[] {
  return descendants(expression.root)
    .filter((node) => node.name === 'VectorSelector')
    .map((node) => selectorAt(expression, node));
}

export function selectorAt(expression: Expression, node: SyntaxNode): Selector {
  const name = node.getChild('Identifier');
  const matchers = descendants(node)
    .filter((one) => one.name === 'UnquotedLabelMatcher')
    .map((one) => {
      const [label, operator, value] = children(one).map((part) => textOf(expression, part));
      return { label: label ?? '', operator: operator ?? '', value: value?.slice(1, -1) ?? '' };
    });
  return { node, metric: name === null ? '' : textOf(expression, name), matchers };
}

/** The label names of `by (…)`, `without (…)`, `on (…)`, `group_left (…)`. */
function labelNames(expression: Expression, node: SyntaxNode): readonly string[] {
  return descendants(node)
    .filter((one) => one.name === 'LabelName')
    .map((one) => textOf(expression, one));
}

export interface Binary {
  readonly node: SyntaxNode;
  readonly left: SyntaxNode;
  readonly right: SyntaxNode;
  /** `>`, `and`, `/` … */
  readonly operator: SyntaxNode;
  readonly returnsBool: boolean;
  /** undefined: matches on all labels. */
  readonly matching:
    { readonly kind: 'on' | 'ignoring'; readonly labels: readonly string[] } | undefined;
  readonly group:
    { readonly many: 'left' | 'right'; readonly include: readonly string[] } | undefined;
}

/** Reads a BinaryExpr; undefined for any other node. */
export function binaryAt(expression: Expression, node: SyntaxNode): Binary | undefined {
  if (node.name !== 'BinaryExpr') return undefined;
  const parts = children(node).filter(({ name }) => name !== 'LineComment');
  const left = parts[0];
  const operator = parts[1];
  const right = parts.at(-1);
  if (left === undefined || operator === undefined || right === undefined) return undefined;
  const clause = parts.find(({ name }) => name === 'MatchingModifierClause');
  return {
    node,
    left,
    right,
    operator,
    returnsBool: parts.some(({ name }) => name === 'BoolModifier'),
    ...matchingOf(expression, clause),
  };
}

function matchingOf(
  expression: Expression,
  clause: SyntaxNode | undefined,
): Pick<Binary, 'matching' | 'group'> {
  if (clause === undefined) return { matching: undefined, group: undefined };
  const kind = clause.getChild('On') === null ? 'ignoring' : 'on';
  const many = clause.getChild('GroupLeft') ?? clause.getChild('GroupRight');
  const lists = clause.getChildren('GroupingLabels');
  const [on, include] = lists.map((list) => labelNames(expression, list));
  return {
    matching: { kind, labels: on ?? [] },
    group:
      many === null
        ? undefined
        : { many: many.name === 'GroupLeft' ? 'left' : 'right', include: include ?? [] },
  };
}

/** `rate(…[10m]) * 600`: what was counted in the window, as `increaseOf` of src/counter.ts writes it. */
export interface Increase {
  /** The range of the rate. */
  readonly range: string;
  /** The literal the rate is multiplied by. */
  readonly factor: SyntaxNode;
}

/** Reads a rate times a number; undefined for any other node. */
export function increaseAt(expression: Expression, node: SyntaxNode): Increase | undefined {
  const binary = binaryAt(expression, node);
  if (binary?.operator.name !== 'Mul' || binary.right.name !== 'NumberDurationLiteral')
    return undefined;
  if (callAt(expression, binary.left)?.name !== 'rate') return undefined;
  const [range] = durationsOf({ ...expression, root: binary.left });
  if (range === undefined) return undefined;
  return { range: textOf(expression, range), factor: binary.right };
}

export interface Aggregation {
  readonly operation: string;
  readonly modifier:
    { readonly kind: 'by' | 'without'; readonly labels: readonly string[] } | undefined;
  readonly arguments: readonly SyntaxNode[];
}

/** Reads an AggregateExpr; undefined for any other node. */
export function aggregationAt(expression: Expression, node: SyntaxNode): Aggregation | undefined {
  if (node.name !== 'AggregateExpr') return undefined;
  const operation = node.getChild('AggregateOp');
  const modifier = node.getChild('AggregateModifier');
  const body = node.getChild('FunctionCallBody');
  if (operation === null || body === null) return undefined;
  return {
    operation: textOf(expression, operation),
    modifier:
      modifier === null
        ? undefined
        : {
            kind: modifier.getChild('By') === null ? 'without' : 'by',
            labels: labelNames(expression, modifier),
          },
    arguments: argumentsOf(body),
  };
}

export interface Call {
  readonly name: string;
  readonly arguments: readonly SyntaxNode[];
}

/** Reads a FunctionCall; undefined for any other node. */
export function callAt(expression: Expression, node: SyntaxNode): Call | undefined {
  if (node.name !== 'FunctionCall') return undefined;
  const name = node.getChild('FunctionIdentifier');
  const body = node.getChild('FunctionCallBody');
  if (name === null) return undefined;
  return { name: textOf(expression, name), arguments: body === null ? [] : argumentsOf(body) };
}

function argumentsOf(body: SyntaxNode): readonly SyntaxNode[] {
  return children(body).filter(({ name }) => name !== 'LineComment');
}

/** The duration literals of range selectors, subqueries and offsets. */
export function durationsOf(expression: Expression): readonly SyntaxNode[] {
  return descendants(expression.root).filter(
    ({ name }) => name === 'NumberDurationLiteralInDurationContext',
  );
}
