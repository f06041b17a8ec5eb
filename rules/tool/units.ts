import type { SyntaxNode } from '@lezer/common';

import { LIMITS, type LimitUnit } from '../../src/config/policy-defaults.ts';
import {
  aggregationAt,
  binaryAt,
  callAt,
  increaseAt,
  children,
  selectorAt,
  textOf,
  type Binary,
  type Call,
  type Expression,
} from '../../tools/promql.ts';

/**
 * What an expression is measured in: powers of bytes and seconds, `number` for a literal, which
 * fits everything, `unknown` where no name says.
 */
export type Unit = { readonly bytes: number; readonly seconds: number } | 'number' | 'unknown';

const NONE: Unit = { bytes: 0, seconds: 0 };
const BYTES: Unit = { bytes: 1, seconds: 0 };
const SECONDS: Unit = { bytes: 0, seconds: 1 };

const OF_LIMIT: Readonly<Record<LimitUnit, Unit>> = {
  ratio: NONE,
  share: NONE,
  seconds: SECONDS,
  bytes: BYTES,
  bytes_per_second: { bytes: 1, seconds: -1 },
  per_second: { bytes: 0, seconds: -1 },
  count: NONE,
};

/** The unit of an expression, with every sum or comparison of unlike things in it. */
export function unitOfExpression(expression: Expression): {
  readonly unit: Unit;
  readonly faults: readonly string[];
} {
  const faults: string[] = [];
  const unit = new Units(expression, faults).of(expression.root, true);
  return { unit, faults };
}

/** By the convention that the unit is the last word of a name. */
function unitOfSeries(name: string): Unit {
  const limit = LIMITS.find((one) => name === `kvm_policy_${one.resource}_${one.name}`);
  if (limit !== undefined) return OF_LIMIT[limit.unit];
  const [first, metric = first ?? '', operation = ''] = name.split(':');
  const counted = operation.split('_').at(-1) ?? '';
  if (/^(?:ratio|count|bool|bool1d|jain|level)$/.test(counted)) return NONE;
  if (operation === 'bytes') return BYTES;
  const isRecorded = operation !== '';
  const base = unitOfName(metric.replace(/_total$/, ''));
  if (!isRecorded) return base;
  // `rate5m` of a rule is per second; `_per_` in its metric says it is a ratio.
  if (/_per_/.test(metric) && !/_per_second$/.test(metric)) {
    return /_seconds_per_request$/.test(metric) ? SECONDS : NONE;
  }
  return /rate5m$/.test(operation) ? times(base, SECONDS, -1) : base;
}

function unitOfName(name: string): Unit {
  if (name.endsWith('_bytes_per_second')) return { bytes: 1, seconds: -1 };
  if (name.endsWith('_bytes')) return BYTES;
  if (name.endsWith('_seconds')) return SECONDS;
  return NONE;
}

class Units {
  readonly #expression: Expression;
  readonly #faults: string[];

  constructor(expression: Expression, faults: string[]) {
    this.#expression = expression;
    this.#faults = faults;
  }

  /** @param valueMatters false where only the existence of a series counts, as on the right of `and`. */
  of(node: SyntaxNode, valueMatters: boolean): Unit {
    if (node.name === 'NumberDurationLiteral') return 'number';
    if (node.name === 'VectorSelector') {
      return unitOfSeries(selectorAt(this.#expression, node).metric);
    }
    const call = callAt(this.#expression, node);
    if (call !== undefined) return this.#ofCall(call, valueMatters);
    const aggregation = aggregationAt(this.#expression, node);
    if (aggregation !== undefined) {
      const counts = /^(?:count|group|count_values)$/.test(aggregation.operation);
      const unit = this.#ofFirst(aggregation.arguments.slice(-1), valueMatters && !counts);
      return counts ? NONE : unit;
    }
    const binary = binaryAt(this.#expression, node);
    if (binary !== undefined) {
      if (increaseAt(this.#expression, node) === undefined) {
        return this.#ofBinary(binary, valueMatters);
      }
      return times(this.of(binary.left, valueMatters), SECONDS, 1);
    }
    return this.#ofFirst(
      children(node).filter(({ name }) => !NO_OPERANDS.has(name)),
      valueMatters,
    );
  }

  #ofFirst(nodes: readonly SyntaxNode[], valueMatters: boolean): Unit {
    const [first] = nodes;
    return first === undefined ? 'unknown' : this.of(first, valueMatters);
  }

  #ofCall({ name, arguments: all }: Call, valueMatters: boolean): Unit {
    const inner = this.#ofFirst(all, valueMatters);
    switch (name) {
      case 'rate':
      case 'deriv':
        return times(inner, SECONDS, -1);
      case 'time':
        return SECONDS;
      case 'absent':
        return NONE;
      default:
        return inner;
    }
  }

  #ofBinary({ left, right, operator, returnsBool }: Binary, valueMatters: boolean): Unit {
    const sets = operator.name === 'And' || operator.name === 'Unless';
    const ofLeft = this.of(left, valueMatters);
    const ofRight = this.of(right, valueMatters && !sets);
    if (sets) return ofLeft;
    switch (operator.name) {
      case 'Mul':
        return times(ofLeft, ofRight, 1);
      case 'Div':
        return times(ofLeft, ofRight, -1);
      case 'Pow': {
        const power = Number(textOf(this.#expression, right));
        return typeof ofLeft === 'string'
          ? ofLeft
          : { bytes: ofLeft.bytes * power, seconds: ofLeft.seconds * power };
      }
      default: {
        const matters = valueMatters || operator.name !== 'Or';
        if (matters && !alike(ofLeft, ofRight)) {
          const sign = textOf(this.#expression, operator);
          this.#faults.push(`${shown(ofLeft)} ${sign} ${shown(ofRight)}: unlike units`);
        }
        if (returnsBool) return NONE;
        return ofLeft === 'number' ? ofRight : ofLeft;
      }
    }
  }
}

/** Children of an expression that are no expressions. */
const NO_OPERANDS: ReadonlySet<string> = new Set(['LineComment', 'UnaryOp', 'DurationExpr']);

function times(left: Unit, right: Unit, power: 1 | -1): Unit {
  if (left === 'unknown' || right === 'unknown') return 'unknown';
  if (right === 'number') return left;
  const [bytes, seconds] = left === 'number' ? [0, 0] : [left.bytes, left.seconds];
  return { bytes: bytes + power * right.bytes, seconds: seconds + power * right.seconds };
}

function alike(one: Unit, other: Unit): boolean {
  if (typeof one === 'string' || typeof other === 'string') return true;
  return one.bytes === other.bytes && one.seconds === other.seconds;
}

function shown(unit: Unit): string {
  return typeof unit === 'string' ? unit : `bytes^${unit.bytes} seconds^${unit.seconds}`;
}

export function isDimensionless(unit: Unit): boolean {
  return unit === 'number' || (typeof unit !== 'string' && unit.bytes === 0 && unit.seconds === 0);
}
