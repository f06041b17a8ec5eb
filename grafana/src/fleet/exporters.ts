import { MappingType, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import { HOST_KEY } from '../common/columns.ts';
import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { of } from '../common/promql.ts';
import { CRITICAL, worseAbove, YES_IS_GOOD } from '../common/risk.ts';
import { table } from '../common/table.ts';
import { timeline } from '../common/timeline.ts';

const FAILS: ValueMapping[] = [
  { type: MappingType.ValueToText, options: { '1': { text: 'fails', color: CRITICAL } } },
];

const YES_NO = { '0': 'no', '1': 'yes' };

export const EXPORTERS: Row = {
  title: 'Exporters',
  folded: true,
  tiles: [
    table({
      title: 'Exporters and their libvirt',
      description:
        'Whether each exporter reaches libvirt, whether its policy file is sound, and how many ' +
        'libvirt calls hang. Good: yes, yes and 0.',
      keys: [
        HOST_KEY,
        { label: 'version', title: 'Version' },
        { label: 'nodeversion', title: 'Node.js' },
      ],
      values: [
        {
          title: 'libvirt reachable',
          expr: `max by (cluster, job, instance) (${of('kvm_libvirt_up')})`,
          unit: 'short',
          texts: YES_NO,
          thresholds: YES_IS_GOOD,
        },
        {
          title: 'Policy sound',
          expr: `max by (cluster, job, instance) (${of('kvm_policy_last_reload_successful')})`,
          unit: 'short',
          texts: YES_NO,
          thresholds: YES_IS_GOOD,
        },
        {
          title: 'Hanging calls',
          expr: `max by (cluster, job, instance) (${of('kvm_exporter_libvirt_outstanding_calls')})`,
          unit: 'short',
        },
        {
          title: 'Simulated host',
          expr: `max by (cluster, job, instance) (${of('kvm_exporter_demo')})`,
          unit: 'short',
          texts: YES_NO,
        },
      ],
      infos: [
        `max by (cluster, job, instance, version, nodeversion) (${of('kvm_exporter_build_info')})`,
      ],
      sortBy: 'libvirt reachable',
      ascending: true,
      width: 24,
      height: 8,
    }),
    graph({
      title: 'Time spent by collectors',
      description:
        'Seconds each part of a scrape took, the slowest host. Good: all far below the scrape ' +
        'timeout.',
      unit: 's',
      queries: [
        {
          expr: `max by (collector) (${of('kvm_scrape_collector_duration_seconds')})`,
          legend: '{{collector}}',
        },
      ],
      limit: 'exporter.scrape_seconds',
      // One row of the legend for every four collectors.
      height: 11,
    }),
    timeline({
      title: 'Collectors that fail',
      description:
        'Collectors that fail on some host; whatever they feed is absent there. Good: no rows.',
      queries: [
        {
          expr: `(sum by (collector) (${of('kvm_scrape_collector_success')} == bool 0) > 0) > bool 0`,
          legend: '{{collector}}',
        },
      ],
      mappings: FAILS,
      thresholds: worseAbove(1),
      height: 11,
    }),
  ],
};
