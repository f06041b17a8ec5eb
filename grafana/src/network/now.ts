import { now } from '../common/now.ts';
import { of } from '../common/promql.ts';
import { NONE_IS_GOOD, worseAbove } from '../common/risk.ts';
import { stat } from '../common/stat.ts';

export const NOW = now('network', [
  stat({
    title: 'Uplinks down',
    description: 'Uplinks without a link: their guests are cut off. Good: 0.',
    unit: 'short',
    queries: [{ expr: `sum(${of('kvm_uplink_up')} == bool 0)`, legend: 'down' }],
    thresholds: NONE_IS_GOOD,
    width: 6,
  }),
  stat({
    title: 'Busiest uplink',
    description: 'Traffic of the busier direction per bandwidth. Good: below 80 %.',
    unit: 'percentunit',
    queries: [{ expr: of('instance:kvm_uplink_utilisation:max'), legend: 'in use' }],
    thresholds: worseAbove(0.8, 0.95),
    width: 6,
  }),
  stat({
    title: 'Worst loss of a guest',
    description: 'Packets dropped per packets, at the interface that loses most. Good: below 1 %.',
    unit: 'percentunit',
    queries: [{ expr: of('instance:kvm_domain_nic_drops:max'), legend: 'lost' }],
    thresholds: worseAbove(0.01),
    width: 6,
  }),
]);
