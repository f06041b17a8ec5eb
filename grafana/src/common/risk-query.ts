import { of } from './promql.ts';

/** Below every level, where none is known. */
export const UNKNOWN_LEVEL = -1;

const RESOURCES = ['cpu', 'memory', 'storage', 'network'] as const;
export type RiskResource = (typeof RESOURCES)[number];

const LEVEL = 'instance_resource:kvm_risk:level';

/** Hosts that are to be there: an exporter was, within the last hour. */
export const EXPECTED_HOSTS = `max by (cluster, job, instance) (last_over_time(${of('kvm_exporter_build_info')}[1h]))`;

/** Risk that is known; no series for a host whose libvirt or exporter does not answer. */
export const KNOWN_HOST_RISK = `max by (cluster, job, instance) (${of(LEVEL)})`;

const UNKNOWN = `0 * ${EXPECTED_HOSTS} - ${-UNKNOWN_LEVEL}`;

/**
 * The level of each host, of one resource or the highest of all. A host nobody can see is at
 * unknown risk: it must not be missing from a list of hosts, and least of all look safe.
 */
export function hostRisk(resource?: RiskResource): string {
  const known =
    resource === undefined
      ? KNOWN_HOST_RISK
      : `max by (cluster, job, instance) (${of(LEVEL, `resource="${resource}"`)})`;
  return `${known} or ${UNKNOWN}`;
}

/** The level of every resource of each host, with the label `resource`. */
export function resourceRisk(): string {
  const unknown = RESOURCES.map(
    (resource) => `label_replace(${UNKNOWN}, "resource", "${resource}", "instance", ".*")`,
  );
  return [`max by (cluster, job, instance, resource) (${of(LEVEL)})`, ...unknown].join(' or ');
}
