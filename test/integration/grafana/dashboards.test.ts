import { afterAll, beforeAll, describe } from 'vitest';

import { committedDashboards } from '../../../grafana/dashboard-models.ts';
import { EMPTY_ON_DEMO_HOST } from '../../../grafana/expected-empty.ts';
import { runQueries, type QueryResult } from '../../../grafana/query-results.ts';
import { eventually } from '../../../lab/polling.ts';
import { HistoryPrometheus } from './history-prometheus.ts';
import { expectDataOfAllQueries } from '../../support/grafana/query-expectations.ts';

const LOOP_SECONDS = 1800;
/** One minute into "out of space", when everything has gone wrong at least once. */
const MOMENT_SECONDS = 1560;
const STORY_SECONDS = LOOP_SECONDS + MOMENT_SECONDS;

describe('the dashboards on a real Prometheus with an hour of the demo host', () => {
  let prometheus: HistoryPrometheus;
  let results: readonly QueryResult[];

  beforeAll(async () => {
    prometheus = await HistoryPrometheus.of({
      // Ends now: Prometheus takes nothing older than what it has, so no rule could be recorded.
      startedAtSeconds: Math.floor(Date.now() / 1000) - STORY_SECONDS,
      seconds: STORY_SECONDS,
      scrapeIntervalSeconds: 60,
      job: 'kvm',
      instance: 'demo:9177',
    });
    // The last links of the longest chains of rules.
    await eventually('rules are recorded and alerts fire', 60_000, async () => {
      const [risks, alerts] = await Promise.all([
        prometheus.count('instance_resource:kvm_risk:level'),
        prometheus.count('ALERTS{alertname!="KvmWatchdog",alertstate="firing"}'),
      ]);
      return risks === 4 && alerts > 0;
    });
    results = await runQueries(committedDashboards(), prometheus.url, {
      domain: 'build-01',
      rateInterval: '4m',
    });
  });

  afterAll(async () => {
    await prometheus[Symbol.asyncDispose]();
  });

  expectDataOfAllQueries(() => results, EMPTY_ON_DEMO_HOST);
});
