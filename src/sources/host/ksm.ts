import { listKernelDirectory, readKernelFile } from '../kernel/kernel-file.ts';
import {
  parseChoice,
  parseDecimal,
  parseSignedDecimal,
  parseSwitch,
} from '../kernel/kernel-text.ts';
import { failed, Faults, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { Ksm } from '../../model/host-memory.ts';

/** `absent` on kernels without CONFIG_KSM. */
export function readKsm(roots: Roots): Result<Ksm> {
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
): Result<Ksm> {
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
