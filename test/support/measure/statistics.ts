/** The middle value; of an even number the mean of the two in the middle. @throws RangeError */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError('median of nothing');
  return (lower + upper) / 2;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** For what the kernel counts in steps of 10 ms, where a median would jump. */
export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
