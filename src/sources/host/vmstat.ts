import { readKernelFile } from '../kernel/kernel-file.ts';
import { parseBigDecimal, parseKeyedLines } from '../kernel/kernel-text.ts';
import { failed, Faults, inShort, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import { type Vmstat, VMSTAT_COUNTERS, type VmstatCounter } from '../../model/host-memory.ts';

/** Reads `/proc/vmstat`. */
export function readVmstat(roots: Roots): Result<Vmstat> {
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

export function parseVmstat(text: string, subject: string): Result<Vmstat> {
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
