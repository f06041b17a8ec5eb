import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { of } from '../common/promql.ts';

export const BOOT_STORM: Row = {
  title: 'Boot storm: everybody at once',
  folded: true,
  tiles: [
    graph({
      title: 'vCPUs per CPU if all guests with autostart ran',
      description:
        'The promise after a reboot of the host. Good: below the limits, although guests that ' +
        'are switched off count.',
      unit: 'none',
      queries: [
        {
          expr: of('instance:kvm_cpu_start_all_per_capacity:ratio'),
          legend: 'with autostart',
        },
      ],
      limit: 'cpu.start_all_ratio',
      width: 8,
    }),
    graph({
      title: 'Memory promised if all guests with autostart ran',
      description: 'Guests boot with empty balloons, so with their maximum. Good: below 100 %.',
      unit: 'percentunit',
      queries: [
        {
          expr: of('instance:kvm_memory_start_all_per_capacity:ratio'),
          legend: 'with autostart',
        },
      ],
      limit: 'memory.start_all_ratio',
      width: 8,
    }),
    graph({
      title: 'Guests that would start',
      description:
        'Guests to be started in addition to those that run, and after a reboot; with ' +
        'autostart, or all. What is in neither does not come back by itself. Good: every ' +
        'guest that runs and is needed starts by itself.',
      unit: 'short',
      queries: [
        { expr: of('kvm_boot_storm_domains'), legend: '{{set}} {{phase}}' },
        {
          expr: of('kvm_boot_storm_domains_not_restarted'),
          legend: 'running but not restarted',
        },
      ],
      width: 8,
    }),
    graph({
      title: 'Guests that are booting now',
      description:
        'Guests younger than five minutes per guest. Good: near 0; a peak is a boot storm under ' +
        'way, and explains waiting vCPUs.',
      unit: 'percentunit',
      queries: [
        { expr: of('instance:kvm_domains_started_recently:ratio'), legend: '{{instance}}' },
      ],
    }),
    graph({
      title: 'Memory all guests would boot with',
      description:
        'Memory of the guests that would start, beside the capacity of the host. Good: below ' +
        'the capacity.',
      unit: 'bytes',
      queries: [
        { expr: of('kvm_boot_storm_memory_bytes'), legend: '{{set}} {{phase}}' },
        { expr: of('kvm_memory_capacity_bytes'), legend: 'capacity' },
      ],
    }),
  ],
};
