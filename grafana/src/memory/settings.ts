import { HOST_KEY } from '../common/columns.ts';
import type { Row } from '../common/dashboard.ts';
import { of } from '../common/promql.ts';
import { table, type ValueColumn } from '../common/table.ts';
import type { Unit } from '../common/units.ts';

const OFF_ON = { '0': 'off', '1': 'on' };

function setting(
  title: string,
  metric: string,
  unit: Unit,
  texts?: Readonly<Record<string, string>>,
): ValueColumn {
  const column = { title, expr: `max by (cluster, job, instance) (${of(metric)})`, unit };
  return texts === undefined ? column : { ...column, texts };
}

export const SETTINGS: Row = {
  title: 'Settings of the kernel',
  folded: true,
  tiles: [
    table({
      title: 'Over-commit, swap and NUMA',
      description:
        'Kernel settings that decide what over-commitment does to the host. Good: the same on ' +
        'hosts that should behave alike.',
      keys: [HOST_KEY],
      values: [
        setting('Over-commit mode', 'kvm_host_overcommit_memory_mode', 'short', {
          '0': 'heuristic',
          '1': 'always',
          '2': 'never beyond',
        }),
        setting('Over-commit ratio', 'kvm_host_overcommit_memory_ratio', 'percentunit'),
        setting('Swappiness', 'kvm_host_swappiness', 'short'),
        setting('Kept free', 'kvm_host_min_free_bytes', 'bytes'),
        setting('NUMA balancing', 'kvm_host_numa_balancing', 'short'),
        setting('zswap', 'kvm_host_zswap_enabled', 'short', OFF_ON),
        setting('MGLRU', 'kvm_host_mglru_enabled', 'short', OFF_ON),
        setting('Swap', 'kvm_host_swap_size_bytes', 'bytes'),
      ],
      sortBy: 'Host',
      ascending: true,
      height: 6,
    }),
    table({
      title: 'KSM',
      description:
        'Settings of merging. Good: pages of different NUMA nodes are not merged on hosts where ' +
        'locality matters; the sharing limit keeps reclaim fast.',
      keys: [HOST_KEY],
      values: [
        setting('KSM', 'kvm_ksm_run', 'short', { '0': 'off', '1': 'on', '2': 'un-merging' }),
        setting('Pages to scan', 'kvm_ksm_pages_to_scan', 'short'),
        setting('Sleep', 'kvm_ksm_sleep_seconds', 's'),
        setting('Merges across nodes', 'kvm_ksm_merge_across_nodes', 'short', OFF_ON),
        setting('Uses zero pages', 'kvm_ksm_use_zero_pages', 'short', OFF_ON),
        setting('Most uses of a page', 'kvm_ksm_max_page_sharing', 'short'),
      ],
      sortBy: 'Host',
      ascending: true,
      width: 24,
      height: 5,
    }),
    table({
      title: 'Huge pages',
      description: 'Settings of transparent huge pages. Good: the same on hosts alike.',
      keys: [
        { label: 'enabled', title: 'Huge pages' },
        { label: 'defrag', title: 'Defrag' },
        { label: 'shmem_enabled', title: 'Shared memory' },
      ],
      values: [setting('Size', 'kvm_host_thp_size_bytes', 'bytes')],
      infos: [
        `max by (cluster, job, instance, enabled, defrag, shmem_enabled) (${of('kvm_host_thp_info')})`,
      ],
      sortBy: 'Huge pages',
      ascending: true,
      width: 12,
      height: 5,
    }),
  ],
};
