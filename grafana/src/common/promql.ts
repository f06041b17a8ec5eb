import { LIMITS_BY_KEY, type LimitKey } from '../../../src/config/policy-defaults.ts';

/** What every selector carries: dashboard-linter asks for it, and it keeps hosts apart. */
const HOST = 'cluster=~"$cluster", job=~"$job", instance=~"$instance"';

/** The guest the Guest dashboard is about: exact, so that no name is read as an expression. */
export const THIS_GUEST = 'domain="$domain"';

/** One series for each host. */
export const BY_HOST = 'by (cluster, job, instance)';
/** One series for each guest. */
export const BY_GUEST = 'by (cluster, job, instance, domain)';

/** A selector on the chosen hosts. */
export function of(metric: string, matchers = ''): string {
  return `${metric}{${matchers === '' ? HOST : `${HOST}, ${matchers}`}}`;
}

/** Per-second rate of a counter on the chosen hosts. */
export function rate(counter: string, matchers = ''): string {
  return `rate(${of(counter, matchers)}[$__rate_interval])`;
}

/**
 * The five series that are highest at any time of what is shown, and they alone: chosen anew at each
 * step, others would come and go, and the graph would be of nobody in particular.
 *
 * @param within labels of the groups that have five each.
 */
export function highest(expr: string, within = 'cluster, job, instance'): string {
  return chosen('topk', 'max_over_time', expr, within);
}

/** The five that are lowest. */
export function lowest(expr: string, within = 'cluster, job, instance'): string {
  return chosen('bottomk', 'min_over_time', expr, within);
}

function chosen(choose: string, overTime: string, expr: string, within: string): string {
  const all = `${overTime}((${expr})[$__range:$__interval] @ end())`;
  return `(${expr}) and ${choose} by (${within}) (5, ${all})`;
}

/** What a path ends in, its folder and its name: its beginning is the same for all. */
export function endOf(expr: string, label: string, into: string): string {
  return `label_replace(${expr}, "${into}", "$1", "${label}", "(?:.*/)?([^/]*/[^/]*|[^/]*)")`;
}

/** Three times the capacity: who promises more need not know how much more. */
export const CAP = 3;

/** A ratio whose lower half runs out just when it matters: drawn up to `CAP`, infinity too. */
export function capped(expr: string, cap = CAP): string {
  return `clamp_max(${expr}, ${cap})`;
}

/**
 * A limit of the policy, one series per severity. With several hosts selected the strictest counts.
 */
export function limit(key: LimitKey, severity?: 'warning' | 'critical'): string {
  const { resource, name, bad } = LIMITS_BY_KEY[key];
  const strictest = bad === 'above' ? 'min' : 'max';
  const metric = `kvm_policy_${resource}_${name}`;
  return severity === undefined
    ? `${strictest} by (severity) (${of(metric)})`
    : `${strictest}(${of(metric, `severity="${severity}"`)})`;
}
