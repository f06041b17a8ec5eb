import { z } from 'zod';

/** What heap-probe.ts found in the exporter's main thread, after a collection of all garbage. */
export const heapReportSchema = z.object({
  /** Heap in use, bytes. */
  heapBytes: z.number(),
  /** Memory outside the heap which objects in it hold, buffers included, bytes. */
  externalBytes: z.number(),
  /** Objects of every kind on the heap; strings and numbers are none. */
  objects: z.number(),
  /** Timers, unref'd ones and those that ran out and are still held by somebody included. */
  timers: z.number(),
  /** What process.getActiveResourcesInfo() lists besides timers: sockets, pipes, requests. */
  handles: z.number(),
});

export type HeapReport = z.infer<typeof heapReportSchema>;
