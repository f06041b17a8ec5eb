import { describe, expect, it } from 'vitest';

import { expandedValues, restartedValues } from '../../../rules/tool/sample-values.ts';

describe("promtool's notation of values", () => {
  it('is expanded to one value per interval', () => {
    expect(expandedValues('1+2x3')).toEqual(['1', '3', '5', '7']);
    expect(expandedValues('-4+0x1 5 _ stale')).toEqual(['-4', '-4', '5', '_', 'stale']);
    expect(expandedValues('_x2 10-5x1')).toEqual(['_', '_', '10', '5']);
    expect(expandedValues('1e9 inf nan')).toEqual(['1e9', 'inf', 'nan']);
  });

  it('is refused where it is something else', () => {
    expect(() => expandedValues('1..3')).toThrow('no values of a series');
  });
});

describe('a counter that begins anew', () => {
  it('is 0 at that sample and counts on from there', () => {
    expect(restartedValues(['5', '7', '9', '11'], 2)).toEqual(['5', '7', '0', '2']);
  });

  it('keeps its gaps', () => {
    expect(restartedValues(['5', '7', '_', 'stale', '9'], 1)).toEqual([
      '5',
      '0',
      '_',
      'stale',
      '2',
    ]);
  });

  it('stays as it is where there is no sample', () => {
    expect(restartedValues(['5', '_', '9'], 1)).toEqual(['5', '_', '9']);
    expect(restartedValues(['5'], 3)).toEqual(['5']);
  });
});
