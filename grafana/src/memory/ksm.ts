import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { fromSeries } from '../common/links.ts';
import { capped, highest, of, rate } from '../common/promql.ts';
import { CHOSEN_GUESTS } from './guests.ts';

const LINK = fromSeries('kvm-guest', ['instance', 'domain']);

export const KSM: Row = {
  title: 'Samepage merging (KSM)',
  folded: true,
  tiles: [
    graph({
      title: 'Saved, and what it rests on',
      description:
        'Memory saved by merging and the profit after the cost of the records. Good: profit ' +
        'positive. All of it can be lost when guests write.',
      unit: 'bytes',
      queries: [
        { expr: of('kvm_ksm_saved_bytes'), legend: 'saved' },
        { expr: of('kvm_ksm_profit_bytes'), legend: 'profit' },
        { expr: of('kvm_ksm_shared_bytes'), legend: 'kept copies' },
        { expr: of('kvm_ksm_unshared_bytes'), legend: 'scanned, no equal page' },
      ],
      signed: true,
      width: 8,
    }),
    graph({
      title: 'Guests per merged page',
      description:
        'How many uses one kept copy has. Good: far above 1; near 1 merging finds little that is ' +
        'equal.',
      unit: 'none',
      queries: [{ expr: of('instance:kvm_ksm_sharing_per_shared:ratio'), legend: '{{instance}}' }],
      width: 8,
    }),
    graph({
      title: 'Un-merging: what would be needed at once',
      description:
        'Memory needed if all merged pages were written, per supply. Good: below 50 %; above ' +
        '100 % un-merging ends in the OOM killer.',
      unit: 'percentunit',
      queries: [
        { expr: capped(of('instance:kvm_ksm_unmerge_per_supply:ratio')), legend: 'all' },
        {
          expr: capped(of('instance:kvm_ksm_lost_per_supply:ratio')),
          legend: 'lost in ten minutes',
        },
      ],
      limit: 'memory.ksm_unmerge_ratio',
      width: 8,
    }),
    graph({
      title: 'CPU time of ksmd',
      description: 'CPUs ksmd takes for scanning. Good: below 70 % of one.',
      unit: 'percentunit',
      queries: [{ expr: of('instance:kvm_ksm_thread_cpu_seconds:rate5m'), legend: '{{instance}}' }],
      limit: 'memory.ksmd_cpu_ratio',
      width: 8,
    }),
    graph({
      title: 'Merged pages broken by writes',
      description:
        'Merged memory copied again because a guest wrote to it. Good: small beside what is ' +
        'scanned; otherwise merging and writing chase each other.',
      unit: 'Bps',
      queries: [
        { expr: rate('kvm_ksm_copied_on_write_bytes_total'), legend: 'copied' },
        { expr: rate('kvm_ksm_scanned_bytes_total'), legend: 'scanned' },
      ],
      width: 8,
    }),
    graph({
      title: 'Guests with most merged memory',
      description:
        'Memory of the five guests with most in merged pages. What one of them saves depends ' +
        'on the others. Good: much, as long as the host could do without it.',
      unit: 'bytes',
      queries: [
        {
          expr: highest(of('kvm_domain_ksm_merging_bytes', CHOSEN_GUESTS)),
          legend: '{{domain}}',
        },
      ],
      link: LINK,
      width: 8,
    }),
    graph({
      title: 'Guests that are not worth scanning',
      description:
        'Pages KSM keeps records of per page it has merged, the five worst guests. Good: ' +
        'below 64; above, the records cost more than merging saves.',
      unit: 'none',
      queries: [
        {
          expr: highest(
            capped(
              of('instance_domain:kvm_domain_ksm_items_per_merged_page:ratio', CHOSEN_GUESTS),
              256,
            ),
          ),
          legend: '{{domain}}',
        },
      ],
      limit: 'memory.ksm_items_ratio',
      link: LINK,
      width: 8,
    }),
    graph({
      title: 'Full scans per hour',
      description:
        'How often ksmd got through all mergeable memory. Good: several an hour; below one, ' +
        'savings lag behind what guests do.',
      unit: 'none',
      queries: [
        { expr: `increase(${of('kvm_ksm_full_scans_total')}[1h])`, legend: '{{instance}}' },
      ],
      width: 8,
    }),
    graph({
      title: 'How eagerly ksmd scans',
      description:
        'Pages it looks at per second at most by its settings: a batch, then sleep. MOM, ' +
        "ksmtuned or the kernel's advisor move it. Good: as eager as savings are worth its " +
        'CPU time.',
      unit: 'cps',
      queries: [
        {
          expr: `${of('kvm_ksm_pages_to_scan')} / (${of('kvm_ksm_sleep_seconds')} > 0)`,
          legend: '{{instance}}',
        },
      ],
      width: 8,
    }),
  ],
};
