import { readKernelFile, readKernelInteger, readKernelValue } from '../kernel/kernel-file.ts';
import { parseChoice, parseSwitch } from '../kernel/kernel-text.ts';
import { failed, Faults, type Reading } from '../../runtime/reading.ts';
import type { Roots } from '../kernel/roots.ts';

/**
 * Settings and counters of transparent huge pages, `/sys/kernel/mm/transparent_hugepage`
 * (Documentation/admin-guide/mm/transhuge.rst).
 */
export interface TransparentHugePages {
  /** `always`, `madvise` (QEMU asks for it) or `never`. */
  readonly enabled: string;
  /** What an allocation does to get one: `always`, `defer`, `defer+madvise`, `madvise`, `never`. */
  readonly defrag: string | undefined;
  /** For memfd and tmpfs: `always`, `within_size`, `advise`, `never`, `deny`, `force`. */
  readonly sharedMemoryEnabled: string | undefined;
  /** Size of one, 2 MiB on x86. */
  readonly pageBytes: number | undefined;
  readonly khugepaged: {
    readonly defrag: boolean | undefined;
    readonly pagesToScan: number | undefined;
    readonly scanSleepSeconds: number | undefined;
    /** Counters. */
    readonly pagesCollapsed: number | undefined;
    readonly fullScans: number | undefined;
    /** How many of a huge page's base pages may be empty, i.e. how much a collapse may grow RSS. */
    readonly maxEmptyPages: number | undefined;
  };
}

/** `absent` on kernels without them. */
export function readTransparentHugePages(roots: Roots): Reading<TransparentHugePages> {
  const directory = `${roots.sysfs}/kernel/mm/transparent_hugepage`;
  const text = readKernelFile(`${directory}/enabled`);
  if (!text.ok) return text;
  const enabled = parseChoice(text.value);
  if (enabled === undefined) return failed('malformed', `${directory}/enabled`, 'nothing chosen');
  const faults = new Faults();
  const choice = (file: string): string | undefined =>
    faults.optional(readKernelValue(`${directory}/${file}`, parseChoice));
  const number = (file: string): number | undefined =>
    faults.optional(readKernelInteger(`${directory}/${file}`));
  const sleepMilliseconds = number('khugepaged/scan_sleep_millisecs');
  return faults.found({
    enabled,
    defrag: choice('defrag'),
    sharedMemoryEnabled: choice('shmem_enabled'),
    pageBytes: number('hpage_pmd_size'),
    khugepaged: {
      defrag: faults.optional(readKernelValue(`${directory}/khugepaged/defrag`, parseSwitch)),
      pagesToScan: number('khugepaged/pages_to_scan'),
      scanSleepSeconds: sleepMilliseconds === undefined ? undefined : sleepMilliseconds / 1000,
      pagesCollapsed: number('khugepaged/pages_collapsed'),
      fullScans: number('khugepaged/full_scans'),
      maxEmptyPages: number('khugepaged/max_ptes_none'),
    },
  });
}
