import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { committedDashboards } from '../../../grafana/dashboard-models.ts';
import { EMPTY_ON_DEMO_HOST } from '../../../grafana/expected-empty.ts';
import {
  brokenLegends,
  faultyQueries,
  runQueries,
  staleEntries,
  unexpectedlyEmpty,
  type QueryResult,
} from '../../../grafana/query-results.ts';
import { eventually } from '../../lab/harness/polling.ts';
import { HistoryPrometheus } from './history-prometheus.ts';

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
        prometheus.count('ALERTS{alertstate="firing"}'),
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

  it('have hundreds of queries, none of which Prometheus refuses or warns of', () => {
    expect(results.length).toBeGreaterThan(300);
    expect(faultyQueries(results)).toEqual([]);
  });

  it('get data for each query but those that have a reason not to', () => {
    expect(unexpectedlyEmpty(results, EMPTY_ON_DEMO_HOST)).toEqual([]);
  });

  it('have no reasons left for queries that do get data', () => {
    expect(staleEntries(results, EMPTY_ON_DEMO_HOST)).toEqual([]);
  });

  it('name each series completely in legends', () => {
    expect(brokenLegends(results)).toEqual([]);
  });
});
