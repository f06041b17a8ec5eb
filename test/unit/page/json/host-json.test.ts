import { readFileSync } from 'node:fs';

import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';

import { hostSchemaText } from '../../../../docs/host-schema.ts';
import { COLLECTORS } from '../../../../src/model/collectors.ts';
import { DemoHost } from '../../../../src/demo/demo-host.ts';
import type { Snapshot } from '../../../../src/model/snapshot.ts';
import { pageFacts } from '../../../../src/page/facts/page-facts.ts';
import { hostJson } from '../../../../src/page/json/host-json.ts';
import { HOST_SCHEMA, type HostJson } from '../../../../src/page/json/host-schema.ts';
import { RecentCounters } from '../../../../src/risk/recent-counters.ts';
import {
  exampleSnapshot,
  exampleView,
  NOTHING_RECENT,
  unknownSnapshot,
} from '../../../support/metrics/example-snapshot.ts';
import { A, smallHost } from '../small-host.ts';

const FILE = new URL('../../../../docs/api/host.schema.json', import.meta.url);

/** Moments of the demo's story; see src/demo/schedule.ts. */
const MOMENTS = [300, 1200, 1750];
/** The story is computed second by second up to there, and other work may run beside. */
const LONG_MS = 120_000;

function given(snapshot: Snapshot, recent = NOTHING_RECENT): HostJson {
  const parsed: unknown = JSON.parse(hostJson(pageFacts(exampleView(snapshot), recent)));
  const validate = new Ajv2020({ strict: false }).compile(JSON.parse(readFileSync(FILE, 'utf8')));
  expect(validate(parsed) ? [] : validate.errors).toEqual([]);
  // The schema for others lets fields be added; ours has every field there is.
  return HOST_SCHEMA.parse(parsed);
}

describe('the JSON of a host', () => {
  it('has a schema that is up to date', () => {
    expect(readFileSync(FILE, 'utf8')).toBe(hostSchemaText());
  });

  it.each(MOMENTS)(
    'fits it at second %d of the demo',
    async (at) => {
      let seconds = at;
      const demo = new DemoHost({ elapsedSeconds: () => seconds });
      const all = new Set(COLLECTORS.map(({ name }) => name));
      const recent = new RecentCounters();
      recent.add(await demo.collect(all));
      seconds += 15;
      const snapshot = await demo.collect(all);
      const json = given(snapshot, recent.before(snapshot));
      expect(json.resources).toHaveLength(4);
      expect(json.guests).toHaveLength(32);
      expect(json.rates).toBe(true);
      await demo.close();
    },
    LONG_MS,
  );

  it('says the same as the page, in numbers', () => {
    const json = given(smallHost());
    expect(json.level).toBe(2);
    const memory = json.resources.find(({ resource }) => resource === 'memory');
    expect(memory?.parts).toEqual([
      {
        unit: 'bytes',
        promised: 16 * 2 ** 30,
        capacity: 15.5 * 2 ** 30,
        exposure: 9 * 2 ** 30,
        supply: 6 * 2 ** 30,
        shortfall: 3 * 2 ** 30,
        used: 10 * 2 ** 30,
      },
    ]);
    expect(memory?.reasons[0]).toMatchObject({
      signal: 'memory_overcommitted',
      level: 2,
      limit: 1,
      measured: false,
      text: 'Guests are promised 1.03 times the memory the host can give.',
    });
  });

  it('has no field for what is not known, and no 0', () => {
    const json = given(unknownSnapshot());
    expect(json).not.toHaveProperty('level');
    expect(json).not.toHaveProperty('guests');
    expect(json.resources.every((one) => !('level' in one))).toBe(true);
    expect(json.faults).not.toEqual([]);
  });

  it('has no value where it is infinite', () => {
    const json = given(smallHost({ seconds: 0, guests: [A], host: { availableGib: 0 } }));
    const storage = json.resources.find(({ resource }) => resource === 'storage');
    expect(storage?.reasons.length).toBeGreaterThan(0);
    expect(JSON.stringify(storage)).not.toContain('null');
  });

  it('fits it on a host with everything a host can have', () => {
    expect(given(exampleSnapshot()).resources).toHaveLength(4);
  });
});
