import { readKernelFile, readKernelInteger, readKernelValue } from '../kernel/kernel-file.ts';
import { kibibytesToBytes, parseDecimal } from '../kernel/kernel-text.ts';
import { failed, Faults, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { MemorySysctl } from '../../model/host-memory.ts';

/** Reads /proc/sys. */
export function readMemorySysctl(roots: Roots): Result<MemorySysctl> {
  const path = `${roots.procfs}/sys/vm/overcommit_memory`;
  const text = readKernelFile(path);
  if (!text.ok) return text;
  const overcommitMode = parseDecimal(text.value);
  if (overcommitMode === undefined) return failed('malformed', path, 'not a number');
  const faults = new Faults();
  const number = (name: string): number | undefined =>
    faults.optional(readKernelInteger(`${roots.procfs}/sys/${name}`));
  const bytes = (name: string): number | undefined =>
    faults.optional(
      readKernelValue(`${roots.procfs}/sys/${name}`, (text) => {
        const kibibytes = parseDecimal(text);
        return kibibytes === undefined ? undefined : kibibytesToBytes(kibibytes);
      }),
    );
  const overcommitBytes = bytes('vm/overcommit_kbytes');
  const schedulerStatistics = number('kernel/sched_schedstats');
  return faults.found({
    overcommitMode,
    overcommitRatioPercent: number('vm/overcommit_ratio'),
    overcommitBytes: overcommitBytes === 0 ? undefined : overcommitBytes,
    swappiness: number('vm/swappiness'),
    minFreeBytes: bytes('vm/min_free_kbytes'),
    numaBalancing: number('kernel/numa_balancing'),
    schedulerStatistics: schedulerStatistics === undefined ? undefined : schedulerStatistics !== 0,
  });
}
