import { readKernelFile, readKernelInteger, readKernelValue } from '../kernel/kernel-file.ts';
import { parseSwitch } from '../kernel/kernel-text.ts';
import { failed, Faults, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { Zswap, ZswapDebug } from '../../model/host-memory.ts';

/** `absent` on kernels without zswap. */
export function readZswap(roots: Roots): Result<Zswap> {
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
