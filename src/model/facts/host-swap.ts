import type { Host } from '../host.ts';

/** Swap of the host in bytes; each part is undefined where neither file tells it. */
export interface HostSwap {
  readonly totalBytes: number | undefined;
  readonly freeBytes: number | undefined;
}

/**
 * Swap on devices and files, from /proc/swaps; /proc/meminfo SwapTotal and SwapFree where that is out
 * of reach. zram is left out, as it is RAM under another name, which meminfo does not tell apart. 0 for
 * a host without swap.
 */
export function computeHostSwap({ swapAreas, meminfo }: Host): HostSwap {
  if (swapAreas === undefined) {
    return { totalBytes: meminfo?.swapTotalBytes, freeBytes: meminfo?.swapFreeBytes };
  }
  let totalBytes = 0;
  let usedBytes = 0;
  for (const area of swapAreas) {
    if (area.kind === 'zram') continue;
    totalBytes += area.sizeBytes;
    usedBytes += area.usedBytes;
  }
  return { totalBytes, freeBytes: totalBytes - usedBytes };
}
