import { mean, sum } from '../support/measure/statistics.ts';

/** What was measured, and when. */
export interface Point {
  readonly minute: number;
  readonly value: number;
}

/** A straight line through points, by least squares. */
export interface Trend {
  /** By how much the line rises from the first point to the last one; negative when it falls. */
  readonly rise: number;
  /** Standard error of the rise; 0 for two points, which every line fits. */
  readonly error: number;
}

/**
 * The trend of at least two points of different times.
 *
 * @throws RangeError for fewer.
 */
export function trendOf(points: readonly Point[]): Trend {
  const times = points.map(({ minute }) => minute);
  const span = Math.max(...times) - Math.min(...times);
  if (points.length < 2 || span === 0) throw new RangeError('a trend needs two points in time');
  const middle = mean(times);
  const level = mean(points.map(({ value }) => value));
  const squares = sum(times.map((time) => (time - middle) ** 2));
  const slope =
    sum(points.map(({ minute, value }) => (minute - middle) * (value - level))) / squares;
  const rest = sum(
    points.map(({ minute, value }) => (value - level - slope * (minute - middle)) ** 2),
  );
  const freedom = points.length - 2;
  const error = freedom === 0 ? 0 : Math.sqrt(rest / freedom / squares);
  return { rise: slope * span, error: error * span };
}

/**
 * The rise there is for certain: two standard errors less than the line's own. Scatter alone rises by
 * more in one run of forty; what really rises does so by far more in a run that is long enough.
 */
export function certainRise(points: readonly Point[]): number {
  const { rise, error } = trendOf(points);
  return rise - 2 * error;
}
