/** Something that has to hold for the benchmark to pass. */
export interface Bar {
  readonly what: string;
  readonly measured: number;
  readonly limit: number;
  readonly unit: string;
  /** Whether `measured` may be at most, or must be at least, the limit. */
  readonly kind: 'at-most' | 'at-least';
}

/** Prints each bar with `ok` or `MISSED`; returns whether all hold. */
export function printBars(bars: readonly Bar[]): boolean {
  let allHold = true;
  for (const bar of bars) {
    const { what, measured, limit, unit, kind } = bar;
    const holds = kind === 'at-most' ? measured <= limit : measured >= limit;
    const sign = kind === 'at-most' ? '<=' : '>=';
    console.log(
      `${holds ? 'ok    ' : 'MISSED'} ${what}: ${measured.toFixed(2)}${unit} (bar ${sign} ${limit}${unit})`,
    );
    allHold &&= holds;
  }
  return allHold;
}
