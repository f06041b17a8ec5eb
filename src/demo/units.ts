export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;
export const PAGE_BYTES = 4096;

/** Whole pages, as the kernel reports memory. */
export function wholePages(bytes: number): number {
  return Math.floor(bytes / PAGE_BYTES) * PAGE_BYTES;
}

/** Counters are simulated as fractions and reported as whole numbers. */
export function whole(count: number): bigint {
  return BigInt(Math.floor(count));
}

export function nanoseconds(seconds: number): bigint {
  return BigInt(Math.floor(seconds * 1e9));
}

export function sum<T>(items: readonly T[], valueOf: (item: T) => number): number {
  return items.reduce((total, item) => total + valueOf(item), 0);
}
