/**
 * The values of a series in promtool's notation, one per interval: `1+2x3` is 1 3 5 7.
 *
 * @throws for what the notation does not have.
 */
export function expandedValues(notation: string): readonly string[] {
  return notation.trim().split(/\s+/).flatMap(expandedItem);
}

/** The same series whose counter begins anew at 0 with sample `at` and counts on as before. */
export function restartedValues(values: readonly string[], at: number): readonly string[] {
  const begin = Number(values[at]);
  if (!Number.isFinite(begin)) return values;
  return values.map((value, index) => {
    const number = Number(value);
    return index < at || Number.isNaN(number) ? value : String(number - begin);
  });
}

function expandedItem(item: string): readonly string[] {
  const [, gaps] = /^_x(\d+)$/.exec(item) ?? [];
  if (gaps !== undefined) return Array.from({ length: Number(gaps) }, () => '_');
  const [, begin, step, times] = /^(-?[\d.]+)([+-][\d.]+)x(\d+)$/.exec(item) ?? [];
  if (begin !== undefined && step !== undefined) {
    const length = Number(times) + 1;
    return Array.from({ length }, (_one, index) => String(Number(begin) + index * Number(step)));
  }
  if (!/^(?:_|stale|-?inf|nan)$/.test(item) && Number.isNaN(Number(item))) {
    throw new RangeError(`${item}: no values of a series`);
  }
  return [item];
}
