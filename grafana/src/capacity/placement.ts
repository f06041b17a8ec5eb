import {
  TextBoxVariableBuilder,
  type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { HOST_KEY } from '../common/columns.ts';
import type { Row } from '../common/dashboard.ts';
import { worseBelow } from '../common/risk.ts';
import { hostRisk } from '../common/risk-query.ts';
import { table } from '../common/table.ts';
import { CPU, MEMORY, STORAGE } from './resources.ts';

/** The size of the guest to place, as typed. */
export const PLACEMENT_VARIABLES: readonly VariableModel[] = [
  size('vcpus', 'vCPUs', '2'),
  size('memory', 'Memory in GiB', '4'),
  size('disk', 'Disk in GiB', '40'),
];

function size(name: string, label: string, value: string): VariableModel {
  return new TextBoxVariableBuilder(name)
    .label(label)
    .description('Size of the guest that looks for a host')
    .defaultValue(value)
    .current({ selected: true, text: value, value })
    .build();
}

const GIB = 2 ** 30;

/** How many such guests fit by one resource; none where the limit is behind. */
function fitting(headroom: string, wanted: string): string {
  return `clamp_min(floor(${headroom} / (${wanted})), 0)`;
}

const BY_CPU = fitting(CPU.headroom('warning'), '$vcpus');
const BY_MEMORY = fitting(MEMORY.headroom('warning'), `$memory * ${GIB}`);
const BY_STORAGE = fitting(STORAGE.headroom('warning'), `$disk * ${GIB}`);

/** The resource that runs out first decides. */
const FITTING = ['cpu', 'memory', 'storage']
  .map((name, index) => {
    const all = [BY_CPU, BY_MEMORY, BY_STORAGE];
    return `label_replace(${all[index] ?? ''}, "resource", "${name}", "instance", ".*")`;
  })
  .join(' or ');

export const PLACEMENT: Row = {
  title: 'Who could take a guest of $vcpus vCPUs, $memory GiB and $disk GiB',
  tiles: [
    table({
      title: 'Hosts by how many such guests fit until a warning',
      description:
        'How many guests of the size chosen above each host could be promised until the first ' +
        'warning of its policy, and by which resource. A host at high risk takes none, whatever the ' +
        'numbers say. Good: one host at least with room for the next guest.',
      keys: [HOST_KEY],
      values: [
        {
          title: 'Guests that fit',
          expr: `min by (cluster, job, instance) (${FITTING})`,
          unit: 'short',
          thresholds: worseBelow(2, 1),
        },
        { title: 'By vCPUs', expr: BY_CPU, unit: 'short' },
        { title: 'By memory', expr: BY_MEMORY, unit: 'short' },
        { title: 'By storage', expr: BY_STORAGE, unit: 'short' },
        { title: 'Risk now', expr: hostRisk(), unit: 'short', cell: 'risk' },
      ],
      sortBy: 'Guests that fit',
      height: 7,
    }),
  ],
};
