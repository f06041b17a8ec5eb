import type { Host } from '../host.ts';

/**
 * What programs can still get without swapping, in bytes: MemAvailable and, on hosts with ZFS, the part
 * of its cache that can be given up, which MemAvailable lacks. Undefined where the kernel does not say
 * (before 3.14). The policy may say not to count on that cache.
 */
export function computeAvailableMemory(
  { meminfo, zfsArc }: Host,
  countsZfsArc = true,
): number | undefined {
  const available = meminfo?.availableBytes;
  if (available === undefined) return undefined;
  return available + (countsZfsArc ? (zfsArc?.reclaimableBytes ?? 0) : 0);
}
