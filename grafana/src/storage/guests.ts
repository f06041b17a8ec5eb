import { LOCAL_GUEST_KEY } from '../common/columns.ts';
import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { fromSeries } from '../common/links.ts';
import { highest, of, rate } from '../common/promql.ts';
import { table } from '../common/table.ts';
import { CHOSEN_FILESYSTEMS } from './filesystems.ts';

const BY_GUEST = 'by (cluster, job, instance, domain, mountpoint)';

export const GUESTS: Row = {
  title: 'Guests and their claims',
  tiles: [
    table({
      title: 'What guests were promised and what they took',
      description:
        'Sum of the images of each guest on each filesystem; what is allocated in a base image is ' +
        'split among the guests that share it. Good: together less than the filesystem has; ' +
        'whoever may grow most is whom to ask, or to move.',
      keys: [LOCAL_GUEST_KEY, { label: 'mountpoint', title: 'Filesystem' }],
      values: [
        {
          title: 'Promised',
          expr: `sum ${BY_GUEST} (${of('kvm_domain_storage_promised_bytes', CHOSEN_FILESYSTEMS)})`,
          unit: 'bytes',
        },
        {
          title: 'Allocated',
          expr: `sum ${BY_GUEST} (${of('kvm_domain_storage_allocated_bytes', CHOSEN_FILESYSTEMS)})`,
          unit: 'bytes',
        },
        {
          title: 'May grow',
          expr: `sum ${BY_GUEST} (${of('kvm_domain_storage_claimable_bytes', CHOSEN_FILESYSTEMS)})`,
          unit: 'bytes',
        },
        {
          title: 'Grows',
          expr: `sum ${BY_GUEST} (deriv(${of('kvm_domain_storage_allocated_bytes', CHOSEN_FILESYSTEMS)}[1h]))`,
          unit: 'Bps',
        },
      ],
      sortBy: 'May grow',
      width: 16,
      height: 10,
    }),
    graph({
      title: 'Guests that write most',
      description:
        'Bytes written by the five busiest guests. Good: known peaks only; what is written to ' +
        'a thin image for the first time takes space.',
      unit: 'Bps',
      queries: [
        {
          expr: highest(
            `sum by (cluster, job, instance, domain) (${rate('kvm_domain_disk_written_bytes_total')})`,
          ),
          legend: '{{domain}}',
        },
      ],
      link: fromSeries('kvm-guest', ['instance', 'domain']),
      width: 8,
      height: 10,
    }),
  ],
};
