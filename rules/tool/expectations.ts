import type { Assertion } from './slice.ts';

export type Labels = Readonly<Record<string, string>>;

/** The labels of every alert of a name that an assertion expects to fire. */
export function expectedAlerts(assertion: Assertion, alert: string): readonly Labels[] {
  if (assertion.kind === 'alert') {
    return (assertion.check.exp_alerts ?? []).map(({ exp_labels: labels }) => labels);
  }
  return assertion.check.exp_samples
    .map(({ labels }) => labelsIn(labels))
    .filter(({ alertname, alertstate }) => alertname === alert && alertstate === 'firing');
}

/** The labels of a series as text, `name{label="value"}`. */
export function labelsIn(series: string): Labels {
  const pairs = series.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/gi);
  return Object.fromEntries([...pairs].map(([, name = '', value = '']) => [name, value]));
}

/** A series as text, the inverse of {@link labelsIn}. */
export function seriesText(name: string, labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return `${name}{${pairs.join(',')}}`;
}
