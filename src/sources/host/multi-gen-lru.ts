import { readKernelFile, readKernelInteger } from '../kernel/kernel-file.ts';
import { failed, Faults, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { MultiGenLru } from '../../model/host-memory.ts';

/** Reads `/sys/kernel/mm/lru_gen`. `absent` on kernels without it (before 6.1, or not built in). */
export function readMultiGenLru(roots: Roots): Result<MultiGenLru> {
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
