const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** @param duration one number and one unit, as the rules are written. @throws for anything else. */
export function secondsOf(duration: string): number {
  const unit = SECONDS[duration.slice(-1)];
  const count = Number(duration.slice(0, -1));
  if (unit === undefined || !(count > 0)) throw new RangeError(`${duration}: no duration`);
  return count * unit;
}

/** @param text a time as promtool or Go writes it, of one part or several: `90s`, `1h10m0s`. */
export function secondsOfParts(text: string): number {
  return (text.match(/\d+[dhms]/g) ?? []).reduce((sum, part) => {
    const unit = SECONDS[part.slice(-1)] ?? 0;
    return sum + Number(part.slice(0, -1)) * unit;
  }, 0);
}
