import { readKernelRecord } from '../kernel/kernel-file.ts';
import { decimalAt, digitsEnd, lineEnd, lineStart } from '../kernel/kernel-scan.ts';
import { microsecondsToSeconds } from '../../runtime/kernel-time.ts';
import { failed, Faults, found, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { Pressure, PressureResource } from '../../model/pressure.ts';

/**
 * Host-wide pressure, `/proc/pressure/<resource>`. `absent` without CONFIG_PSI or with `psi=0`;
 * `unsupported` where the file is there but reading it gives EOPNOTSUPP, as on kernels built with
 * CONFIG_PSI_DEFAULT_DISABLED and booted without `psi=1`.
 */
export function readHostPressure(roots: Roots, resource: PressureResource): Result<Pressure> {
  const pressure = readPressureFile(`${roots.procfs}/pressure/${resource}`);
  if (!pressure.ok || resource !== 'cpu') return pressure;
  return found({ someSeconds: pressure.value.someSeconds, fullSeconds: undefined });
}

/**
 * Pressure of the tasks of one cgroup v2 directory. The files exist in every group of the unified
 * hierarchy but the root, also on hybrid hosts where the controllers themselves are v1. `absent` also
 * when switched off for the group: writing 0 to cgroup.pressure (6.1+) hides them.
 */
export function readCgroupPressure(
  unifiedDirectory: string,
  resource: PressureResource,
): Result<Pressure> {
  return readPressureFile(`${unifiedDirectory}/${resource}.pressure`);
}

function readPressureFile(path: string): Result<Pressure> {
  const text = readKernelRecord(path);
  return text.ok ? parsePressure(text.value, path) : text;
}

const TOTAL = ' total=';

/** `some avg10=0.34 avg60=0.67 avg300=0.92 total=14140586`, total in microseconds. */
export function parsePressure(text: string, subject: string): Result<Pressure> {
  const someSeconds = parseTotal(text, 'some');
  if (someSeconds === undefined) return failed('malformed', subject, 'no total of "some"');
  const faults = new Faults();
  const fullSeconds = parseTotal(text, 'full');
  if (fullSeconds === undefined && lineStart(text, 'full') !== -1) {
    faults.malformed(subject, 'no total of "full"');
  }
  return faults.found({ someSeconds, fullSeconds });
}

function parseTotal(text: string, kind: string): number | undefined {
  const start = lineStart(text, kind);
  if (start === -1) return undefined;
  const end = lineEnd(text, start);
  const at = text.indexOf(TOTAL, start);
  if (at === -1 || at > end) return undefined;
  if (digitsEnd(text, at + TOTAL.length) !== end) return undefined;
  const microseconds = decimalAt(text, at + TOTAL.length);
  return microseconds === undefined ? undefined : microsecondsToSeconds(microseconds);
}
