import { LOCAL_GUEST_KEY } from '../common/columns.ts';
import type { Row } from '../common/dashboard.ts';
import { BY_GUEST, of, rate } from '../common/promql.ts';
import { worseAbove } from '../common/risk.ts';
import { table } from '../common/table.ts';

export const TOP_GUESTS: Row = {
  title: 'Guests',
  tiles: [
    table({
      title: 'Guests and what they take of each resource',
      description:
        'Every guest of the host: who uses, who waits, who could still claim. Sort by a ' +
        'column to find whom to cap or to move; click a guest for everything about it. Good: ' +
        'nobody waits and nobody is swapped out.',
      keys: [LOCAL_GUEST_KEY],
      values: [
        {
          title: 'CPUs used',
          expr: `sum ${BY_GUEST} (${of('instance_domain:kvm_domain_cpu_seconds:rate5m')})`,
          unit: 'none',
          width: 130,
        },
        {
          title: 'CPU wait',
          expr: `max ${BY_GUEST} (${of('instance_domain:kvm_domain_vcpu_delay:ratio')})`,
          unit: 'percentunit',
          thresholds: worseAbove(0.05, 0.1),
        },
        {
          title: 'Claimable',
          expr: `sum ${BY_GUEST} (${of('kvm_domain_memory_claimable_bytes')})`,
          unit: 'bytes',
        },
        {
          title: 'Swapped out',
          expr: `sum ${BY_GUEST} (${of('kvm_domain_swap_bytes')})`,
          unit: 'bytes',
        },
        {
          title: 'Images may grow',
          expr: `sum ${BY_GUEST} (${of('kvm_domain_storage_claimable_bytes')})`,
          unit: 'bytes',
        },
        {
          title: 'Disks',
          expr: `sum ${BY_GUEST} (${rate('kvm_domain_disk_read_bytes_total')} + ${rate('kvm_domain_disk_written_bytes_total')})`,
          unit: 'Bps',
        },
        {
          title: 'Network',
          expr: `sum ${BY_GUEST} (${rate('kvm_domain_nic_receive_bytes_total')} + ${rate('kvm_domain_nic_transmit_bytes_total')})`,
          unit: 'Bps',
        },
      ],
      sortBy: 'CPUs used',
      height: 10,
    }),
  ],
};
