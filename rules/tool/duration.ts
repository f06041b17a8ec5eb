const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** @param duration one number and one unit, as the rules are written. @throws for anything else. */
export function secondsOf(duration: string): number {
  const unit = SECONDS[duration.slice(-1)];
  const count = Number(duration.slice(0, -1));
  if (unit === undefined || !(count > 0)) throw new RangeError(`${duration}: no duration`);
  return count * unit;
}
