import { LIMITS_BY_KEY, type LimitKey } from '../../src/config/policy-defaults.ts';

export type LimitSeverity = 'warning' | 'critical';

/** The series the exporter publishes a limit as; absent when the policy sets none. */
export function limit(key: LimitKey, severity: LimitSeverity): string {
  const { resource, name } = LIMITS_BY_KEY[key];
  return `kvm_policy_${resource}_${name}{severity="${severity}"}`;
}

/**
 * The bad side of a limit, to be written behind an expression that has `job` and `instance`:
 * `> on (cluster, job, instance) group_left () kvm_policy_…`, or `<` where too little is bad. group_left
 * keeps all labels of the left side, among them those only the operator's Prometheus knows.
 */
export function beyond(key: LimitKey, severity: LimitSeverity): string {
  const operator = LIMITS_BY_KEY[key].bad === 'above' ? '>' : '<';
  return `${operator} on (cluster, job, instance) group_left () ${limit(key, severity)}`;
}

/** The good side: for `unless`, where a missing measurement must not hide anything. */
export function within(key: LimitKey, severity: LimitSeverity): string {
  const operator = LIMITS_BY_KEY[key].bad === 'above' ? '<=' : '>=';
  return `${operator} on (cluster, job, instance) group_left () ${limit(key, severity)}`;
}
