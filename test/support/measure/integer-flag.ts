/** The value of a flag that takes a whole number. @throws RangeError which names the flag. */
export function integerFlag(
  name: string,
  text: string,
  minimum: number,
  maximum = Number.MAX_SAFE_INTEGER,
): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
    throw new RangeError(`--${name} must be a whole number from ${minimum} to ${maximum}`);
  }
  return value;
}
