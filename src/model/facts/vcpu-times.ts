import type { Domain } from '../domain.ts';

/** Of one vCPU, in nanoseconds since its QEMU started. Undefined: not told. */
export interface VcpuTimes {
  readonly index: number;
  /** Time it ran on a CPU. */
  readonly runNanoseconds: bigint | undefined;
  /** Time it was ready to run but waited for a CPU; time throttled by a quota counts as well. */
  readonly delayNanoseconds: bigint | undefined;
}

/**
 * By vCPU thread from /proc/<pid>/task/<tid>/schedstat; libvirt's `vcpu.<n>.time` and `.delay` where
 * /proc of the guest is out of reach.
 */
export function listVcpuTimes({ process, libvirtCpu }: Domain): readonly VcpuTimes[] {
  if (process?.threads === undefined) {
    return (libvirtCpu?.vcpus ?? []).map(({ index, timeNanoseconds, delayNanoseconds }) => ({
      index,
      runNanoseconds: timeNanoseconds,
      delayNanoseconds,
    }));
  }
  return process.threads.flatMap(({ role, schedule }) =>
    role.kind === 'vcpu'
      ? {
          index: role.index,
          runNanoseconds: schedule?.runNanoseconds,
          delayNanoseconds: schedule?.delayNanoseconds,
        }
      : [],
  );
}
