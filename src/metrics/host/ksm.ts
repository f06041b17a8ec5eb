import { labelText } from '../../exposition/labels.ts';
import { computeKsmSavings } from '../../model/facts/ksm-savings.ts';
import type { Host } from '../../model/host.ts';

import { counter, gauge, info, type Metric } from '../metric.ts';
import { zeroOne } from '../yes-no.ts';
import type { Ksm } from '../../model/host-memory.ts';

/** A struct ksm_rmap_item on 64-bit (mm/ksm.c). */
const RMAP_ITEM_BYTES = 64;

/** Kernel samepage merging, host-wide. */
export const ksmMetrics: readonly Metric[] = [
  setting(
    'run',
    'State of KSM: 0 stopped with pages still merged, 1 running, 2 stopped with all pages ' +
      'un-merged',
    'run',
    ({ run }) => run,
  ),
  pages(
    'shared',
    'Memory of the merged pages themselves, which is what merging costs and not what it saves',
    'pages_shared',
    ({ pagesShared }) => pagesShared,
  ),
  pages(
    'sharing',
    'Memory saved by merging: all further uses of merged pages',
    'pages_sharing',
    ({ pagesSharing }) => pagesSharing,
  ),
  pages(
    'unshared',
    'Memory scanned repeatedly without finding an equal page',
    'pages_unshared',
    ({ pagesUnshared }) => pagesUnshared,
  ),
  pages(
    'volatile',
    'Memory that changes too fast to be merged',
    'pages_volatile',
    ({ pagesVolatile }) => pagesVolatile,
  ),
  pages(
    'zero',
    "Memory replaced by the kernel's zero page, which is saved as well and in no resident " +
      'size',
    'ksm_zero_pages',
    ({ zeroPages }) => zeroPages,
  ),
  gauge(
    'kvm_ksm_saved_bytes',
    'Memory saved by merged pages and zero pages (pages_sharing plus ksm_zero_pages, times ' +
      'the page size).',
    {},
    ({ snapshot }, sample) => {
      sample('', savedBytes(snapshot.host));
    },
  ),
  gauge(
    'kvm_ksm_profit_bytes',
    'Memory saved by KSM minus what its records take; negative when it costs more than it ' +
      'saves (/sys/kernel/mm/ksm/general_profit).',
    {
      note: 'Before Linux 6.4 computed with 64 bytes for each page it keeps a record of.',
    },
    ({ snapshot }, sample) => {
      sample('', snapshot.host.ksm?.generalProfitBytes ?? computedProfit(snapshot.host));
    },
  ),
  setting(
    'pages_to_scan',
    'Pages ksmd scans before it sleeps',
    'pages_to_scan',
    ({ pagesToScan }) => pagesToScan,
  ),
  setting(
    'sleep_seconds',
    'How long ksmd sleeps between two batches',
    'sleep_millisecs',
    ({ sleepSeconds }) => sleepSeconds,
  ),
  pagesCounter(
    'scanned',
    'Memory ksmd has scanned',
    'pages_scanned',
    ({ pagesScanned }) => pagesScanned,
  ),
  pagesCounter(
    'skipped',
    'Memory ksmd skipped because it had not merged before',
    'pages_skipped',
    ({ pagesSkipped }) => pagesSkipped,
  ),
  counter(
    'kvm_ksm_full_scans_total',
    'Times ksmd scanned all mergeable memory (/sys/kernel/mm/ksm/full_scans).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.ksm?.fullScans);
    },
  ),
  setting(
    'merge_across_nodes',
    'Whether pages of different NUMA nodes are merged',
    'merge_across_nodes',
    ({ mergeAcrossNodes }) => zeroOne(mergeAcrossNodes),
  ),
  setting(
    'use_zero_pages',
    "Whether empty pages are replaced by the kernel's zero page",
    'use_zero_pages',
    ({ useZeroPages }) => zeroOne(useZeroPages),
  ),
  setting(
    'max_page_sharing',
    'Most uses of one merged page, beyond which another copy is made',
    'max_page_sharing',
    ({ maxPageSharing }) => maxPageSharing,
  ),
  setting(
    'smart_scan',
    'Whether ksmd skips pages that did not merge before',
    'smart_scan',
    ({ smartScan }) => zeroOne(smartScan),
  ),
  setting(
    'stable_node_chains',
    'Merged pages that needed more than one copy because of max_page_sharing',
    'stable_node_chains',
    ({ stableNodeChains }) => stableNodeChains,
  ),
  setting(
    'stable_node_duplicates',
    'Copies of merged pages that needed more than one because of max_page_sharing',
    'stable_node_dups',
    ({ stableNodeDuplicates }) => stableNodeDuplicates,
  ),
  info(
    'kvm_ksm_advisor_info',
    'Who sets pages_to_scan: none, or scan-time for the kernel itself ' +
      '(/sys/kernel/mm/ksm/advisor_mode, Linux 6.8).',
    { labels: ['mode'] },
    ({ snapshot }, sample) => {
      const mode = snapshot.host.ksm?.advisorMode;
      if (mode !== undefined) sample(labelText(['mode'], [mode]), 1);
    },
  ),
  setting(
    'advisor_max_cpu_ratio',
    'Share of one CPU the advisor lets ksmd use',
    'advisor_max_cpu',
    ({ advisorMaxCpuPercent }) =>
      advisorMaxCpuPercent === undefined ? undefined : advisorMaxCpuPercent / 100,
  ),
  setting(
    'advisor_target_scan_seconds',
    'Time in which the advisor wants all memory scanned once',
    'advisor_target_scan_time',
    ({ advisorTargetScanSeconds }) => advisorTargetScanSeconds,
  ),
  counter(
    'kvm_ksm_copied_on_write_bytes_total',
    'Merged memory that was copied because a guest wrote to it (/proc/vmstat cow_ksm, times the ' +
      'page size).',
    {},
    ({ snapshot }, sample) => {
      sample('', vmstatBytes(snapshot.host, 'cow_ksm'));
    },
  ),
  counter(
    'kvm_ksm_swap_in_copied_bytes_total',
    'Merged memory that came back from swap as a copy of its own (/proc/vmstat ksm_swpin_copy, ' +
      'times the page size).',
    {},
    ({ snapshot }, sample) => {
      sample('', vmstatBytes(snapshot.host, 'ksm_swpin_copy'));
    },
  ),
];

