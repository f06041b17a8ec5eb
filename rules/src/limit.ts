import { LIMITS, type LimitDeclaration } from '../../src/config/policy-defaults.ts';

/** `resource.name` of a limit in src/config/policy-defaults.ts. */
export type LimitKey = `${LimitDeclaration['resource']}.${string}`;
export type LimitSeverity = 'warning' | 'critical';

/** The series the exporter publishes a limit as; absent when the policy sets none. */
export function limit(key: LimitKey, severity: LimitSeverity): string {
  const { resource, name } = declarationOf(key);
  return `kvm_policy_${resource}_${name}{severity="${severity}"}`;
}

/**
 * The bad side of a limit, to be written behind an expression that has `job` and `instance`:
 * `> on (cluster, job, instance) group_left () kvm_policy_…`, or `<` where too little is bad. group_left
 * keeps all labels of the left side, among them those only the operator's Prometheus knows.
 */
export function beyond(key: LimitKey, severity: LimitSeverity): string {
  const operator = declarationOf(key).bad === 'above' ? '>' : '<';
  return `${operator} on (cluster, job, instance) group_left () ${limit(key, severity)}`;
}

/** The good side: for `unless`, where a missing measurement must not hide anything. */
export function within(key: LimitKey, severity: LimitSeverity): string {
  const operator = declarationOf(key).bad === 'above' ? '<=' : '>=';
  return `${operator} on (cluster, job, instance) group_left () ${limit(key, severity)}`;
}

function declarationOf(key: LimitKey): LimitDeclaration {
  const found = LIMITS.find((one) => `${one.resource}.${one.name}` === key);
  if (found === undefined) throw new RangeError(`no such limit: ${key}`);
  return found;
}
