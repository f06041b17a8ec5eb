import { describe, expect, it } from 'vitest';

import {
  formatBitRate,
  formatByteRate,
  formatBytes,
  formatCount,
  formatDuration,
  formatNumber,
  formatPercent,
  formatRatio,
  formatTime,
} from '../../../../src/page/words/format.ts';

/** No-break spaces as ordinary ones. */
function plain(text: string): string {
  return text.replaceAll('\u00a0', ' ');
}

describe('bytes', () => {
  it.each([
    [0, '0 B'],
    [0.3, 'under 1 B'],
    [1, '1 B'],
    [999, '999 B'],
    [1023, '1 KiB'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [24 * 2 ** 30, '24 GiB'],
    [15.5 * 2 ** 30, '15.5 GiB'],
    [938.4 * 2 ** 30, '938 GiB'],
    [999.4 * 2 ** 30, '999 GiB'],
    [1000 * 2 ** 30, '0.98 TiB'],
    [2204.4 * 2 ** 30, '2.2 TiB'],
    [1023.7 * 2 ** 30, '1 TiB'],
    [-3 * 2 ** 20, '−3 MiB'],
    [2 ** 70, '1,024 EiB'],
  ])('%d are %s', (bytes, text) => {
    expect(plain(formatBytes(bytes))).toBe(text);
  });

  it('keep number and unit on one line', () => {
    expect(formatBytes(1024)).toBe('1\u00a0KiB');
  });

  it('per second say so', () => {
    expect(plain(formatByteRate(3.2 * 2 ** 20))).toBe('3.2 MiB/s');
  });
});

describe('bit rates', () => {
  it.each([
    [125e6, '1 Gbit/s'],
    [4e9, '32 Gbit/s'],
    [0, '0 bit/s'],
    [29_375_000, '235 Mbit/s'],
    [124.95e6, '1 Gbit/s'],
    [12_500, '100 kbit/s'],
  ])('%d bytes per second are %s', (bytesPerSecond, text) => {
    expect(plain(formatBitRate(bytesPerSecond))).toBe(text);
  });
});

describe('ratios and shares', () => {
  it.each([
    [8, '8 : 1'],
    [3.2, '3.2 : 1'],
    [0.5, '0.5 : 1'],
    [1 / 3, '0.33 : 1'],
    [1234, '1,234 : 1'],
  ])('%d to one is %s', (ratio, text) => {
    expect(plain(formatRatio(ratio))).toBe(text);
  });

  it.each([
    [0, '0 %'],
    [0.0004, 'under 0.1 %'],
    [0.004, '0.4 %'],
    [0.125, '13 %'],
    [1, '100 %'],
    [37.7, '3,770 %'],
  ])('a share of %d is %s', (share, text) => {
    expect(plain(formatPercent(share))).toBe(text);
  });
});

describe('numbers', () => {
  it.each([
    [0, '0'],
    [0.125, '0.13'],
    [0.1, '0.1'],
    [2.44, '2.4'],
    [32, '32'],
    [99.96, '100'],
    [1_234_567, '1,234,567'],
  ])('%d is %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it('of things agree with them', () => {
    expect(plain(formatCount(1, 'guest'))).toBe('1 guest');
    expect(plain(formatCount(1000, 'guest'))).toBe('1,000 guests');
    expect(plain(formatCount(2, 'more', 'more'))).toBe('2 more');
  });
});

describe('durations', () => {
  it.each([
    [0.2, 'under a second'],
    [45, '45 s'],
    [59.6, '1 min'],
    [720, '12 min'],
    [3599, '1 h'],
    [11_100, '3 h 5 min'],
    [187_200, '2 d 4 h'],
    [86_399, '1 d'],
  ])('of %d seconds are %s', (seconds, text) => {
    expect(plain(formatDuration(seconds))).toBe(text);
  });
});

describe('a time', () => {
  it('is in UTC, to the second', () => {
    expect(formatTime(1_700_100_000.9)).toBe('2023-11-16 02:00:00 UTC');
  });
});

describe('little that is not nothing', () => {
  it('is not written as nothing, and less than all not as all', () => {
    // 256 MiB promised of 62 GiB.
    expect(plain(formatRatio(0.25 / 62))).toBe('under 0.01 : 1');
    expect(plain(formatRatio(0))).toBe('0 : 1');
    expect(plain(formatCount(0.004, 'CPU'))).toBe('under 0.01 CPUs');
    expect(formatNumber(0.005)).toBe('0.01');
    expect(plain(formatBitRate(0.01))).toBe('under 1 bit/s');
    expect(plain(formatPercent(0.9996))).toBe('over 99 %');
    expect(plain(formatPercent(0.994))).toBe('99 %');
    expect(plain(formatPercent(1))).toBe('100 %');
  });
});
