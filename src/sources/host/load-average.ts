import { readKernelFile } from '../kernel/kernel-file.ts';
import { failed, found, type Reading } from '../../runtime/reading.ts';
import type { Roots } from '../kernel/roots.ts';

/**
 * Mean number of tasks running, waiting for a CPU or in uninterruptible sleep (proc_loadavg(5)). A
 * busy vCPU counts as one task.
 */
export interface LoadAverage {
  readonly oneMinute: number;
  readonly fiveMinutes: number;
  readonly fifteenMinutes: number;
}

/** Reads `/proc/loadavg`. */
export function readLoadAverage(roots: Roots): Reading<LoadAverage> {
  const path = `${roots.procfs}/loadavg`;
  const text = readKernelFile(path);
  return text.ok ? parseLoadAverage(text.value, path) : text;
}

export function parseLoadAverage(text: string, subject: string): Reading<LoadAverage> {
  const match = /^(\d{1,12}\.\d\d) (\d{1,12}\.\d\d) (\d{1,12}\.\d\d) /.exec(text);
  if (match === null) return failed('malformed', subject, 'not three averages');
  const [, one, five, fifteen] = match;
  return found({
    oneMinute: Number(one),
    fiveMinutes: Number(five),
    fifteenMinutes: Number(fifteen),
  });
}
