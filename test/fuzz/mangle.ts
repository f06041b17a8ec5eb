import type { Pick } from '../support/libvirt/damage.ts';

/** Numbers at the edges of every type somebody may take them for, and texts that look like some. */
const NUMBERS = [
  ...['0', '1', '-1', '00', '7', '4294967295', '4294967296', '9007199254740993'],
  ...['9223372036854775807', '9223372036854775808', '18446744073709551615', '18446744073709551616'],
  ...['7'.repeat(400), '1e309', '-1e309', '0x7f', 'NaN', 'Infinity', '-Infinity', '1.5', '', ' '],
  ...['x', 'max', '1_000', '+5', '٣', '12x4', '99999999999999999999'],
];

/** Letters that mean something in some of the forms. */
const NOISE = [
  ...Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)),
  ...['0', '1', '2', '9', ' ', '\n', '\t', '=', ':', ',', '-', '"', '<', '>'],
  ...['\u00ff', 'é', '\u2028', '\ud800'],
];

const MAX_LENGTH = 64 * 1024;

/** A good text, broken in one to four ways; now and then nothing of it is left, or nothing broken. */
export function mangled(good: string, pick: Pick, more: readonly string[] = []): string {
  const kind = pick(40);
  if (kind === 0) return '';
  if (kind === 1) return good;
  if (kind === 2) return noise(pick, 1 + pick(300));
  if (kind === 3) return allNumbers(good, NUMBERS[pick(NUMBERS.length)] ?? '');
  if (kind === 4) return allNumbers(good, '7'.repeat(1 + pick(400)));
  let text = good;
  for (let ways = 1 + pick(4); ways > 0; ways -= 1) text = broken(text, pick, more);
  return text.slice(0, MAX_LENGTH);
}

function broken(text: string, pick: Pick, more: readonly string[]): string {
  const at = pick(text.length + 1);
  const length = pick(Math.min(60, text.length - at) + 1);
  const [head, piece, tail] = [
    text.slice(0, at),
    text.slice(at, at + length),
    text.slice(at + length),
  ];
  switch (pick(10)) {
    case 0:
      return head;
    case 1:
      return head + tail;
    case 2:
      return head + piece.repeat(pick(20) === 0 ? 2 + pick(400) : 2) + tail;
    case 3:
      return head + noise(pick, 1 + pick(8)) + tail;
    case 4:
    case 5:
      return oneNumber(text, at, NUMBERS[pick(NUMBERS.length)] ?? '');
    case 6:
      return withLines(text, pick);
    case 7:
      return more.length === 0 ? head + tail : head + (more[pick(more.length)] ?? '') + tail;
    case 8:
      return head + String.fromCharCode(pick(256)) + text.slice(at + 1);
    default:
      return tail + head;
  }
}

function noise(pick: Pick, length: number): string {
  let text = '';
  for (let i = 0; i < length; i += 1) text += NOISE[pick(NOISE.length)] ?? '';
  return text;
}

function allNumbers(text: string, number: string): string {
  return text.replaceAll(/\d+/g, () => number);
}

/** The next number from there on is another one. */
function oneNumber(text: string, from: number, number: string): string {
  const rest = text.slice(from);
  return text.slice(0, from) + rest.replace(/\d+/, () => number);
}

/** One line goes, comes twice, or changes places with another. */
function withLines(text: string, pick: Pick): string {
  const lines = text.split('\n');
  const [one, other] = [pick(lines.length), pick(lines.length)];
  const kind = pick(3);
  if (kind === 0) lines.splice(one, 1);
  else if (kind === 1) lines.splice(one, 0, lines[other] ?? '');
  else [lines[one], lines[other]] = [lines[other] ?? '', lines[one] ?? ''];
  return lines.join('\n');
}

const WORDS = [0, 1, 2, 7, 0x7f, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];

/** Good bytes, broken in one to four ways: single bytes, whole words of either order, the length. */
export function mangledBytes(good: Buffer, pick: Pick): Buffer {
  const kind = pick(30);
  if (kind === 0) return Buffer.alloc(pick(64));
  if (kind === 1) return good;
  if (kind === 2) return randomBytes(pick, pick(1200));
  const bytes = Buffer.from(good);
  for (let ways = 1 + pick(4); ways > 0; ways -= 1) {
    // Most of what counts stands at the beginning.
    const at = pick(pick(2) === 0 ? Math.min(128, bytes.length) : bytes.length);
    const word = WORDS[pick(WORDS.length)] ?? 0;
    const way = pick(6);
    if (way === 0) bytes[at] = pick(256);
    else if (way === 1 && at + 4 <= bytes.length) bytes.writeUInt32BE(word, at);
    else if (way === 2 && at + 4 <= bytes.length) bytes.writeUInt32LE(word, at);
    else if (way === 3) randomBytes(pick, 1 + pick(16)).copy(bytes, at);
    else if (way === 4) bytes.copyWithin(at, pick(bytes.length), bytes.length);
    else if (pick(4) === 0) return bytes.subarray(0, at);
  }
  return bytes;
}

function randomBytes(pick: Pick, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i += 1) bytes[i] = pick(256);
  return bytes;
}
