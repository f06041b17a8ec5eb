import { readKernelRecord, readKernelValue } from '../kernel/kernel-file.ts';
import { lineDecimal, lineField } from '../kernel/kernel-scan.ts';
import { microsecondsToSeconds } from '../../runtime/kernel-time.ts';
import { Faults, type Result } from '../../runtime/result.ts';
import type { CgroupDetail } from '../../model/cgroup.ts';
import type { CgroupDirectory } from './cgroup.ts';
import { parseMemoryLimit } from './memory.ts';

/**
 * What few need to know of a guest's group, of which only cgroup v2 tells (cgroup-v2.rst): cpu.stat,
 * memory.low, memory.events and memory.swap.events. What the kernel does not have is undefined; what is
 * there and makes no sense is a fault.
 */
export function readCgroupDetail(
  cpu: CgroupDirectory | undefined,
  memory: CgroupDirectory | undefined,
): Result<CgroupDetail> {
  const faults = new Faults();
  const fields = (
    directory: CgroupDirectory | undefined,
    file: string,
  ): ((key: string) => number | undefined) | undefined => {
    if (directory?.version !== 2) return undefined;
    const path = `${directory.path}/${file}`;
    const text = faults.optional(readKernelRecord(path));
    if (text === undefined) return undefined;
    return (key) => lineField(text, key, lineDecimal, faults, path);
  };
  const stat = fields(cpu, 'cpu.stat');
  const seconds = (key: string): number | undefined => {
    const microseconds = stat?.(key);
    return microseconds === undefined ? undefined : microsecondsToSeconds(microseconds);
  };
  const swap = fields(memory, 'memory.swap.events');
  return faults.found({
    lowBytes:
      memory?.version === 2
        ? faults.optional(readKernelValue(`${memory.path}/memory.low`, parseMemoryLimit))
        : undefined,
    lowEvents: fields(memory, 'memory.events')?.('low'),
    swapEvents: swap && { high: swap('high'), max: swap('max'), fail: swap('fail') },
    forcedIdleSeconds: seconds('core_sched.force_idle_usec'),
    bursts: stat?.('nr_bursts'),
    burstSeconds: seconds('burst_usec'),
  });
}