type ValueOf = (ksm: Ksm) => number | undefined;

function setting(name: string, meaning: string, file: string, valueOf: ValueOf): Metric {
  return gauge(
    `kvm_ksm_${name}`,
    `${meaning} (/sys/kernel/mm/ksm/${file}).`,
    {},
    ({ snapshot }, sample) => {
      const { ksm } = snapshot.host;
      sample('', ksm === undefined ? undefined : valueOf(ksm));
    },
  );
}

function pages(name: string, meaning: string, file: string, pagesOf: ValueOf): Metric {
  return gauge(
    `kvm_ksm_${name}_bytes`,
    `${meaning} (/sys/kernel/mm/ksm/${file}, times the page size).`,
    {},
    ({ snapshot }, sample) => {
      sample('', toBytes(snapshot.host, pagesOf));
    },
  );
}

function pagesCounter(name: string, meaning: string, file: string, pagesOf: ValueOf): Metric {
  return counter(
    `kvm_ksm_${name}_bytes_total`,
    `${meaning} (/sys/kernel/mm/ksm/${file}, times the page size).`,
    {},
    ({ snapshot }, sample) => {
      sample('', toBytes(snapshot.host, pagesOf));
    },
  );
}

function toBytes({ ksm, pageBytes }: Host, pagesOf: ValueOf): number | undefined {
  const count = ksm === undefined ? undefined : pagesOf(ksm);
  return count === undefined ? undefined : count * pageBytes;
}

function savedBytes(host: Host): number | undefined {
  const savings = computeKsmSavings(host);
  return savings && savings.sharingBytes + savings.zeroBytes;
}

function computedProfit(host: Host): number | undefined {
  const saved = savedBytes(host);
  if (saved === undefined || host.ksm === undefined) return undefined;
  const { pagesShared, pagesSharing, pagesUnshared, pagesVolatile } = host.ksm;
  if (pagesShared === undefined || pagesSharing === undefined) return undefined;
  if (pagesUnshared === undefined || pagesVolatile === undefined) return undefined;
  const records = pagesShared + pagesSharing + pagesUnshared + pagesVolatile;
  return saved - RMAP_ITEM_BYTES * records;
}

function vmstatBytes(
  { vmstat, pageBytes }: Host,
  field: 'cow_ksm' | 'ksm_swpin_copy',
): bigint | undefined {
  const count = vmstat?.counters.get(field);
  return count === undefined ? undefined : count * BigInt(pageBytes);
}
