import { RUNBOOK_BASE_URL } from '../../src/risk/runbooks.ts';
import type { AlertDefinition, Annotations, DashboardLink } from './rule.ts';

export { RUNBOOK_BASE_URL };

export function annotationsOf(alert: AlertDefinition): Annotations {
  return {
    summary: alert.summary,
    description: alert.description,
    runbook_url: `${RUNBOOK_BASE_URL}/${alert.name}.md`,
    dashboard_url: dashboardUrl(alert.dashboard),
  };
}

/** Relative to the Grafana that shows the alert; `--grafana-url` of generate.ts puts one before it. */
function dashboardUrl({ uid, variables }: DashboardLink): string {
  const query = variables.map((name) => `var-${name}={{ $labels.${name} | urlquery }}`).join('&');
  return `/d/${uid}${query === '' ? '' : `?${query}`}`;
}

type Format =
  'number' | 'count' | 'cpus' | 'bytes' | 'bytes per second' | 'percent' | 'seconds' | 'time';

const FORMATS: Readonly<Record<Format, { readonly filter: string; readonly unit: string }>> = {
  number: { filter: 'humanize', unit: '' },
  /** What increase() makes of a whole number is none. */
  count: { filter: 'printf "%.0f"', unit: '' },
  // Half a CPU is 0.50, not 500m.
  cpus: { filter: 'printf "%.2f"', unit: '' },
  bytes: { filter: 'humanize1024', unit: 'B' },
  'bytes per second': { filter: 'humanize1024', unit: 'B/s' },
  percent: { filter: 'humanizePercentage', unit: '' },
  seconds: { filter: 'humanizeDuration', unit: '' },
  time: { filter: 'humanizeTimestamp', unit: '' },
};

/** A value of the template in a form people read. */
function shown(value: string, format: Format): string {
  const { filter, unit } = FORMATS[format];
  return `{{ ${value} | ${filter} }}${unit}`;
}

/** The value of the alert in a form people read. */
export function value(format: Format): string {
  return shown('$value', format);
}

/**
 * The highest series of a query on the host of the alert, as `name (value), name (value)`: the top
 * movers, who are the candidates for mitigation.
 *
 * @param query PromQL in which `{@}`, or `{@,…}` with further matchers, binds a selector to the host
 * of the alert, and `$name` is any other of its labels.
 * @param label which label names a series.
 */
export function top(
  query: string,
  format: Format,
  { label = 'domain', count = 3 }: { readonly label?: string; readonly count?: number } = {},
): string {
  return listed(`sort_desc(topk(${count}, ${query}))`, label, format);
}

/** The lowest series instead, e.g. who has the least. */
export function bottom(
  query: string,
  format: Format,
  { label = 'domain', count = 3 }: { readonly label?: string; readonly count?: number } = {},
): string {
  return listed(`sort(bottomk(${count}, ${query}))`, label, format);
}

/** All series of such a query, the least first. */
export function ascending(query: string, format: Format, label: string): string {
  return listed(`sort((${query}))`, label, format);
}

/** The one value of such a query; the word where it has none. */
export function only(query: string, format: Format, otherwise: string): string {
  const one = shown('. | first | value', format);
  return `{{ with ${queryOf(query)} }}${one}{{ else }}${otherwise}{{ end }}`;
}

/**
 * `at least ` before a sum that lacks something.
 *
 * @param lacking a query as of {@link top} that finds something where the sum lacks it.
 */
export function atLeast(lacking: string): string {
  return `{{ with ${queryOf(lacking)} }}at least {{ end }}`;
}

/** More would not be read, and a pager cuts them off. */
const MOST_NAMES = 10;

/** The names alone, the first ten and how many more there are. @param otherwise where there are none. */
export function names(query: string, label = 'domain', otherwise = 'unknown'): string {
  const all = `count by (${label}) (${query})`;
  const shownOnes = `{{ if lt $index ${MOST_NAMES} }}{{ if $index }}, {{ end }}{{ $one.Labels.${label} }}{{ end }}`;
  return (
    `{{ $all := ${queryOf(all)} | sortByLabel "${label}" }}` +
    `{{ range $index, $one := $all }}${shownOnes}{{ else }}${otherwise}{{ end }}` +
    `{{ if gt (len $all) ${MOST_NAMES} }} and {{ len (slice $all ${MOST_NAMES}) }} more{{ end }}`
  );
}

/** The names alone, and `none` where there are none. */
export function namesOrNone(query: string, label = 'domain'): string {
  return names(query, label, 'none');
}

function listed(query: string, label: string, format: Format): string {
  return (
    `{{ range $index, $one := ${queryOf(query)} }}{{ if $index }}, {{ end }}` +
    `{{ $one.Labels.${label} }} (${shown('$one.Value', format)})` +
    `{{ else }}unknown{{ end }}`
  );
}

/** `{@` binds a selector to the host of the alert, `$name` stands for any other label of it. */
function queryOf(query: string): string {
  if (!query.includes('{@')) throw new RangeError(`${query}: not bound to the host, use {@}`);
  const labels: string[] = [];
  const format = query
    .replaceAll('{@', '{cluster=$cluster,job=$job,instance=$instance')
    .replaceAll(/\$([a-z_]+)/g, (_whole, name: string) => {
      labels.push(` $labels.${name}`);
      return '%q';
    });
  return `query (printf \`${format}\`${labels.join('')})`;
}
