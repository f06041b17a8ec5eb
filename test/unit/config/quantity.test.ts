import { describe, expect, it } from 'vitest';

import {
  formatBytes,
  formatDuration,
  formatShare,
  parseBytes,
  parseDuration,
  parseRatio,
} from '../../../src/config/quantity.ts';

describe('quantities', () => {
  it.each([
    ['512MiB', 536_870_912],
    ['2GiB', 2_147_483_648],
    ['1.5KiB', 1536],
    ['1 kB', 1000],
    ['3TB', 3e12],
    ['4096B', 4096],
    ['100B', 100],
    ['0', 0],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it('beyond what 64 bits can count are none', () => {
    for (const digits of ['9'.repeat(21), '9'.repeat(240)]) {
      expect(parseBytes(digits)).toBeUndefined();
      expect(parseBytes(`${digits}TiB`)).toBeUndefined();
      expect(parseDuration(`${digits}d`)).toBeUndefined();
      expect(parseRatio(digits)).toBeUndefined();
    }
    expect(parseBytes('99999999999TiB')).toBeUndefined();
  });

  it.each(['', 'GiB', '-1', '1XB', '1gib', '1e9', '5%', '5', '4096', '5G'])(
    '%s is no size',
    (text) => {
      expect(parseBytes(text)).toBeUndefined();
    },
  );

  it.each([
    ['24h', 86_400],
    ['1d', 86_400],
    ['1h30m', 5400],
    ['250ms', 0.25],
    ['90', 90],
  ])('%s is %d seconds', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  it.each(['', 's', '-1s', '1y', '10 s', '1h 30m', 'Infinity'])('%s is no duration', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it.each([
    ['5%', 0.05],
    ['150%', 1.5],
    ['1.5', 1.5],
  ])('%s is the ratio %d', (text, ratio) => {
    expect(parseRatio(text)).toBe(ratio);
  });

  it.each(['', '%', '-1', '5 %', '1/2'])('%s is no ratio', (text) => {
    expect(parseRatio(text)).toBeUndefined();
  });

  it.each([0, 1, 1000, 1536, 819_200, 512 * 2 ** 20, 2 ** 40])(
    '%d bytes are written so that they can be read back',
    (bytes) => {
      expect(parseBytes(formatBytes(bytes))).toBe(bytes);
    },
  );

  it('are written in the unit people would choose', () => {
    expect([819_200, 2 ** 31, 1001].map(formatBytes)).toEqual(['800KiB', '2GiB', '1001B']);
    expect([900, 86_400, 0].map(formatDuration)).toEqual(['900s', '24h', '0s']);
    expect([0.05, 0.375].map(formatShare)).toEqual(['5%', '37.5%']);
  });
});
