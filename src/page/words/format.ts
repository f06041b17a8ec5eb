/** Quantities as people read them. Number and unit are kept together by a no-break space. */

const SPACE = '\u00a0';
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;
const DECIMAL = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'] as const;

/** `2.1 TiB`, `0.98 TiB`, `938 GiB`, `24 GiB`, `0 B`. */
export function formatBytes(bytes: number): string {
  return withUnit(bytes, 1024, BINARY);
}

/** `3.2 MiB/s`. */
export function formatByteRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** Network speeds, in the decimal bits they are sold in: `1 Gbit/s`. */
export function formatBitRate(bytesPerSecond: number): string {
  return withUnit(bytesPerSecond * 8, 1000, DECIMAL);
}

/** `3.2 : 1`; `under 0.01 : 1` for little that is not nothing. */
export function formatRatio(ratio: number): string {
  return `${formatNumber(ratio)}${SPACE}:${SPACE}1`;
}

/** A share from 0 to 1: `4 %`, `0.4 %`, `under 0.1 %`; `over 99 %` for less than all. */
export function formatPercent(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return `under 0.1${SPACE}%`;
  if (percent < 100 && percent >= 99.5) return `over 99${SPACE}%`;
  return `${percent < 1 ? trimmed(percent, 1) : grouped(Math.round(percent))}${SPACE}%`;
}

/**
 * `1,000`, `12.5`, `0.13`, `under 0.01`: whole where it can be, else about two digits that matter.
 * Nothing but 0 is 0.
 */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (value > 0 && size < 0.005) return 'under 0.01';
  if (size >= 100) return grouped(Math.round(value));
  return trimmed(value, size >= 1 ? 1 : 2);
}

/** `3 guests`, `1 guest`. */
export function formatCount(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatNumber(count)}${SPACE}${count === 1 ? singular : plural}`;
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** Two units at most: `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function formatDuration(seconds: number): string {
  if (seconds < 1) return 'under a second';
  if (Math.round(seconds) < MINUTE) return part(Math.round(seconds), 's');
  const minutes = Math.round(seconds / MINUTE);
  if (minutes < 60) return part(minutes, 'min');
  if (minutes < DAY / MINUTE) {
    return two(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  }
  const hours = Math.round(seconds / HOUR);
  return two(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** `2026-11-23 13:05:12 UTC`. */
export function formatTime(unixSeconds: number): string {
  const iso = new Date(unixSeconds * 1000).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

/** What is rounded to 1,000. */
const FOUR_DIGITS = 999.5;

function withUnit(value: number, step: number, units: readonly string[]): string {
  let scaled = Math.abs(value);
  let index = 0;
  // Never four digits: 1,000 GiB beside 3.1 TiB says less than 0.98 TiB does.
  while (index < units.length - 1 && scaled >= FOUR_DIGITS) {
    scaled /= step;
    index += 1;
  }
  if (index === 0 && scaled > 0 && scaled < 0.5) return `under 1${SPACE}${units[0] ?? ''}`;
  const sign = value < 0 ? '−' : '';
  const digits = index === 0 || scaled >= 100 ? 0 : scaled < 1 ? 2 : 1;
  return `${sign}${trimmed(scaled, digits)}${SPACE}${units[index] ?? ''}`;
}

function trimmed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : grouped(Number(text));
}

const GROUPS = new Intl.NumberFormat('en-US');

function grouped(value: number): string {
  // Thousands of them in a long list of guests, nearly all without a group.
  return value >= 0 && value < 1000 && Number.isInteger(value)
    ? String(value)
    : GROUPS.format(value);
}

function part(value: number, unit: string): string {
  return `${value}${SPACE}${unit}`;
}

function two(first: number, firstUnit: string, second: number, secondUnit: string): string {
  return second === 0
    ? part(first, firstUnit)
    : `${part(first, firstUnit)}${SPACE}${part(second, secondUnit)}`;
}
