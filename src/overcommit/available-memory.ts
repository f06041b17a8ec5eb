import type { Host } from '../snapshot/host.ts';

/**
 * What programs can still get without swapping, in bytes: MemAvailable and, on hosts with ZFS, the part
 * of its cache that can be given up, which MemAvailable lacks. Undefined where the kernel does not say
 * (before 3.14).
 */
export function computeAvailableMemory({ meminfo, zfsArc }: Host): number | undefined {
  const available = meminfo?.availableBytes;
  return available === undefined ? undefined : available + (zfsArc?.reclaimableBytes ?? 0);
}
