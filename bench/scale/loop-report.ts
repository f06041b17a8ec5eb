import { z } from 'zod';

/** What loop-probe.ts saw of the event loop since it was last asked. Milliseconds. */
export const loopReportSchema = z.object({
  /** Longest time the loop was late by, as perf_hooks.monitorEventLoopDelay counts it. */
  longestDelayMs: z.number(),
  /** Longest time between two turns of a 1 ms timer of our own, less that millisecond. */
  longestBlockMs: z.number(),
  /** CPU time the main thread had in that time; the rest it waited, mostly for a CPU. */
  cpuOfLongestBlockMs: z.number(),
  /** Largest such CPU time between any two turns. */
  longestCpuMs: z.number(),
});

export type LoopReport = z.infer<typeof loopReportSchema>;
