import { describe, expect, it } from 'vitest';

import { parseLoadAverage, readLoadAverage } from '../../../../src/sources/host/load-average.ts';
import { failureOf, HOST, valueIn } from '../../../support/sources/kernel-fixtures.ts';

describe('load average', () => {
  it('has three windows', () => {
    expect(valueIn(readLoadAverage(HOST))).toEqual({
      oneMinute: 12.34,
      fiveMinutes: 10.5,
      fifteenMinutes: 8.07,
    });
  });

  it('is malformed when a window is missing', () => {
    expect(failureOf(parseLoadAverage('0.00 0.06\n', 'loadavg'))).toBe('malformed');
  });
});
