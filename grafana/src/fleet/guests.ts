import { GUEST_KEY, HOST_KEY } from '../common/columns.ts';
import type { Row } from '../common/dashboard.ts';
import { of } from '../common/promql.ts';
import { worseAbove } from '../common/risk.ts';
import { table } from '../common/table.ts';

export const WORST_GUESTS: Row = {
  title: 'Guests that suffer and guests that take',
  tiles: [
    table({
      title: 'Guests that wait most for a CPU',
      description:
        'The worst vCPU of each guest: share of time in which it could have run and had no CPU, ' +
        'which the guest sees as steal. Good: below 5 %.',
      keys: [HOST_KEY, GUEST_KEY],
      values: [
        {
          title: 'Waits',
          expr: `topk(10, max by (job, instance, domain) (${of('instance_domain:kvm_domain_vcpu_delay:ratio')}))`,
          unit: 'percentunit',
          cell: 'bar',
          thresholds: worseAbove(0.05, 0.1),
        },
      ],
      sortBy: 'Waits',
      width: 8,
      height: 10,
    }),
    table({
      title: 'Guests that could claim most memory',
      description:
        'Memory a guest may still take because it was promised, and does not hold now. Good: ' +
        'the sum below the supply; if it is not, these are the guests to look at.',
      keys: [HOST_KEY, GUEST_KEY],
      values: [
        {
          title: 'Claimable',
          expr: `topk(10, max by (job, instance, domain) (${of('kvm_domain_memory_claimable_bytes')}))`,
          unit: 'bytes',
        },
      ],
      sortBy: 'Claimable',
      width: 8,
      height: 10,
    }),
    table({
      title: 'Guests whose images can grow most',
      description:
        'Space the images of a guest may still take. Good: less than the filesystem has left; ' +
        'if it is not, these are the guests to look at.',
      keys: [HOST_KEY, GUEST_KEY],
      values: [
        {
          title: 'Claimable',
          expr: `topk(10, sum by (job, instance, domain) (${of('kvm_domain_storage_claimable_bytes')}))`,
          unit: 'bytes',
        },
      ],
      sortBy: 'Claimable',
      width: 8,
      height: 10,
    }),
  ],
};
