import { readKernelFile, readKernelInteger, readKernelValue } from '../kernel/kernel-file.ts';
import { kibibytesToBytes, parseDecimal } from '../kernel/kernel-text.ts';
import { failed, Faults, type Reading } from '../../runtime/reading.ts';
import type { Roots } from '../kernel/roots.ts';

/**
 * Kernel settings which decide what over-committed memory and CPU statistics mean
 * (Documentation/admin-guide/sysctl/vm.rst and kernel.rst). Undefined: not on this kernel.
 */
export interface MemorySysctl {
  /** vm.overcommit_memory: 0 heuristic, 1 always, 2 never beyond CommitLimit. */
  readonly overcommitMode: number;
  /** vm.overcommit_ratio, percent of RAM; counts in mode 2, unless overcommitBytes is set. */
  readonly overcommitRatioPercent: number | undefined;
  /** vm.overcommit_kbytes; undefined while 0, i.e. the ratio counts. */
  readonly overcommitBytes: number | undefined;
  /** vm.swappiness, 0…200. */
  readonly swappiness: number | undefined;
  /** vm.min_free_kbytes: below it only the kernel itself gets memory. */
  readonly minFreeBytes: number | undefined;
  /** kernel.numa_balancing: 0 off, 1 on, 2 memory tiering, 3 both. */
  readonly numaBalancing: number | undefined;
  /** kernel.sched_schedstats: without it, wait_sum of libvirt's vcpu.<n>.wait stays 0. */
  readonly schedulerStatistics: boolean | undefined;
}

/** Reads /proc/sys. */
export function readMemorySysctl(roots: Roots): Reading<MemorySysctl> {
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
