import { listKernelDirectory, readKernelFile } from './kernel-file.ts';
import { parseChoice, parseDecimal, parseSignedDecimal, parseSwitch } from './kernel-text.ts';
import { failed, Faults, type Reading } from './reading.ts';
import type { Roots } from './roots.ts';

/**
 * Kernel same-page merging on the host, `/sys/kernel/mm/ksm`
 * (Documentation/admin-guide/mm/ksm.rst). Undefined: this kernel does not have the file. Page counts
 * are base pages.
 */
export interface Ksm {
  /** 0 stopped with merged pages kept, 1 running, 2 stopped and everything un-merged. */
  readonly run: number;
  readonly pagesToScan: number | undefined;
  /** Pause between two batches of pagesToScan. */
  readonly sleepSeconds: number | undefined;
  readonly mergeAcrossNodes: boolean | undefined;
  readonly useZeroPages: boolean | undefined;
  /** At most so many mappings share one page; more get another copy. */
  readonly maxPageSharing: number | undefined;
  readonly stableNodeChainsPruneSeconds: number | undefined;
  /** Skips pages which did not merge before (since 6.7). */
  readonly smartScan: boolean | undefined;

  /** Merged pages which exist: the cost, not the saving. */
  readonly pagesShared: number | undefined;
  /** Further mappings of them: pages saved. */
  readonly pagesSharing: number | undefined;
  /** Unique, scanned again and again. */
  readonly pagesUnshared: number | undefined;
  /** Change too fast to be merged. */
  readonly pagesVolatile: number | undefined;
  /** Counter (newer than 6.1). */
  readonly pagesScanned: number | undefined;
  /** Counter: passed over by smartScan. */
  readonly pagesSkipped: number | undefined;
  /** Replaced by the kernel's zero page: saved too, and no longer in the resident sizes. */
  readonly zeroPages: number | undefined;
  /** Counter. */
  readonly fullScans: number | undefined;
  readonly stableNodeChains: number | undefined;
  readonly stableNodeDuplicates: number | undefined;
  /** Saved memory minus KSM's own tracking structures; may be negative (since 6.4). */
  readonly generalProfitBytes: number | undefined;

  /** `none` or `scan-time`, which then sets pagesToScan itself (since 6.8). */
  readonly advisorMode: string | undefined;
  /** Percent of one CPU. */
  readonly advisorMaxCpuPercent: number | undefined;
  readonly advisorMinPagesToScan: number | undefined;
  readonly advisorMaxPagesToScan: number | undefined;
  readonly advisorTargetScanSeconds: number | undefined;
}

/** `absent` on kernels without CONFIG_KSM. */
export function readKsm(roots: Roots): Reading<Ksm> {
  const directory = `${roots.sysfs}/kernel/mm/ksm`;
  const names = listKernelDirectory(directory);
  if (!names.ok) return names;
  const faults = new Faults();
  const files = new Map<string, string>();
  for (const name of names.value) {
    const text = faults.optional(readKernelFile(`${directory}/${name}`));
    if (text !== undefined) files.set(name, text);
  }
  return parseKsm(files, directory, faults);
}

/** From the files of the directory, by name. */
export function parseKsm(
  files: ReadonlyMap<string, string>,
  subject: string,
  faults = new Faults(),
): Reading<Ksm> {
  const field = <T>(name: string, parse: (text: string) => T | undefined): T | undefined =>
    faults.field(files.get(name), parse, subject, name);
  const number = (name: string): number | undefined => field(name, parseDecimal);
  const milliseconds = (name: string): number | undefined => {
    const value = number(name);
    return value === undefined ? undefined : value / 1000;
  };
  const run = number('run');
  if (run === undefined) return failed('malformed', subject, 'run is missing or not a number');
  return faults.found({
    run,
    pagesToScan: number('pages_to_scan'),
    sleepSeconds: milliseconds('sleep_millisecs'),
    mergeAcrossNodes: field('merge_across_nodes', parseSwitch),
    useZeroPages: field('use_zero_pages', parseSwitch),
    maxPageSharing: number('max_page_sharing'),
    stableNodeChainsPruneSeconds: milliseconds('stable_node_chains_prune_millisecs'),
    smartScan: field('smart_scan', parseSwitch),
    pagesShared: number('pages_shared'),
    pagesSharing: number('pages_sharing'),
    pagesUnshared: number('pages_unshared'),
    pagesVolatile: number('pages_volatile'),
    pagesScanned: number('pages_scanned'),
    pagesSkipped: number('pages_skipped'),
    zeroPages: number('ksm_zero_pages'),
    fullScans: number('full_scans'),
    stableNodeChains: number('stable_node_chains'),
    stableNodeDuplicates: number('stable_node_dups'),
    generalProfitBytes: field('general_profit', parseSignedDecimal),
    advisorMode: field('advisor_mode', parseChoice),
    advisorMaxCpuPercent: number('advisor_max_cpu'),
    advisorMinPagesToScan: number('advisor_min_pages_to_scan'),
    advisorMaxPagesToScan: number('advisor_max_pages_to_scan'),
    advisorTargetScanSeconds: number('advisor_target_scan_time'),
  });
}
