import { readKernelFile, readKernelValue } from '../kernel/kernel-file.ts';
import {
  kibibytesToBytes,
  parseDecimal,
  parseSignedDecimal,
  unescapeOctal,
} from '../kernel/kernel-text.ts';
import { failed, Faults, found, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { SwapArea, ZramUsage } from '../../model/host-memory.ts';

/** Reads `/proc/swaps` and, for zram, the device's mm_stat. Empty: no swap. */
export function readSwapAreas(roots: Roots): Result<readonly SwapArea[]> {
  const path = `${roots.procfs}/swaps`;
  const text = readKernelFile(path);
  if (!text.ok) return text;
  const areas = parseSwaps(text.value, path);
  if (!areas.ok) return areas;
  const faults = new Faults();
  return faults.found(
    areas.value.map((area) => {
      if (area.kind !== 'zram') return area;
      const device = area.path.slice(area.path.lastIndexOf('/') + 1);
      const stat = `${roots.sysfs}/block/${device}/mm_stat`;
      return { ...area, zram: faults.optional(readKernelValue(stat, parseZramUsage)) };
    }),
  );
}

/** `/dev/dm-1 partition 8388604 1024 -2` under a heading, sizes in KiB. */
export function parseSwaps(text: string, subject: string): Result<readonly SwapArea[]> {
  const [heading = '', ...lines] = text.split('\n');
  if (!heading.startsWith('Filename')) return failed('malformed', subject, 'no heading');
  const areas: SwapArea[] = [];
  for (const line of lines) {
    if (line === '') continue;
    const [name = '', type, size, used, priorityText] = line.trim().split(/\s+/);
    const sizeBytes = parseBytes(size);
    const usedBytes = parseBytes(used);
    const priority = parseSignedDecimal(priorityText);
    if (sizeBytes === undefined || usedBytes === undefined || priority === undefined) {
      return failed('malformed', subject, `not a swap area: ${line}`);
    }
    const path = unescapeOctal(name);
    areas.push({
      path,
      kind: /^\/dev\/zram\d+$/.test(path) ? 'zram' : type === 'file' ? 'file' : 'partition',
      sizeBytes,
      usedBytes,
      priority,
      zram: undefined,
    });
  }
  return found(areas);
}

function parseBytes(kibibytes: string | undefined): number | undefined {
  const value = parseDecimal(kibibytes);
  return value === undefined ? undefined : kibibytesToBytes(value);
}

/** `orig_data_size compr_data_size mem_used_total mem_limit …`. */
export function parseZramUsage(text: string): ZramUsage | undefined {
  const [originalBytes, compressedBytes, memoryBytes, limit] = text
    .trim()
    .split(/\s+/)
    .map(parseDecimal);
  if (originalBytes === undefined || compressedBytes === undefined || memoryBytes === undefined) {
    return undefined;
  }
  return {
    originalBytes,
    compressedBytes,
    memoryBytes,
    memoryLimitBytes: limit === 0 ? undefined : limit,
  };
}
