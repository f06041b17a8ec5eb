import { describe, expect, it } from 'vitest';

import { certainRise, trendOf } from '../../soak/trend.ts';

const every = (minutes: number, value: (minute: number) => number) =>
  Array.from({ length: 61 }, (_, i) => (i * minutes) / 60).map((minute) => ({
    minute,
    value: value(minute),
  }));
/** Up and down by so much, the same each time. */
const scatter = (minute: number, by: number): number => by * Math.sin(minute * 7.3);

describe('the trend of a measurement', () => {
  it('is what the line rises by from the first point to the last', () => {
    const { rise, error } = trendOf(every(20, (minute) => 100 + minute / 4));
    expect(rise).toBeCloseTo(5);
    expect(error).toBeCloseTo(0);
  });

  it('is about nothing where values only scatter, and nothing for certain', () => {
    const points = every(20, (minute) => 100 + scatter(minute, 3));
    expect(Math.abs(trendOf(points).rise)).toBeLessThan(2);
    expect(certainRise(points)).toBeLessThan(0);
  });

  it('is found below the scatter', () => {
    const points = every(20, (minute) => 100 + minute / 4 + scatter(minute, 3));
    expect(certainRise(points)).toBeGreaterThan(2);
  });

  it('is negative where the values fall', () => {
    expect(trendOf(every(20, (minute) => 100 - minute)).rise).toBeCloseTo(-20);
  });

  it('needs two points in time', () => {
    expect(() => trendOf([])).toThrow(RangeError);
    expect(() => trendOf([{ minute: 1, value: 1 }])).toThrow(RangeError);
  });
});
