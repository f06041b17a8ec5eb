import { LIMITS_BY_KEY, type LimitKey } from '../../../src/config/policy-defaults.ts';

/** What every selector carries: dashboard-linter asks for it, and it keeps hosts apart. */
const HOST = 'cluster=~"$cluster", job=~"$job", instance=~"$instance"';

/** The guest the Guest dashboard is about: exact, so that no name is read as an expression. */
export const THIS_GUEST = 'domain="$domain"';

/** A selector on the chosen hosts. */
export function of(metric: string, matchers = ''): string {
  return `${metric}{${matchers === '' ? HOST : `${HOST}, ${matchers}`}}`;
}

/** Per-second rate of a counter on the chosen hosts. */
export function rate(counter: string, matchers = ''): string {
  return `rate(${of(counter, matchers)}[$__rate_interval])`;
}

/**
 * A limit of the policy, one series per severity. With several hosts selected the strictest counts.
 */
export function limit(key: LimitKey): string {
  const { resource, name, bad } = LIMITS_BY_KEY[key];
  const strictest = bad === 'above' ? 'min' : 'max';
  return `${strictest} by (severity) (${of(`kvm_policy_${resource}_${name}`)})`;
}
