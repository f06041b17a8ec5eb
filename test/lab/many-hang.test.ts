import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { canFreezeThreads, openLab, type Lab } from '../../lab/index.ts';
import type { Fault } from '../support/hang/faults.ts';
import { startHerd } from '../support/hang/guests.ts';
import { Bench, runRow } from '../support/hang/run-row.ts';

const GUESTS = 20;
const COUNTS = [8, 20];
const FAULTS: readonly Fault[] = [
  'stopped',
  'blocked',
  'storage',
  'vcpu traced',
  ...(canFreezeThreads() ? (['worker frozen'] as const) : []),
];

/** A part of what `npm run test:hang` goes through; its README says what each fault is. */
describe(`of ${GUESTS} guests`, () => {
  let lab: Lab;
  let bench: Bench;

  beforeAll(async () => {
    lab = await openLab();
    bench = new Bench(await startHerd(lab, { guests: GUESTS, counts: COUNTS, mix: 'mixed' }));
  });

  afterAll(async () => {
    await lab.close();
  });

  describe.each(COUNTS)('%i hang', (count) => {
    it.each(FAULTS)('%s on a fresh daemon: nobody else loses anything', async (fault) => {
      const row = { count, fault, mix: 'mixed', daemon: 'fresh', repeats: 1 } as const;
      const result = await runRow(bench, row, { scrapes: 6, failFast: false });
      expect(result.complaints).toEqual([]);
      expect(result.complete).toBe(GUESTS - count);
    });
  });

  it('leaves nothing owed once all go on', async () => {
    await sleep(1000);
    expect(await bench.owed()).toBe(0);
  });
});
