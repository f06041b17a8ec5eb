import { describe, expect, it } from 'vitest';

import { SelfMetrics } from '../../../src/web/self-metrics.ts';

describe("the exporter's own metrics", () => {
  const valuesOf = async (self: SelfMetrics): Promise<ReadonlyMap<string, readonly number[]>> => {
    const families = await self.read();
    return new Map(
      families.map(({ family, samples }) => [family.name, samples.map(({ value }) => value)]),
    );
  };

  it('are absent where nothing was measured between two scrapes, never NaN or 2^63 ns', async () => {
    const self = new SelfMetrics({ underWay: () => 2, droppedLogLines: () => 7 });
    // Delays of the event loop are sampled every 100 ms; these reads are closer together.
    for (let i = 0; i < 3; i += 1) {
      const values = await valuesOf(self);
      expect([...values.keys()].filter((name) => name.startsWith('nodejs_eventloop_'))).toEqual([
        'nodejs_eventloop_lag_seconds',
      ]);
      for (const value of [...values.values()].flat()) {
        expect(value).not.toBeNaN();
        expect(value).toBeLessThan(2 ** 53);
      }
    }
    let later = await valuesOf(self);
    while (!later.has('nodejs_eventloop_lag_mean_seconds')) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      later = await valuesOf(self);
    }
    for (const statistic of ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99']) {
      expect(later.get(`nodejs_eventloop_lag_${statistic}_seconds`)?.[0]).toBeLessThan(60);
    }
  });

  it('count what others count, as it is now', async () => {
    let lost = 7;
    const self = new SelfMetrics({ underWay: () => 2, droppedLogLines: () => lost });
    const read = async () => {
      const values = await valuesOf(self);
      return [
        values.get('kvm_exporter_http_requests_in_flight'),
        values.get('kvm_exporter_log_lines_dropped_total'),
      ];
    };
    expect(await read()).toEqual([[2], [7]]);
    lost = 9;
    expect(await read()).toEqual([[2], [9]]);
  });
});
