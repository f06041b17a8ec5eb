import { z } from 'zod';

import { GUEST_SOURCES } from '../../model/guest-source.ts';
import { RISK_RESOURCES, RISK_SIGNALS } from '../../risk/risk-model.ts';

/**
 * What `/api/v1/host` and `report --json` give. A field that is not there is not known, and never 0.
 * Fields may be added within version 1; none changes its meaning or goes.
 */
const level = z
  .int()
  .min(0)
  .max(3)
  .describe('Risk: 0 low, 1 medium, 2 high, 3 critical. Not there: not known.');
const bytes = z.number().nonnegative().describe('Bytes.');
const ratio = z.number().nonnegative().describe('A share of time, 0 to 1, of the last minute.');

const part = z.strictObject({
  name: z.string().optional().describe('Filesystem, pool or uplink. Not there: all of the host.'),
  unit: z.enum(['cpus', 'bytes', 'bytes_per_second']).describe('Of all amounts beside.'),
  promised: z.number().optional().describe('What guests may have.'),
  capacity: z.number().optional().describe('What the host can give to guests.'),
  exposure: z.number().optional().describe('All that guests can still claim.'),
  supply: z.number().optional().describe('What can meet the exposure.'),
  shortfall: z
    .number()
    .optional()
    .describe('Exposure less supply; negative: so much would be left.'),
  used: z.number().optional().describe('In use now.'),
});

const reason = z.strictObject({
  signal: z.enum(RISK_SIGNALS.map(({ id }) => id)).describe('See docs/risk-model.md.'),
  level,
  value: z
    .number()
    .optional()
    .describe(
      'In the unit of the limit. Not there: infinite, for something is claimed of nothing.',
    ),
  limit: z.number().describe('What the value was compared with.'),
  measured: z.boolean().describe('True: it happens now. False: it could.'),
  text: z.string().describe('The same in words.'),
  runbook: z.string().describe('Address of what to do.'),
});

const resource = z.strictObject({
  resource: z.enum(RISK_RESOURCES),
  level: level.optional(),
  reasons: z.array(reason).describe('Why the level is what it is, severest first.'),
  unknown: z.array(z.string()).describe('What could make the level higher and is not known.'),
  parts: z.array(part).describe('The amounts, the worst part first.'),
  summary: z.string().describe('What would happen if everybody claimed what was promised.'),
});

const trouble = z.strictObject({
  id: z.string().describe('What it is, one word.'),
  level,
  text: z.string(),
  runbook: z.string().optional(),
});

const guest = z.strictObject({
  name: z.string(),
  uuid: z.string(),
  source: z.enum(GUEST_SOURCES).describe('Who told of it: process is its QEMU alone.'),
  state: z.string(),
  troubles: z.array(trouble).describe('What is wrong with it, worst first.'),
  vcpus: z.number().optional(),
  cpus: z.number().optional().describe('CPUs it uses, QEMU included.'),
  delayRatio: ratio.optional(),
  memoryBytes: bytes.optional(),
  claimableBytes: bytes.optional(),
  swappedBytes: bytes.optional(),
  claimableStorageBytes: bytes.optional(),
  trafficBytesPerSecond: z.number().nonnegative().optional(),
});

export const HOST_SCHEMA = z
  .strictObject({
    version: z.literal(1),
    demo: z.boolean().describe('True for the simulated host of --demo.'),
    hostname: z.string().optional(),
    takenAtSeconds: z.number().describe('Unix time.'),
    level: level.optional().describe('The highest of all resources that are known.'),
    summary: z.string(),
    rates: z.boolean().describe('False at a first look: what takes two looks is not known yet.'),
    problems: z
      .array(z.strictObject({ level, text: z.string(), runbook: z.string().optional() }))
      .describe('What needs attention now, severest first.'),
    resources: z.array(resource),
    guests: z
      .array(guest)
      .optional()
      .describe('Those that suffer most first. Not there: not known.'),
    faults: z.array(z.string()).describe('What the exporter cannot see.'),
  })
  .describe('The facts of the page of kvm-overcommit-exporter, for scripts.');

export type HostJson = z.infer<typeof HOST_SCHEMA>;
