import { readKernelFile, readKernelInteger, readKernelValue } from '../kernel/kernel-file.ts';
import { parseChoice, parseSwitch } from '../kernel/kernel-text.ts';
import { failed, Faults, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { TransparentHugePages } from '../../model/host-memory.ts';

/** `absent` on kernels without them. */
export function readTransparentHugePages(roots: Roots): Result<TransparentHugePages> {
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
