import { listKernelDirectory } from '../kernel/kernel-file.ts';
import { found, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';

/** The processes of the host, by pid: the numbers among the names in /proc (proc(5)). */
export function listPids({ procfs }: Roots): Result<Set<number>> {
  const names = listKernelDirectory(procfs);
  if (!names.ok) return names;
  return found(
    new Set(names.value.map(Number).filter((pid) => Number.isSafeInteger(pid) && pid > 0)),
  );
}
