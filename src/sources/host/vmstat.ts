import { readKernelFile } from '../kernel/kernel-file.ts';
import { parseBigDecimal, parseKeyedLines } from '../kernel/kernel-text.ts';
import { failed, Faults, inShort, type Reading } from '../../runtime/reading.ts';
import type { Roots } from '../kernel/roots.ts';

/**
 * Event counters of the host's memory management from `/proc/vmstat` (mm/vmstat.c, vmstat_text).
 * Names are the kernel's; units are events, or pages where the comment says so.
 */
export const VMSTAT_COUNTERS = [
  // Swap, in pages. Hits in zswap and all-zero pages are not in pswpin and pswpout.
  'pswpin',
  'pswpout',
  'zswpin',
  'zswpout',
  'zswpwb',
  'swpin_zero',
  'swpout_zero',
  'swap_ra',
  'swap_ra_hit',
  // Faults.
  'pgfault',
  'pgmajfault',
  'oom_kill',
  // Reclaim, in pages. *_proactive are newer than 6.12; before, they counted as direct.
  'pgscan_kswapd',
  'pgscan_direct',
  'pgscan_khugepaged',
  'pgscan_proactive',
  'pgscan_direct_throttle',
  'pgscan_anon',
  'pgscan_file',
  'pgsteal_kswapd',
  'pgsteal_direct',
  'pgsteal_khugepaged',
  'pgsteal_proactive',
  'pgsteal_anon',
  'pgsteal_file',
  'pageoutrun',
  'kswapd_low_wmark_hit_quickly',
  'kswapd_high_wmark_hit_quickly',
  'slabs_scanned',
  // Pages which came back after being evicted.
  'workingset_refault_anon',
  'workingset_refault_file',
  'workingset_activate_anon',
  'workingset_activate_file',
  'workingset_restore_anon',
  'workingset_restore_file',
  'workingset_nodereclaim',
  // Transparent huge pages, in huge pages.
  'thp_fault_alloc',
  'thp_fault_fallback',
  'thp_collapse_alloc',
  'thp_collapse_alloc_failed',
  'thp_split_page',
  'thp_split_page_failed',
  'thp_deferred_split_page',
  'thp_underused_split_page',
  'thp_split_pmd',
  'thp_swpout',
  'thp_swpout_fallback',
  // Compaction: what making huge pages costs.
  'compact_stall',
  'compact_fail',
  'compact_success',
  'compact_migrate_scanned',
  'compact_free_scanned',
  'compact_daemon_wake',
  // NUMA, in pages.
  'numa_hit',
  'numa_miss',
  'numa_foreign',
  'numa_local',
  'numa_other',
  'numa_pte_updates',
  'numa_hint_faults',
  'numa_hint_faults_local',
  'numa_pages_migrated',
  'pgmigrate_success',
  'pgmigrate_fail',
  // KSM: pages copied because a guest wrote to a merged one, or brought in from swap.
  'cow_ksm',
  'ksm_swpin_copy',
] as const;

export type VmstatCounter = (typeof VMSTAT_COUNTERS)[number];

export interface Vmstat {
  /** A counter this kernel does not have is not in here. */
  readonly counters: ReadonlyMap<VmstatCounter, bigint>;
  /**
   * Times a task had to reclaim memory itself before its allocation could succeed (`allocstall_*`),
   * by memory zone (dma32, normal, movable …).
   */
  readonly directReclaimsByZone: ReadonlyMap<string, bigint>;
  /** The sum over zones; undefined where there is no such counter. */
  readonly directReclaims: bigint | undefined;
}

/** Reads `/proc/vmstat`. */
export function readVmstat(roots: Roots): Reading<Vmstat> {
  const path = `${roots.procfs}/vmstat`;
  const text = readKernelFile(path);
  return text.ok ? parseVmstat(text.value, path) : text;
}

/** Counted by every kernel that counts events: where one is missing, the text was cut off. */
const ALWAYS_THERE = ['pgmajfault', 'slabs_scanned', 'pageoutrun'];

const ALLOCSTALL = 'allocstall_';

/** Before 4.8 reclaim was by memory zone: `pgscan_kswapd_normal` (include/linux/vm_event_item.h). */
const ONCE_BY_ZONE = [
  'pgscan_kswapd',
  'pgscan_direct',
  'pgsteal_kswapd',
  'pgsteal_direct',
] as const;
const ZONES = ['dma', 'dma32', 'normal', 'high', 'movable', 'device'] as const;

/** Before 5.9 only pages of files were followed, without saying so in the name. */
const ONCE_OF_FILES = [
  ['workingset_refault_file', 'workingset_refault'],
  ['workingset_activate_file', 'workingset_activate'],
  ['workingset_restore_file', 'workingset_restore'],
] as const;

export function parseVmstat(text: string, subject: string): Reading<Vmstat> {
  const values = parseKeyedLines(text);
  const faults = new Faults();
  const directReclaimsByZone = new Map<string, bigint>();
  for (const [key, value] of values) {
    if (!key.startsWith(ALLOCSTALL)) continue;
    const count = parseBigDecimal(value);
    // A sum without one of its parts would be too small.
    if (count === undefined) return failed('malformed', subject, `${key}: ${inShort(value)}`);
    directReclaimsByZone.set(key.slice(ALLOCSTALL.length), count);
  }
  const counters = new Map<VmstatCounter, bigint>();
  for (const name of VMSTAT_COUNTERS) {
    const count = faults.field(values.get(name), parseBigDecimal, subject, name);
    if (count !== undefined) counters.set(name, count);
  }
  for (const name of ONCE_BY_ZONE) {
    if (values.has(name)) continue;
    const parts = ZONES.filter((zone) => values.has(`${name}_${zone}`)).map((zone) =>
      faults.field(values.get(`${name}_${zone}`), parseBigDecimal, subject, `${name}_${zone}`),
    );
    const known = parts.filter((part) => part !== undefined);
    // A sum without one of its parts would be too small.
    if (parts.length === 0 || known.length < parts.length) continue;
    counters.set(
      name,
      known.reduce((sum, part) => sum + part, 0n),
    );
  }
  for (const [name, former] of ONCE_OF_FILES) {
    if (values.has(name)) continue;
    const count = faults.field(values.get(former), parseBigDecimal, subject, former);
    if (count !== undefined) counters.set(name, count);
  }
  if (!counters.has('pgfault')) {
    return failed('malformed', subject, 'no pgfault: not vmstat, or no CONFIG_VM_EVENT_COUNTERS');
  }
  for (const key of ALWAYS_THERE) if (!values.has(key)) faults.malformed(subject, `no ${key}`);
  const zones = [...directReclaimsByZone.values()];
  return faults.found({
    counters,
    directReclaimsByZone,
    directReclaims:
      zones.length === 0
        ? faults.field(values.get('allocstall'), parseBigDecimal, subject, 'allocstall') // before 4.10: one for all zones
        : zones.reduce((sum, count) => sum + count, 0n),
  });
}
