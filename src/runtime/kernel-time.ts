/**
 * Ticks per second of every time in /proc/stat and /proc/<pid>/stat. The kernel converts its own
 * HZ to USER_HZ before showing them, and USER_HZ is part of the ABI: 100 on every architecture
 * KVM runs on (include/uapi/asm-generic/param.h; only alpha and ia64 differed). So no getconf.
 */
export const USER_HZ = 100;

const NANOSECONDS_PER_SECOND = 1_000_000_000n;

export function ticksToSeconds(ticks: number): number {
  return ticks / USER_HZ;
}

export function microsecondsToSeconds(microseconds: number): number {
  return microseconds / 1e6;
}

/** Splits before converting where it must, so that nothing is lost past 2^53 ns (104 CPU-days). */
export function nanosecondsToSeconds(nanoseconds: bigint): number {
  const whole = Number(nanoseconds);
  if (Number.isSafeInteger(whole)) return whole / 1e9;
  return (
    Number(nanoseconds / NANOSECONDS_PER_SECOND) +
    Number(nanoseconds % NANOSECONDS_PER_SECOND) / 1e9
  );
}
