/**
 * Readers for quantities as people write them in flags and in the policy file. Each gives
 * undefined for what it cannot read; the caller knows what to say about it.
 */

const SECONDS_PER: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
};

/** Seconds from `10s`, `500ms`, `1m`, `1h30m`, or a plain number of seconds. */
export function parseDuration(text: string): number | undefined {
  if (/^\d+(?:\.\d+)?$/.test(text)) return plausible(Number(text));
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(text)) return undefined;
  let seconds = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)) {
    seconds += Number(amount) * (SECONDS_PER[unit ?? ''] ?? Number.NaN);
  }
  return plausible(seconds);
}

const BYTES_PER: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** The units of a size, for people. */
export const SIZE_UNITS = Object.keys(BYTES_PER).filter((unit) => unit !== 'KB');

/**
 * Whole bytes from `512MiB`, `2GiB`, `1.5TB` or `100 B`. A number without its unit is none, since
 * whoever writes 5 means no 5 bytes; only 0 needs none.
 */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([kKMGT]i?B|B)?$/.exec(text);
  if (match === null) return undefined;
  const [, amount, unit] = match;
  if (unit === undefined) return Number(amount) === 0 ? 0 : undefined;
  const factor = BYTES_PER[unit];
  return factor === undefined ? undefined : plausible(Math.round(Number(amount) * factor));
}

/** A size as {@link parseBytes} reads it, in the largest unit of which it is a whole number. */
export function formatBytes(bytes: number): string {
  const unit = ['TiB', 'GiB', 'MiB', 'KiB'].find((one) => bytes % (BYTES_PER[one] ?? 1) === 0);
  if (bytes === 0) return '0';
  if (unit === undefined) return `${bytes}B`;
  return `${bytes / (BYTES_PER[unit] ?? 1)}${unit}`;
}

/** Seconds as {@link parseDuration} reads them, in hours where they are whole hours. */
export function formatDuration(seconds: number): string {
  const isWholeHours = seconds > 0 && seconds % 3600 === 0;
  return isWholeHours ? `${seconds / 3600}h` : `${seconds}s`;
}

/** A part of the whole in percent, as {@link parseRatio} reads it. */
export function formatShare(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(6))}%`;
}

/** A ratio from `5%` (0.05) or a plain number (1.5). */
export function parseRatio(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  if (match === null) return undefined;
  return plausible(match[2] === '%' ? Number(match[1]) / 100 : Number(match[1]));
}

/** More than anything measured can be: somebody leaned on a key. */
const LARGEST = 2 ** 64;

function plausible(value: number): number | undefined {
  return value <= LARGEST ? value : undefined;
}
