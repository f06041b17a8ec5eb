import { kibibytesToBytes, MAX_DIGITS, MAX_U64 } from './kernel-text.ts';
import { inShort, type Faults } from '../../runtime/result.ts';

/**
 * Numbers out of kernel text without cutting it up. For the files that are read of every guest on
 * every scrape: a Map of all lines of memory.stat, or an array of all fields of stat, is mostly
 * strings nobody looks at, and their garbage was the larger part of a scrape of 1000 guests.
 *
 * Everything here is pure and total: what is not of the form gives undefined, nothing throws.
 */

const TAB = 0x09;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;

/** Below 10^15 every step of `value * 10 + digit` is exact. */
const EXACT_DIGITS = 15;

/**
 * The non-negative number in the line that begins with `key`, as in `key value` and `key:  value kB`
 * (memory.stat, cpu.stat, status …); what follows it after a blank is skipped. Past 2^53 it is
 * rounded; use {@link lineBigDecimal} for counters which can get there.
 */
export function lineDecimal(text: string, key: string): number | undefined {
  const start = valueStart(text, key);
  return start === -1 || !endsWell(text, start) ? undefined : decimalAt(text, start);
}

/** As {@link lineDecimal}, exact. */
export function lineBigDecimal(text: string, key: string): bigint | undefined {
  const start = valueStart(text, key);
  return start === -1 || !endsWell(text, start) ? undefined : bigDecimalAt(text, start);
}

/** As {@link lineDecimal}, of a size in the kernel's kB, which are KiB. Result in bytes. */
export function lineKibibytes(text: string, key: string): number | undefined {
  const kibibytes = lineDecimal(text, key);
  return kibibytes === undefined ? undefined : kibibytesToBytes(kibibytes);
}

/**
 * The value of a line by one of the above: undefined without that line, and a fault where the line
 * is there but holds something else.
 */
export function lineField<T>(
  text: string,
  key: string,
  read: (text: string, key: string) => T | undefined,
  faults: Faults,
  subject: string,
): T | undefined {
  const value = read(text, key);
  if (value !== undefined) return value;
  const start = lineStart(text, key);
  if (start !== -1) faults.malformed(subject, inShort(text.slice(start, lineEnd(text, start))));
  return undefined;
}

/** The rest of the line that begins with `key`, without white space around it. */
export function lineText(text: string, key: string): string | undefined {
  const start = valueStart(text, key);
  return start === -1 ? undefined : text.slice(start, lineEnd(text, start)).trim();
}

/** Where the line that begins with this word begins; -1 without one. */
export function lineStart(text: string, key: string): number {
  if (key === '') return -1;
  for (let at = text.indexOf(key); at !== -1; at = text.indexOf(key, at + 1)) {
    if (at > 0 && text.charCodeAt(at - 1) !== NEWLINE) continue;
    const code = text.charCodeAt(at + key.length);
    if (code === SPACE || code === TAB || code === COLON || code === NEWLINE) return at;
  }
  return -1;
}

/** Where the line around `at` ends. */
export function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
}

/** The digits at `at`, or undefined where there are none or more than any number of 64 bits has. */
export function decimalAt(text: string, at: number): number | undefined {
  const end = digitsEnd(text, at);
  if (end === at) return undefined;
  if (end - at > EXACT_DIGITS) {
    const exact = longDecimal(text, at, end);
    return exact === undefined ? undefined : Number(exact);
  }
  let value = 0;
  for (let i = at; i < end; i += 1) value = value * 10 + (text.charCodeAt(i) - ZERO);
  return value;
}

function longDecimal(text: string, at: number, end: number): bigint | undefined {
  if (end - at > MAX_DIGITS) return undefined;
  const value = BigInt(text.slice(at, end));
  return value > MAX_U64 ? undefined : value;
}

/** As {@link decimalAt}, exact. */
export function bigDecimalAt(text: string, at: number): bigint | undefined {
  const end = digitsEnd(text, at);
  if (end === at) return undefined;
  if (end - at > EXACT_DIGITS) return longDecimal(text, at, end);
  const value = decimalAt(text, at);
  return value === undefined ? undefined : BigInt(value);
}

/** Where the digits at `at` end. */
export function digitsEnd(text: string, at: number): number {
  let end = at;
  while (isDigit(text.charCodeAt(end))) end += 1;
  return end;
}

/**
 * The integers from `at` on, one space between them, into `fields`: as many as there are or as it
 * has room for. Returns how many; whatever is no integer ends them.
 */
export function scanIntegers(text: string, at: number, fields: Float64Array): number {
  let position = at;
  let count = 0;
  while (count < fields.length) {
    const negative = text.charCodeAt(position) === MINUS;
    const start = negative ? position + 1 : position;
    const value = decimalAt(text, start);
    if (value === undefined) return count;
    fields[count] = negative ? -value : value;
    count += 1;
    position = digitsEnd(text, start) + 1;
    if (text.charCodeAt(position - 1) !== SPACE) return count;
  }
  return count;
}

function valueStart(text: string, key: string): number {
  const line = lineStart(text, key);
  if (line === -1) return -1;
  let at = line + key.length;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code !== SPACE && code !== TAB && code !== COLON) return at;
    at += 1;
  }
}

/** The digits at `start` are a word of their own: `12x4` is not 12. */
function endsWell(text: string, start: number): boolean {
  const end = digitsEnd(text, start);
  const code = text.charCodeAt(end);
  return end === text.length || code === NEWLINE || code === SPACE || code === TAB;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}
