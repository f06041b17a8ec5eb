import { describe, expect, it } from 'vitest';

import { COLLECTORS } from '../../../src/model/collectors.ts';
import { OutcomeLog } from '../../../src/model/outcome-log.ts';
import { failed, found } from '../../../src/runtime/result.ts';

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

  it('is a failure where another one found nothing it could begin with', () => {
    const everything = new Set(COLLECTORS.map(({ name }) => name));
    const log = new OutcomeLog(everything);
    log.fail('domain', { kind: 'absent', subject: 'libvirt', detail: 'no socket' });
    log.failDependants('domain');
    const failing = log.outcomes().filter(({ success }) => !success);
    expect(failing.map(({ collector }) => collector).toSorted()).toEqual([
      'balloon',
      'block',
      'cgroup',
      'cgroupdetail',
      'domain',
      'guestksm',
      'image',
      'job',
      'mom',
      'nic',
      'perf',
      'process',
      'smaps',
      'thinpool',
    ]);
    for (const { collector, lacking, errors } of failing) {
      if (collector === 'domain') {
        expect(lacking).toBeUndefined();
        continue;
      }
      expect(lacking).toBe('domain');
      expect(errors).toEqual([
        { kind: 'absent', subject: 'guests', detail: 'the list of guests is missing' },
      ]);
    }
  });

  it('is not a failure where another one found less than there is', () => {
    const log = new OutcomeLog(new Set(['domain', 'block', 'process', 'cgroup']));
    log.fail('domain', { kind: 'malformed', subject: 'web', detail: 'no XML' });
    log.fail('process', { kind: 'denied', subject: '/proc/7/task', detail: 'not root' });
    expect(
      log.outcomes().flatMap(({ collector, success }) => (success ? [collector] : [])),
    ).toEqual(['block', 'cgroup']);
  });

  it('of QEMU processes decides for what is read of each, and for no more', () => {
    const log = new OutcomeLog(new Set(['domain', 'block', 'process', 'cgroup', 'smaps']));
    log.failDependants('process');
    expect(
      log.outcomes().flatMap(({ collector, success }) => (success ? [] : [collector])),
    ).toEqual(['cgroup', 'smaps']);
  });

  it('adds up the time of all its parts', async () => {
    const log = new OutcomeLog(new Set(['image']));
    await log.runAsync('image', () => new Promise((resolve) => setTimeout(resolve, 20)));
    log.spend('image', 30);
    expect(log.outcomes()[0]?.durationSeconds).toBeGreaterThan(0.045);
  });
});
