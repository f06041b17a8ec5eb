import { readKernelFile } from '../kernel/kernel-file.ts';
import { failed, found, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { LoadAverage } from '../../model/host-cpu.ts';

/** Reads `/proc/loadavg`. */
export function readLoadAverage(roots: Roots): Result<LoadAverage> {
  const path = `${roots.procfs}/loadavg`;
  const text = readKernelFile(path);
  return text.ok ? parseLoadAverage(text.value, path) : text;
}

export function parseLoadAverage(text: string, subject: string): Result<LoadAverage> {
  const match = /^(\d{1,12}\.\d\d) (\d{1,12}\.\d\d) (\d{1,12}\.\d\d) /.exec(text);
  if (match === null) return failed('malformed', subject, 'not three averages');
  const [, one, five, fifteen] = match;
  return found({
    oneMinute: Number(one),
    fiveMinutes: Number(five),
    fifteenMinutes: Number(fifteen),
  });
}
