/**
 * Jain's fairness index (Jain, Chiu, Hawe 1984, DEC-TR-301): (Σx)² / (n Σx²). 1 when all rates
 * are equal, 1/n when one has everything.
 *
 * @param rates non-negative rates in any one unit.
 * @returns undefined where there is nothing to share: no rates, or all of them 0.
 */
export function jainIndex(rates: readonly number[]): number | undefined {
  // Scaled by the largest rate so that squaring neither overflows nor vanishes.
  const largest = rates.reduce((most, rate) => Math.max(most, rate), 0);
  if (largest === 0) return undefined;
  let sum = 0;
  let squares = 0;
  for (const rate of rates) {
    const scaled = rate / largest;
    sum += scaled;
    squares += scaled * scaled;
  }
  return (sum * sum) / (rates.length * squares);
}
