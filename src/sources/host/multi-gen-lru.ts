import { readKernelFile, readKernelInteger } from '../kernel/kernel-file.ts';
import { failed, Faults, type Reading } from '../../runtime/reading.ts';
import type { Roots } from '../kernel/roots.ts';

/** The multi-generational LRU (Documentation/admin-guide/mm/multigen_lru.rst). */
export interface MultiGenLru {
  readonly enabled: boolean;
  /** Clears accessed bits in leaf page tables in batches: what makes ageing guests cheap. */
  readonly leafAgeing: boolean;
  /** And in non-leaf ones. */
  readonly nonLeafAgeing: boolean;
  /** Memory used in this last time is not evicted, the OOM killer acts instead; undefined: off. */
  readonly minimumAgeSeconds: number | undefined;
}

/** Reads `/sys/kernel/mm/lru_gen`. `absent` on kernels without it (before 6.1, or not built in). */
export function readMultiGenLru(roots: Roots): Reading<MultiGenLru> {
  const directory = `${roots.sysfs}/kernel/mm/lru_gen`;
  const path = `${directory}/enabled`;
  const text = readKernelFile(path);
  if (!text.ok) return text;
  const bits = /^0x([0-9a-f]{1,8})\s*$/.exec(text.value)?.[1];
  if (bits === undefined) return failed('malformed', path, 'not a hexadecimal bit mask');
  const mask = Number.parseInt(bits, 16);
  const faults = new Faults();
  const milliseconds = faults.optional(readKernelInteger(`${directory}/min_ttl_ms`));
  return faults.found({
    enabled: (mask & 1) !== 0,
    leafAgeing: (mask & 2) !== 0,
    nonLeafAgeing: (mask & 4) !== 0,
    minimumAgeSeconds:
      milliseconds === undefined || milliseconds === 0 ? undefined : milliseconds / 1000,
  });
}
