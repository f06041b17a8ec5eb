import { describe, expect, it } from 'vitest';

import { parseSwaps, parseZramUsage, readSwapAreas } from '../../../../src/sources/host/swap.ts';
import { failureOf, HOST, NOWHERE, valueIn } from '../../../support/sources/kernel-fixtures.ts';

describe('swap areas', () => {
  it('have a size, a use and a priority', () => {
    expect(valueIn(readSwapAreas(HOST))[1]).toEqual({
      path: '/dev/dm-1',
      kind: 'partition',
      sizeBytes: 16777212 * 1024,
      usedBytes: 2 ** 30,
      priority: -2,
      zram: undefined,
    });
  });

  it('on zram show what they cost in RAM: 2 GiB swapped take 528 MiB', () => {
    const [zram] = valueIn(readSwapAreas(HOST));
    expect(zram?.kind).toBe('zram');
    expect(zram?.usedBytes).toBe(2 * 2 ** 30);
    expect(zram?.zram).toEqual({
      originalBytes: 2 * 2 ** 30,
      compressedBytes: 512 * 2 ** 20,
      memoryBytes: 528 * 2 ** 20,
      memoryLimitBytes: undefined,
    });
  });

  it('may be files with spaces in the name', () => {
    expect(valueIn(readSwapAreas(HOST))[2]).toMatchObject({
      path: '/var/swap files/overflow',
      kind: 'file',
    });
  });

  it('are malformed where they are larger than 64 bits can count', () => {
    for (const [size, used] of [
      ['18446744073709551615', '0'],
      ['8388604', '18446744073709551615'],
    ]) {
      const text = `Filename\tType\tSize\tUsed\tPriority\n/dev/sda2 partition ${size} ${used} -2\n`;
      expect(failureOf(parseSwaps(text, 's'))).toBe('malformed');
    }
  });

  it('may be none', () => {
    expect(valueIn(parseSwaps('Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n', 's'))).toEqual(
      [],
    );
  });

  it('are absent without /proc/swaps and malformed when a line is cut', () => {
    expect(failureOf(readSwapAreas(NOWHERE))).toBe('absent');
    expect(failureOf(parseSwaps('Filename Type\n/dev/sda2 partition 12\n', 's'))).toBe('malformed');
    expect(failureOf(parseSwaps('', 's'))).toBe('malformed');
    expect(parseZramUsage('1 2\n')).toBeUndefined();
  });
});
