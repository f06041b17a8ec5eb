import { readKernelFile } from '../kernel/kernel-file.ts';
import { parseDecimal } from '../kernel/kernel-text.ts';
import { failed, Faults, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { ZfsArc } from '../../model/host-memory.ts';

const EVICTABLE = [
  'mru_evictable_data',
  'mru_evictable_metadata',
  'mfu_evictable_data',
  'mfu_evictable_metadata',
] as const;

/** `absent` where ZFS is not loaded. */
export function readZfsArc(roots: Roots): Result<ZfsArc> {
  const path = `${roots.procfs}/spl/kstat/zfs/arcstats`;
  const text = readKernelFile(path);
  return text.ok ? parseArcStats(text.value, path) : text;
}

/** Two lines of heading, then `name type value` (OpenZFS, module/os/linux/spl/spl-kstat.c). */
export function parseArcStats(text: string, subject: string): Result<ZfsArc> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^(\w+)\s+\d+\s+(-?\d+)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) values.set(name, value);
  }
  const faults = new Faults();
  const number = (name: string): number | undefined =>
    faults.field(values.get(name), parseDecimal, subject, name);
  const sizeBytes = number('size');
  const minimumBytes = number('c_min');
  const maximumBytes = number('c_max');
  if (sizeBytes === undefined || minimumBytes === undefined || maximumBytes === undefined) {
    return failed('malformed', subject, 'no size, c_min or c_max');
  }
  let evictableBytes: number | undefined = 0;
  for (const name of EVICTABLE) {
    const part = number(name);
    evictableBytes =
      part === undefined || evictableBytes === undefined ? undefined : evictableBytes + part;
  }
  return faults.found({
    sizeBytes,
    minimumBytes,
    maximumBytes,
    reclaimableBytes:
      evictableBytes === undefined
        ? undefined
        : Math.max(0, Math.min(evictableBytes, sizeBytes - minimumBytes)),
  });
}
