/**
 * The few text forms the kernel uses in /proc, /sys and cgroupfs. Everything here is pure and
 * total: what is not of the form gives undefined, nothing throws.
 */

/** Digits of the largest number the kernel prints anywhere, 2^64 - 1. */
export const MAX_DIGITS = 20;
export const MAX_U64 = 2n ** 64n - 1n;

const DECIMAL = /^\d{1,20}$/;
const SIGNED_DECIMAL = /^-?\d{1,20}$/;

/**
 * A non-negative decimal integer, surrounding white space allowed. Values past 2^53 are rounded;
 * use {@link parseBigDecimal} for counters which can get there. Past 2^64 - 1 it is none: the kernel
 * has no such number.
 */
export function parseDecimal(text: string | undefined): number | undefined {
  const value = parseSignedDecimal(text);
  return value === undefined || text?.includes('-') === true ? undefined : value;
}

/** As {@link parseDecimal}, and a minus sign is allowed (KSM profits can be negative). */
export function parseSignedDecimal(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const trimmed = text.trim();
  if (!SIGNED_DECIMAL.test(trimmed)) return undefined;
  // Only the longest can be too large.
  if (trimmed.length >= MAX_DIGITS && BigInt(trimmed.replace('-', '')) > MAX_U64) return undefined;
  return Number(trimmed);
}

/** As {@link parseDecimal}, exact. */
export function parseBigDecimal(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  const trimmed = text.trim();
  if (!DECIMAL.test(trimmed)) return undefined;
  const value = BigInt(trimmed);
  return value > MAX_U64 ? undefined : value;
}

/** A size in the kernel's kB, which are KiB, in bytes; none where those are more than 2^64. */
export function kibibytesToBytes(kibibytes: number): number | undefined {
  const bytes = kibibytes * 1024;
  return bytes > 2 ** 64 ? undefined : bytes;
}

/** `5466328 kB`, as in meminfo and status; the kernel's kB are KiB. Result in bytes. */
export function parseKibibytes(text: string | undefined): number | undefined {
  if (text?.endsWith(' kB') !== true) return undefined;
  const kibibytes = parseDecimal(text.slice(0, -3));
  return kibibytes === undefined ? undefined : kibibytesToBytes(kibibytes);
}

/** A module parameter or switch: `Y`/`N` or `1`/`0`. */
export function parseSwitch(text: string | undefined): boolean | undefined {
  const word = text?.trim();
  if (word === 'Y' || word === '1') return true;
  return word === 'N' || word === '0' ? false : undefined;
}

/** The word in brackets of a sysfs choice, e.g. `madvise` of `always [madvise] never`. */
export function parseChoice(text: string | undefined): string | undefined {
  return text === undefined ? undefined : /\[([^\]\s]+)\]/.exec(text)?.[1];
}

/**
 * Lines of `key value` or `key: value` (vmstat, meminfo, memory.stat, cpu.stat, ksm_stat, io …).
 * The value is the rest of the line, trimmed; empty where a line ends after its key.
 */
export function parseKeyedLines(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  let start = 0;
  while (start < text.length) {
    let end = text.indexOf('\n', start);
    if (end === -1) end = text.length;
    let keyEnd = start;
    while (keyEnd < end) {
      const code = text.charCodeAt(keyEnd);
      if (code === 0x20 || code === 0x09 || code === 0x3a) break;
      keyEnd += 1;
    }
    if (keyEnd > start) values.set(text.slice(start, keyEnd), text.slice(keyEnd + 1, end).trim());
    start = end + 1;
  }
  return values;
}

/** Undoes the octal escapes (`\040` for a space) of mountinfo and swaps. */
export function unescapeOctal(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
