import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { of, THIS_GUEST } from '../common/promql.ts';
import { worseBelow } from '../common/risk.ts';
import { stat } from '../common/stat.ts';
import type { Tile } from '../common/tile.ts';

const KEPT = of('instance_domain:kvm_domain_vcpu_delay_kept:bool', THIS_GUEST);

function over(title: string, range: string): Tile {
  return stat({
    title,
    description:
      'Share of time in which its worst vCPU waited for a CPU no longer than the policy allows, of ' +
      'the time it was seen. Good: above 99 %.',
    unit: 'percentunit',
    queries: [{ expr: `avg_over_time(${KEPT}[${range}])`, legend: 'kept' }],
    thresholds: worseBelow(0.99, 0.95),
    width: 6,
    height: 6,
  });
}

export const SLO: Row = {
  title: 'Did it get the CPU it wanted',
  tiles: [
    over('Over a day', '1d'),
    over('Over a week', '7d'),
    graph({
      title: 'Share of time it got the CPU it wanted',
      description:
        'The same over the hour before each moment. Good: 100 %; whoever promised 99 % over a week ' +
        'may miss it for 100 minutes.',
      unit: 'percentunit',
      queries: [{ expr: `avg_over_time(${KEPT}[1h])`, legend: 'within an hour' }],
      height: 6,
    }),
  ],
};
