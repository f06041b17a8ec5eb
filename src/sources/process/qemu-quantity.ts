const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
  p: 1024 ** 5,
};

/** No guest has more: 64 PiB. */
const MOST_BYTES = 2 ** 56;

/**
 * A size as QEMU writes it (`512`, `1.5G`, `0x20000000`), in bytes; undefined for anything else.
 *
 * @param unit bytes of a number without a suffix: MiB for `-m` (QEMU docs/system/invocation).
 */
export function parseQuantity(text: string, unit = 1024 ** 2): number | undefined {
  const hexadecimal = /^0x[0-9a-f]{1,14}$/i.test(text);
  const match = /^(\d{1,15}(?:\.\d{1,9})?)([bkmgtp]?)$/i.exec(text);
  const bytes = hexadecimal
    ? Number(text) * unit
    : match === null
      ? Number.NaN
      : Number(match[1]) * (match[2] === '' ? unit : (UNITS[match[2]?.toLowerCase() ?? ''] ?? NaN));
  return bytes > 0 && bytes <= MOST_BYTES ? Math.floor(bytes) : undefined;
}
