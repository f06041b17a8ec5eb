import { expect, it } from 'vitest';

import {
  brokenLegends,
  faultyQueries,
  staleEntries,
  unexpectedlyEmpty,
  type QueryResult,
} from '../../../grafana/query-results.ts';

/**
 * What is asked of the queries of all dashboards, whatever feeds Prometheus.
 *
 * @param results asked for only when the tests run.
 * @param mayBeEmpty queries that have no data there, with the reason.
 */
export function expectDataOfAllQueries(
  results: () => readonly QueryResult[],
  mayBeEmpty: ReadonlyMap<string, string>,
): void {
  it('have hundreds of queries, none of which Prometheus refuses or warns of', () => {
    expect(results().length).toBeGreaterThan(300);
    expect(faultyQueries(results())).toEqual([]);
  });

  it('get data for each query but those that have a reason not to', () => {
    expect(unexpectedlyEmpty(results(), mayBeEmpty)).toEqual([]);
  });

  it('have no reasons left for queries that do get data', () => {
    expect(staleEntries(results(), mayBeEmpty)).toEqual([]);
  });

  it('name each series completely in legends', () => {
    expect(brokenLegends(results())).toEqual([]);
  });
}
