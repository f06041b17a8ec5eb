/** Something that has to hold for the benchmark to pass. */
export interface Bar {
  readonly what: string;
  readonly measured: number;
  readonly limit: number;
  readonly unit: string;
  /** Whether `measured` may be at most, or must be at least, the limit. */
  readonly kind: 'at-most' | 'at-least';
}

export function holds({ measured, limit, kind }: Bar): boolean {
  return kind === 'at-most' ? measured <= limit : measured >= limit;
}

/** One line that begins with `ok` or `MISSED`. */
export function barLine(bar: Bar): string {
  const { what, measured, limit, unit, kind } = bar;
  const sign = kind === 'at-most' ? '<=' : '>=';
  return `${holds(bar) ? 'ok    ' : 'MISSED'} ${what}: ${measured.toFixed(2)}${unit} (bar ${sign} ${limit}${unit})`;
}

/** Prints each bar; returns whether all hold. */
export function printBars(bars: readonly Bar[]): boolean {
  for (const bar of bars) console.log(barLine(bar));
  return bars.every(holds);
}
