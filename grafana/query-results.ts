import { z } from 'zod';

import { queriesOf, variablesOf, type DashboardModel } from './lint/model.ts';

/** One query of one panel, and what a Prometheus answered. */
export interface QueryResult {
  readonly dashboard: string;
  readonly panel: string;
  readonly refId: string;
  readonly expr: string;
  readonly legend: string;
  /** Labels of each series; empty when there is no data. */
  readonly series: readonly Readonly<Record<string, string>>[];
  /** Set when Prometheus refused the query, or answered with a warning. */
  readonly fault: string | undefined;
}

/** What is chosen in the dashboards. Variables that are not named here stand for all values. */
export interface Choice {
  /** The guest of the Guest dashboard. */
  readonly domain: string;
  /** `$__rate_interval`: four scrape intervals at least. */
  readonly rateInterval: string;
}

/**
 * Runs every query of every dashboard on a Prometheus as instant queries, as Grafana would: with
 * the variables filled in.
 *
 * @param url of Prometheus, without a path.
 */
export async function runQueries(
  dashboards: readonly DashboardModel[],
  url: string,
  choice: Choice,
): Promise<readonly QueryResult[]> {
  const results: QueryResult[] = [];
  for (const dashboard of dashboards) {
    for (const { panel, target, expr } of queriesOf(dashboard)) {
      const filled = fillIn(expr, dashboard, choice);
      results.push({
        dashboard: dashboard.uid ?? '',
        panel: panel.title ?? '',
        refId: target.refId ?? '',
        expr: filled,
        legend: target.legendFormat ?? '',
        ...(await ask(url, filled)),
      });
    }
  }
  return results;
}

/** Names a query in the list of those that may be empty. */
function keyOf({ dashboard, panel, refId }: QueryResult): string {
  return `${dashboard} / ${panel} / ${refId}`;
}

/** Queries Prometheus refused or warned of, and what it said. */
export function faultyQueries(results: readonly QueryResult[]): readonly string[] {
  return results.flatMap((result) =>
    result.fault === undefined ? [] : [`${keyOf(result)}: ${result.fault}`],
  );
}

/** Queries without data that are not in the list of those that may have none. */
export function unexpectedlyEmpty(
  results: readonly QueryResult[],
  expectedEmpty: ReadonlyMap<string, string>,
): readonly string[] {
  return results
    .filter(({ series, fault }) => series.length === 0 && fault === undefined)
    .filter((result) => !expectedEmpty.has(keyOf(result)))
    .map((result) => `${keyOf(result)}: no data from ${result.expr}`);
}

/** Entries of that list which name no query, or one that has data. */
export function staleEntries(
  results: readonly QueryResult[],
  expectedEmpty: ReadonlyMap<string, string>,
): readonly string[] {
  const empty = new Set(results.filter(({ series }) => series.length === 0).map(keyOf));
  return [...expectedEmpty.keys()].filter((key) => !empty.has(key));
}

/** Labels a legend names and a series has not got, so that its line has a hole in its name. */
export function brokenLegends(results: readonly QueryResult[]): readonly string[] {
  return results.flatMap((result) =>
    [...result.legend.matchAll(/\{\{(\w+)\}\}/g)]
      .map(([, label = '']) => label)
      .filter((label) => result.series.some((labels) => labels[label] === undefined))
      .map((label) => `${keyOf(result)}: no label ${label}`),
  );
}

/** An hour, in steps so fine that even what is recorded since a few seconds is seen; and sizes people type on the Capacity dashboard. */
const TYPED: Readonly<Record<string, string>> = {
  __range: '1h',
  __interval: '1s',
  vcpus: '2',
  memory: '4',
  disk: '40',
};

function fillIn(expr: string, dashboard: DashboardModel, choice: Choice): string {
  const several = new Map(
    variablesOf(dashboard).flatMap(({ name, multi, allValue }) =>
      multi === true ? [[name, allValue ?? '.+'] as const] : [],
    ),
  );
  return expr.replaceAll(/\$\{?(\w+)\}?/g, (variable, name: string) => {
    if (name === '__rate_interval') return choice.rateInterval;
    const typed = TYPED[name];
    if (typed !== undefined) return typed;
    const all = several.get(name);
    if (all !== undefined) return all;
    if (name === 'domain') return choice.domain;
    return variable;
  });
}

const Answer = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('success'),
    warnings: z.array(z.string()).optional(),
    data: z.object({
      resultType: z.string(),
      result: z.array(z.object({ metric: z.record(z.string(), z.string()) })),
    }),
  }),
  z.object({ status: z.literal('error'), error: z.string() }),
]);

async function ask(url: string, query: string): Promise<Pick<QueryResult, 'series' | 'fault'>> {
  const response = await fetch(`${url}/api/v1/query`, {
    method: 'POST',
    body: new URLSearchParams({ query }),
  });
  const answer = Answer.parse(await response.json());
  if (answer.status === 'error') return { series: [], fault: answer.error };
  const series = answer.data.result.map(({ metric }) => metric);
  return { series, fault: answer.warnings?.join('; ') };
}
