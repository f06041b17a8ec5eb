import { describe, expect, it } from 'vitest';

import { HostHistory } from '../../../src/risk/history.ts';
import { smallHost } from '../page/small-host.ts';

/** Memory in use of the small host, as a line. */
function memoryOf(history: HostHistory) {
  const line = history
    .lines()
    .find(({ resource, meaning }) => resource === 'memory' && meaning === 'used');
  return line?.runs ?? [];
}

describe('the last hour', () => {
  it('has a point per collection, as a share', () => {
    const history = new HostHistory();
    for (const seconds of [0, 15, 30]) history.add(smallHost({ seconds }));
    // 6 of 16 GiB are available.
    expect(memoryOf(history).map((run) => run.map(({ share }) => share))).toEqual([
      [0.625, 0.625, 0.625],
    ]);
  });

  it('tells rates from one point to the next', () => {
    const history = new HostHistory();
    history.add(smallHost({ seconds: 0 }));
    history.add(smallHost({ seconds: 20, host: { busySeconds: 40, receivedBytes: 1.25e9 } }));
    const shares = new Map(
      history.lines().map(({ resource, meaning, runs }) => [`${resource} ${meaning}`, runs]),
    );
    // 2 of 4 CPUs; half of 1 Gbit/s.
    expect(
      shares
        .get('cpu used')
        ?.flat()
        .map(({ share }) => share),
    ).toEqual([0.5]);
    expect(
      shares
        .get('network used')
        ?.flat()
        .map(({ share }) => share),
    ).toEqual([0.5]);
  });

  it('has a gap where nobody looked', () => {
    const history = new HostHistory();
    for (const seconds of [0, 15, 30, 300, 315]) history.add(smallHost({ seconds }));
    expect(memoryOf(history).map(({ length }) => length)).toEqual([3, 2]);
  });

  it('has no gap for a scrape of other collectors in between', () => {
    const history = new HostHistory();
    for (const seconds of [0, 15, 30, 45]) {
      const snapshot = smallHost({ seconds });
      const host = {
        ...snapshot.host,
        meminfo: seconds === 15 ? undefined : snapshot.host.meminfo,
      };
      history.add({ ...snapshot, host });
    }
    expect(memoryOf(history).map(({ length }) => length)).toEqual([3]);
  });

  it('never has more than an hour, nor more points than fit it', () => {
    const history = new HostHistory();
    for (let seconds = 0; seconds <= 3 * 3600; seconds += 5) history.add(smallHost({ seconds }));
    const points = memoryOf(history).flat();
    expect(points.length).toBeLessThanOrEqual(241);
    expect((points.at(-1)?.atSeconds ?? 0) - (points[0]?.atSeconds ?? 0)).toBeLessThanOrEqual(3600);
  });

  it('drops what was before a clock was set back', () => {
    const history = new HostHistory();
    for (const seconds of [0, 15, -100]) history.add(smallHost({ seconds }));
    expect(memoryOf(history).flat()).toHaveLength(1);
  });
});
