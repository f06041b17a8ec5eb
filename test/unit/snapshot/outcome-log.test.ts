import { describe, expect, it } from 'vitest';

import { OutcomeLog } from '../../../src/snapshot/outcome-log.ts';
import { failed, found } from '../../../src/sources/reading.ts';

describe('the outcome of a collector', () => {
  it('is a success when all it exists for was read', () => {
    const log = new OutcomeLog(new Set(['memory']));
    expect(log.run('memory', () => log.required('memory', found(7)))).toBe(7);
    expect(log.outcomes()).toMatchObject([{ collector: 'memory', success: true, errors: [] }]);
  });

  it('is a failure when something it exists for was not', () => {
    const log = new OutcomeLog(new Set(['memory']));
    log.required('memory', failed('absent', '/proc/meminfo', 'gone'));
    expect(log.outcomes()).toMatchObject([{ success: false, errors: [{ detail: 'gone' }] }]);
  });

  it('is a success where a host merely does not have something', () => {
    const log = new OutcomeLog(new Set(['ksm']));
    log.optional('ksm', failed('absent', '/sys/kernel/mm/ksm', 'no KSM'));
    expect(log.outcomes()).toMatchObject([{ success: true, errors: [{ detail: 'no KSM' }] }]);
  });

  it('is a failure where something is there but may not be read', () => {
    const log = new OutcomeLog(new Set(['guestksm']));
    log.optional('guestksm', failed('denied', '/proc/1/ksm_stat', 'not root'));
    expect(log.outcomes()).toMatchObject([{ success: false }]);
  });

  it('does not exist for a collector that is not wanted, whose parts do not run', () => {
    const log = new OutcomeLog(new Set(['memory']));
    expect(log.run('ksm', () => 1)).toBeUndefined();
    expect(log.outcomes()).toHaveLength(1);
  });

  it('adds up the time of all its parts', async () => {
    const log = new OutcomeLog(new Set(['image']));
    await log.runAsync('image', () => new Promise((resolve) => setTimeout(resolve, 20)));
    log.spend('image', 30);
    expect(log.outcomes()[0]?.durationSeconds).toBeGreaterThan(0.045);
  });
});
