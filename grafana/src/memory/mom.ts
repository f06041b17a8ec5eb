import { MappingType, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { of } from '../common/promql.ts';
import { CRITICAL, GOOD, worseAbove } from '../common/risk.ts';
import { timeline } from '../common/timeline.ts';

const IN_ZONE: ValueMapping[] = [
  {
    type: MappingType.ValueToText,
    options: { '0': { text: ' ', color: 'transparent' }, '1': { text: 'here', color: 'blue' } },
  },
];

const MERGES: ValueMapping[] = [
  {
    type: MappingType.ValueToText,
    options: { '0': { text: 'no', color: GOOD }, '1': { text: 'yes', color: CRITICAL } },
  },
];

export const MOM: Row = {
  title: 'What the Memory Overcommitment Manager (MOM) would do',
  folded: true,
  tiles: [
    graph({
      title: 'Free memory as MOM sees it',
      description:
        'Free part of RAM by which MOM decides: as it measures, and corrected for guests in ' +
        'shared memory, which it takes for page cache. Good: above 20 %, which MOM calls ' +
        'comfortable.',
      unit: 'percentunit',
      queries: [{ expr: of('kvm_mom_host_free_ratio'), legend: '{{variant}}' }],
      width: 8,
    }),
    timeline({
      title: 'Zone',
      description:
        'The zone MOM would put the host in. Good: comfortable. A host that leaves it has its ' +
        'balloons inflated.',
      queries: [{ expr: of('kvm_mom_zone'), legend: '{{variant}} {{zone}}' }],
      mappings: IN_ZONE,
      thresholds: worseAbove(2),
      width: 8,
      height: 8,
    }),
    timeline({
      title: 'Would MOM merge pages',
      description:
        'Whether MOM would have KSM run: it does so only below 20 % free memory, to save CPU ' +
        'while there is enough. Good: no.',
      queries: [
        { expr: of('kvm_mom_ksm_run'), legend: 'MOM ({{variant}})' },
        { expr: of('kvm_ksm_run') + ' == bool 1', legend: 'now' },
      ],
      mappings: MERGES,
      thresholds: worseAbove(1),
      width: 8,
      height: 8,
    }),
    graph({
      title: 'Memory MOM would leave to guests',
      description:
        'Sum of the balloon targets MOM would set, beside what guests have. Good: no gap: MOM ' +
        'would take nothing from them.',
      unit: 'bytes',
      queries: [
        {
          expr: `sum by (cluster, job, instance, variant) (${of('kvm_domain_mom_balloon_target_bytes')})`,
          legend: 'target ({{variant}})',
        },
        {
          expr: `sum by (cluster, job, instance) (${of('kvm_domain_balloon_current_bytes')})`,
          legend: 'now',
        },
      ],
    }),
    graph({
      title: 'Scanning speed MOM would set',
      description:
        'Pages ksmd would look at in one go under MOM, beside the setting in force. Good: no ' +
        'line of MOM: it would not scan. It raises the speed the longer memory is short.',
      unit: 'short',
      queries: [
        { expr: of('kvm_mom_ksm_pages_to_scan'), legend: 'MOM ({{variant}})' },
        { expr: of('kvm_ksm_pages_to_scan'), legend: 'now' },
      ],
    }),
  ],
};
