import type { MemoryLimit } from '../cgroup.ts';

/** Limits on memory and swap, of a cgroup or of an XML's `<memtune>`, which has the words of v1. */
export interface SwapLimits {
  readonly maxBytes: MemoryLimit;
  readonly swapMaxBytes: MemoryLimit;
  readonly swapIncludesMemory: boolean;
}

/**
 * Most swap a guest may use, in bytes: memory.swap.max (cgroup v2); what memory.memsw leaves above the
 * memory limit (v1, `<swap_hard_limit>`), all of it where memory alone has no limit. Undefined: none,
 * or not known.
 */
export function computeSwapLimit(limits: SwapLimits | undefined): number | undefined {
  if (limits === undefined || typeof limits.swapMaxBytes !== 'number') return undefined;
  const { maxBytes, swapMaxBytes, swapIncludesMemory } = limits;
  return swapIncludesMemory && typeof maxBytes === 'number'
    ? Math.max(0, swapMaxBytes - maxBytes)
    : swapMaxBytes;
}
