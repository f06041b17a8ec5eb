/**
 * The few text forms the kernel uses in /proc, /sys and cgroupfs. Everything here is pure and
 * total: what is not of the form gives undefined, nothing throws.
 */

const DECIMAL = /^\d+$/;
const SIGNED_DECIMAL = /^-?\d+$/;

/**
 * A non-negative decimal integer, surrounding white space allowed. Values past 2^53 are rounded;
 * use {@link parseBigDecimal} for counters which can get there.
 */
export function parseDecimal(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const trimmed = text.trim();
  return DECIMAL.test(trimmed) ? Number(trimmed) : undefined;
}

/** As {@link parseDecimal}, and a minus sign is allowed (KSM profits can be negative). */
export function parseSignedDecimal(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const trimmed = text.trim();
  return SIGNED_DECIMAL.test(trimmed) ? Number(trimmed) : undefined;
}

/** A non-negative decimal integer of any size. */
export function parseBigDecimal(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  const trimmed = text.trim();
  return DECIMAL.test(trimmed) ? BigInt(trimmed) : undefined;
}

/** `5466328 kB`, as in meminfo and status; the kernel's kB are KiB. Result in bytes. */
export function parseKibibytes(text: string | undefined): number | undefined {
  if (text?.endsWith(' kB') !== true) return undefined;
  const kibibytes = parseDecimal(text.slice(0, -3));
  return kibibytes === undefined ? undefined : kibibytes * 1024;
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
 * The value is the rest of the line, trimmed; lines without a value are left out.
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
    if (keyEnd > start && keyEnd < end) {
      const value = text.slice(keyEnd + 1, end).trim();
      if (value !== '') values.set(text.slice(start, keyEnd), value);
    }
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
