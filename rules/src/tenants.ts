import { promql, type Subject } from './rule.ts';

const OWNER = 'on (cluster, job, instance, domain) group_left (tenant) kvm_domain_owner_info';
/** What guests that are off were promised takes nothing from the others. */
const ACTIVE = 'and on (cluster, job, instance, domain) kvm_domain_state{state!="shutoff"} == 1';

/** What is promised to whom: sums of guests by tenant; guests nobody is known to own have none. */
export const tenants: Subject = {
  name: 'tenants',
  recording: [
    {
      record: 'instance_tenant:kvm_domain_vcpus:sum',
      expr: promql`
        sum without (domain) (
          kvm_domain_vcpus
          * ${OWNER}
          ${ACTIVE}
        )
      `,
    },
    {
      record: 'instance_tenant:kvm_domain_memory_maximum_bytes:sum',
      expr: promql`
        sum without (domain) (
          kvm_domain_memory_maximum_bytes
          * ${OWNER}
          ${ACTIVE}
        )
      `,
    },
    {
      record: 'instance_tenant:kvm_domain_memory_claimable_bytes:sum',
      expr: promql`
        sum without (domain) (
          kvm_domain_memory_claimable_bytes
          * ${OWNER}
          ${ACTIVE}
        )
      `,
    },
  ],
  alerts: [],
};
