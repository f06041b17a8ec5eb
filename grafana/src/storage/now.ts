import { now } from '../common/now.ts';
import { of } from '../common/promql.ts';
import { NONE_IS_GOOD, worseAbove } from '../common/risk.ts';
import { stat } from '../common/stat.ts';

export const NOW = now('storage', [
  stat({
    title: 'Guests stopped by an I/O error',
    description:
      'Guests paused because a disk is full or broken. Good: 0. Make room, then resume them.',
    unit: 'short',
    queries: [{ expr: of('instance:kvm_domains_paused_on_io_error:count'), legend: 'now' }],
    thresholds: NONE_IS_GOOD,
    width: 6,
  }),
  stat({
    title: 'Shortfall',
    description:
      'Bytes that would be missing if every image grew to its worst case, all filesystems ' +
      'together. Good: 0.',
    unit: 'bytes',
    queries: [{ expr: of('kvm_storage_shortfall_bytes'), legend: 'now' }],
    thresholds: worseAbove(1),
    width: 6,
  }),
  stat({
    title: 'Images outside the arithmetic',
    description:
      'Images on remote storage or not found: what they promise is not in any sum here. Good: 0.',
    unit: 'short',
    queries: [
      {
        expr: `sum by (cluster, job, instance) (${of('kvm_storage_images', 'placement=~"remote|unknown"')})`,
        legend: 'now',
      },
    ],
    thresholds: worseAbove(1),
    width: 6,
  }),
]);
