import { now } from '../common/now.ts';
import { of } from '../common/promql.ts';
import { NONE_IS_GOOD, worseAbove } from '../common/risk.ts';
import { stat } from '../common/stat.ts';

export const NOW = now('memory', [
  stat({
    title: 'OOM kills',
    description:
      'Processes the kernel killed for want of memory in ten minutes; the largest is a guest. ' +
      'Good: 0.',
    unit: 'short',
    queries: [{ expr: of('instance:kvm_host_oom_kills:increase10m'), legend: 'killed' }],
    thresholds: NONE_IS_GOOD,
    width: 6,
  }),
  stat({
    title: 'All tasks stalled',
    description: 'Share of time in which all tasks were stalled on memory. Good: near 0.',
    unit: 'percentunit',
    queries: [{ expr: of('instance:kvm_host_memory_pressure_stalled:ratio'), legend: 'stalled' }],
    thresholds: worseAbove(0.1, 0.6),
    width: 6,
  }),
  stat({
    title: 'Shortfall',
    description:
      'Memory that would be missing if every guest took what it was promised. Good: 0; more is ' +
      'what a run on the bank cannot pay out.',
    unit: 'bytes',
    queries: [
      {
        expr: `clamp_min(${of('kvm_memory_exposure_bytes')} - ${of('kvm_memory_supply_bytes')}, 0)`,
        legend: 'missing',
      },
    ],
    thresholds: worseAbove(1),
    width: 6,
  }),
]);
