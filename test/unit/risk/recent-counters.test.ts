import { describe, expect, it } from 'vitest';

import { RecentCounters } from '../../../src/risk/recent-counters.ts';
import { smallHost, type Moment } from '../page/small-host.ts';

/** What is known after looks at these times, the last one being now; busy with one CPU. */
function after(seconds: readonly number[]) {
  const recent = new RecentCounters();
  let snapshot = smallHost();
  for (const at of seconds) {
    snapshot = smallHost({ seconds: at, host: { busySeconds: at } });
    recent.add(snapshot);
  }
  return recent.before(snapshot);
}

describe('the counters of the last minutes', () => {
  it('give no rates at the first look', () => {
    expect(after([0])).toMatchObject({ rates: undefined, oomKills: undefined });
  });

  it('give rates at the second, two seconds later at the earliest', () => {
    expect(after([0, 1]).rates).toBeUndefined();
    expect(after([0, 2]).rates).toMatchObject({ seconds: 2, host: { busyCpus: 1 } });
  });

  it('reach back a minute or a little more, however often somebody looks', () => {
    const looks = Array.from({ length: 150 }, (_, second) => second);
    const seconds = after(looks).rates?.seconds ?? 0;
    expect(seconds).toBeGreaterThanOrEqual(60);
    expect(seconds).toBeLessThanOrEqual(90);
  });

  it('give no rates over a gap of minutes', () => {
    expect(after([0, 300]).rates).toBeUndefined();
  });

  it('are dropped when the clock is set back', () => {
    expect(after([1000, 1010, 0]).rates).toBeUndefined();
    expect(after([1000, 1010, 0, 20]).rates).toMatchObject({ seconds: 20 });
  });

  it('do not mix a scrape of few collectors with a whole one', () => {
    const outcome = { success: true, durationSeconds: 0, errors: [] };
    const snapshotOf = (seconds: number, ...collectors: ('cpu' | 'domain')[]) =>
      smallHost(
        { seconds },
        { outcomes: collectors.map((collector) => ({ collector, ...outcome })) },
      );
    const recent = new RecentCounters();
    recent.add(snapshotOf(0, 'cpu', 'domain'));
    recent.add(snapshotOf(20, 'cpu'));
    const now = snapshotOf(40, 'cpu', 'domain');
    recent.add(now);
    expect(recent.before(now).rates?.seconds).toBe(40);
  });

  it('count OOM kills of the last ten minutes', () => {
    const recent = new RecentCounters();
    const look = (seconds: number, oomKills: number) => {
      const moment: Moment = { seconds, host: { oomKills } };
      const snapshot = smallHost(moment);
      recent.add(snapshot);
      return recent.before(snapshot).oomKills;
    };
    expect(look(0, 5)).toBeUndefined();
    expect(look(60, 5)).toBe(0);
    expect(look(120, 7)).toBe(2);
    expect(look(500, 7)).toBe(2);
    expect(look(800, 7)).toBe(0);
  });
});
