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

/** Whole bytes from `512MiB`, `2GiB`, `1.5TB`, `100 B`, or a plain number of bytes. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([kKMGT]i?B|B)?$/.exec(text);
  if (match === null) return undefined;
  const factor = BYTES_PER[match[2] ?? 'B'];
  return factor === undefined ? undefined : plausible(Math.round(Number(match[1]) * factor));
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
