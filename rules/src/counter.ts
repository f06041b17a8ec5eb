import { secondsOf } from '../tool/duration.ts';

/**
 * How much a counter grew in a window: its rate times the window. PromQL's `increase()` is the same,
 * but MetricsQL's counts a series that appears from 0, so a host that had three kills weeks before it
 * was first scraped would have had them now.
 *
 * @param range one number and one unit, e.g. `10m`.
 */
export function increaseOf(selector: string, range: string): string {
  return `(rate(${selector}[${range}]) * ${secondsOf(range)})`;
}
