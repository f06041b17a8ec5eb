import type { Result } from '../../src/runtime/result.ts';
import type { Outcome } from './target.ts';

/** A sum of a few counters of 64 bits: nothing of ours can be more. */
const MOST = 2 ** 70;

/**
 * Throws where a value holds a number that cannot be: NaN, infinite, beyond all 64 bits can sum up to, or negative
 * where its name is not among `signed`.
 */
export function noFalseNumber(value: unknown, signed: ReadonlySet<string>, name = ''): void {
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || Math.abs(value) > MOST) throw new Error(`${name} is ${value}`);
    if (value < 0 && !signed.has(name)) throw new Error(`${name} is ${value}`);
  } else if (typeof value === 'bigint') {
    if (value < 0n && !signed.has(name)) throw new Error(`${name} is ${value}`);
    if (value > 2n ** 70n) throw new Error(`${name} is ${value}`);
  } else if (value instanceof Map) {
    for (const [key, one] of value) {
      noFalseNumber(key, signed, `a key of ${name}`);
      noFalseNumber(one, signed, typeof key === 'string' ? key : name);
    }
  } else if (value instanceof Set || Array.isArray(value)) {
    for (const one of value) noFalseNumber(one, signed, name);
  } else if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value)) {
    for (const [key, one] of Object.entries(value)) noFalseNumber(one, signed, key);
  }
}

const NONE: ReadonlySet<string> = new Set();

/** What a reading is: a failure says why, in one line a person can read; a value holds no false number. */
export function judged(reading: Result<unknown>, signed = NONE): Outcome {
  const errors = reading.ok ? (reading.faults ?? []) : [reading.error];
  for (const { detail } of errors) {
    if (detail === '') throw new Error('a failure that does not say why');
    if (detail.length > 1000) throw new Error(`a failure of ${detail.length} letters`);
  }
  if (reading.ok) noFalseNumber(reading.value, signed);
  return errors.length === 0 ? 'value' : 'refusal';
}
