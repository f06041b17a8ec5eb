import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { of } from '../common/promql.ts';

/** A part of /proc/meminfo. */
function part(name: string, legend: string): { readonly expr: string; readonly legend: string } {
  return { expr: of(`kvm_host_memory_${name}_bytes`), legend };
}

export const USE: Row = {
  title: 'Where the RAM is',
  folded: true,
  tiles: [
    graph({
      title: 'RAM by use',
      description:
        'What the RAM of the host holds. Anonymous memory is ordinary guests, shared is memfd ' +
        'guests (and also counted in the page cache, so it is taken off there). Good: some page ' +
        'cache left: it is what can be given up without swapping.',
      unit: 'bytes',
      queries: [
        part('anonymous', 'anonymous'),
        part('shared', 'shared'),
        {
          expr: `${of('kvm_host_memory_cached_bytes')} - ${of('kvm_host_memory_shared_bytes')} + ${of('kvm_host_memory_buffers_bytes')}`,
          legend: 'page cache',
        },
        part('slab_reclaimable', 'kernel, reclaimable'),
        part('slab_unreclaimable', 'kernel, fixed'),
        part('page_tables', 'page tables'),
        part('kernel_stack', 'kernel stacks'),
        part('free', 'free'),
      ],
      stacked: true,
    }),
    graph({
      title: 'Available memory',
      description:
        "The kernel's estimate of what programs can still get without swapping, per RAM. Good: " +
        'above 20 %; MOM and ksmtuned act below.',
      unit: 'percentunit',
      queries: [{ expr: of('instance:kvm_host_memory_available:ratio'), legend: '{{instance}}' }],
      limit: 'memory.available_ratio',
    }),
    graph({
      title: 'Memory that cannot be reclaimed',
      description:
        'Unevictable and locked memory, for instance of guests with pass-through devices: it ' +
        'counts fully, now and for good. Good: known and planned for.',
      unit: 'bytes',
      queries: [part('unevictable', 'unevictable'), part('locked', 'locked')],
      width: 8,
    }),
    graph({
      title: 'Committed and commit limit',
      description:
        'Address space handed out that may have to be backed some day. Good: below the limit ' +
        'where vm.overcommit_memory is 2; otherwise the limit is not enforced, and going ' +
        'beyond it is normal.',
      unit: 'bytes',
      queries: [part('committed', 'committed'), part('commit_limit', 'limit')],
      width: 8,
    }),
    graph({
      title: 'RAM with errors',
      description: 'RAM taken out of use after memory errors. Good: 0.',
      unit: 'bytes',
      queries: [part('corrupted', 'corrupted')],
      width: 8,
    }),
  ],
};
