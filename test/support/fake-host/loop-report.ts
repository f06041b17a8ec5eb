import { z } from 'zod';

/** What loop-probe.ts saw of the event loop since it was last asked. Milliseconds. */
export const loopReportSchema = z.object({
  /** Longest time the loop was late by, as perf_hooks.monitorEventLoopDelay counts it. */
  longestDelayMs: z.number(),
  /**
   * Longest time between two turns of a 1 ms timer of our own, less that millisecond and less the
   * time the main thread stood ready and other processes had the CPUs (schedstat): the time for
   * which the exporter's own work held the loop.
   */
  longestBlockMs: z.number(),
});

export type LoopReport = z.infer<typeof loopReportSchema>;
