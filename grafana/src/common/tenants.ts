import type { Row } from './dashboard.ts';
import { BY_GUEST, of } from './promql.ts';
import { table, type ValueColumn } from './table.ts';

const OF_GUEST = 'cluster, job, instance, domain';
const OWNED = of('kvm_domain_owner_info', 'tenant!=""');
/**
 * What guests that are off were promised takes nothing from the others. Once for each: where no stale
 * marker says that a state is over, a guest is in two.
 */
const ACTIVE = `max ${BY_GUEST} (${of('kvm_domain_state', 'state!="shutoff"')}) == 1`;

/** In place of a tenant, so that the rows add up to all that was promised. */
const NOBODY = 'no owner known';

/** Whose tenants are added up: those of all hosts, or those of each host by itself. */
type Scope = 'fleet' | 'host';

const BY: Readonly<Record<Scope, string>> = {
  fleet: 'by (tenant)',
  host: 'by (cluster, job, instance, tenant)',
};

/** Series of guests of which no manager says whose they are. The label `domain` keeps them apart from sums. */
function ofNobody(series: string): string {
  const unowned = `${series} unless on (${OF_GUEST}) ${OWNED}`;
  return `label_replace(${unowned}, "tenant", "${NOBODY}", "instance", ".*")`;
}

/**
 * Sums by tenant, and that of all others.
 *
 * @param metric of a guest, of which the rules record the sum of each tenant.
 */
function sum(metric: string, scope: Scope): string {
  const known = of(`instance_tenant:${metric}:sum`, 'tenant!=""');
  const others = ofNobody(`${of(metric)} and on (${OF_GUEST}) ${ACTIVE}`);
  return `sum ${BY[scope]} (${known} or ${others})`;
}

const GUESTS = `${OWNED} and on (${OF_GUEST}) ${ACTIVE} or ${ofNobody(ACTIVE)}`;

const HOSTS: ValueColumn = {
  title: 'Hosts',
  expr: `count by (tenant) (count by (cluster, job, instance, tenant) (${GUESTS}))`,
  unit: 'short',
};

/** What is promised to whom. It is never empty where there are guests: who is known of none sees that. */
export function tenants(scope: Scope): Row {
  return {
    title: 'Tenants',
    folded: true,
    tiles: [
      table({
        title: 'What each tenant was promised',
        description:
          'Sums of guests that are not off, by the tenant their manager names: the project of OpenStack, ' +
          'the group of OpenNebula, the account of CloudStack, the namespace of KubeVirt. Guests of ' +
          `which no manager says whose they are stand in a row of their own, "${NOBODY}"; where that is ` +
          'the only row, no guest has a known owner. Good: no tenant alone can claim more than ' +
          'what is left.',
        keys: [{ label: 'tenant', title: 'Tenant' }],
        values: [
          ...(scope === 'fleet' ? [HOSTS] : []),
          { title: 'Guests', expr: `count ${BY[scope]} (${GUESTS})`, unit: 'short' },
          { title: 'vCPUs', expr: sum('kvm_domain_vcpus', scope), unit: 'short' },
          {
            title: 'Memory promised',
            expr: sum('kvm_domain_memory_maximum_bytes', scope),
            unit: 'bytes',
          },
          {
            title: 'Memory claimable',
            expr: sum('kvm_domain_memory_claimable_bytes', scope),
            unit: 'bytes',
          },
        ],
        sortBy: 'Memory claimable',
        height: 7,
      }),
    ],
  };
}
