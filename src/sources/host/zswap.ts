import { readKernelFile, readKernelInteger, readKernelValue } from '../kernel/kernel-file.ts';
import { parseSwitch } from '../kernel/kernel-text.ts';
import { failed, Faults, type Reading } from '../../runtime/reading.ts';
import type { Roots } from '../kernel/roots.ts';

/**
 * zswap: a compressed cache in RAM before the swap device
 * (Documentation/admin-guide/mm/zswap.rst). Its pool size is in meminfo (Zswap, Zswapped), its
 * traffic in vmstat (zswpin, zswpout, zswpwb).
 */
export interface Zswap {
  readonly enabled: boolean;
  readonly compressor: string | undefined;
  /** Percent of RAM the pool may take. */
  readonly maxPoolPercent: number | undefined;
  /** Below this percentage of the full pool it takes pages again. */
  readonly acceptThresholdPercent: number | undefined;
  /** Writes cold pages back before the pool is full (since 6.8). */
  readonly shrinkerEnabled: boolean | undefined;
  /** Undefined where debugfs is not mounted or not for us: root only. */
  readonly debug: ZswapDebug | undefined;
}

/** `/sys/kernel/debug/zswap`: no stable interface, so each may be missing. */
export interface ZswapDebug {
  readonly poolBytes: number | undefined;
  readonly storedPages: number | undefined;
  /** Counters. */
  readonly writtenBackPages: number | undefined;
  readonly poolLimitHits: number | undefined;
  readonly rejectedCompressPoor: number | undefined;
  readonly rejectedReclaimFail: number | undefined;
}

/** `absent` on kernels without zswap. */
export function readZswap(roots: Roots): Reading<Zswap> {
  const directory = `${roots.sysfs}/module/zswap/parameters`;
  const text = readKernelFile(`${directory}/enabled`);
  if (!text.ok) return text;
  const enabled = parseSwitch(text.value);
  if (enabled === undefined) return failed('malformed', `${directory}/enabled`, 'not Y or N');
  const faults = new Faults();
  const number = (file: string): number | undefined =>
    faults.optional(readKernelInteger(`${directory}/${file}`));
  return faults.found({
    enabled,
    compressor: faults.optional(readKernelValue(`${directory}/compressor`, parseAlgorithm)),
    maxPoolPercent: number('max_pool_percent'),
    acceptThresholdPercent: number('accept_threshold_percent'),
    shrinkerEnabled: faults.optional(readKernelValue(`${directory}/shrinker_enabled`, parseSwitch)),
    debug: readZswapDebug(`${roots.sysfs}/kernel/debug/zswap`, faults),
  });
}

/** A name of crypto/, as `lzo-rle` or `842`. */
function parseAlgorithm(text: string): string | undefined {
  return /^([a-z\d-]{1,63})\n$/.exec(text)?.[1];
}

function readZswapDebug(directory: string, faults: Faults): ZswapDebug | undefined {
  // debugfs is root's.
  const number = (file: string): number | undefined =>
    faults.permitted(readKernelInteger(`${directory}/${file}`));
  const storedPages = number('stored_pages');
  if (storedPages === undefined) return undefined;
  return {
    poolBytes: number('pool_total_size'),
    storedPages,
    writtenBackPages: number('written_back_pages'),
    poolLimitHits: number('pool_limit_hit'),
    rejectedCompressPoor: number('reject_compress_poor'),
    rejectedReclaimFail: number('reject_reclaim_fail'),
  };
}
