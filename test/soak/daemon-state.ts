import { z } from 'zod';

/** What the daemon of a soak run is told about one guest. */
const guestFactSchema = z.object({
  index: z.number(),
  name: z.string(),
  uuid: z.string(),
  baseImage: z.string(),
  running: z.boolean(),
  persistent: z.boolean(),
});

const poolFactSchema = z.object({ number: z.number(), name: z.string(), path: z.string() });

const domainSchema = z.object({
  name: z.string(),
  uuid: z.string(),
  id: z.union([z.number(), z.undefined()]),
});

const eventFactSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('lifecycle'),
    domain: domainSchema,
    event: z.number(),
    detail: z.number(),
  }),
  z.object({ type: z.literal('balloonChange'), domain: domainSchema, actualKib: z.bigint() }),
  z.object({ type: z.literal('deviceAdded'), domain: domainSchema, deviceAlias: z.string() }),
  z.object({ type: z.literal('deviceRemoved'), domain: domainSchema, deviceAlias: z.string() }),
]);

/** One change of what the daemon answers, and what it says of it; the first one is everything. */
export const changeSchema = z.object({
  guests: z.array(guestFactSchema),
  /** UUIDs of guests that are no more. */
  gone: z.array(z.string()),
  /** All pools there are. */
  pools: z.array(poolFactSchema),
  events: z.array(eventFactSchema),
});

export type GuestFact = z.infer<typeof guestFactSchema>;
export type PoolFact = z.infer<typeof poolFactSchema>;
export type EventFact = z.infer<typeof eventFactSchema>;
export type Change = z.infer<typeof changeSchema>;
