import type { CpuThrottling, GuestCgroupCpu } from '../cgroup.ts';

/**
 * How often and how long quotas stopped a guest: the sum over the cgroups of the guest, its vCPUs,
 * emulator and iothreads, as a group's cpu.stat counts its own quota only, not those of the groups
 * inside. Undefined where none of them has figures.
 */
export function computeThrottling(cpu: GuestCgroupCpu | undefined): CpuThrottling | undefined {
  if (cpu === undefined) return undefined;
  let sum = cpu.throttling;
  for (const vcpu of cpu.vcpus.values()) sum = addThrottling(sum, vcpu.throttling);
  for (const iothread of cpu.iothreads.values()) sum = addThrottling(sum, iothread.throttling);
  return addThrottling(sum, cpu.emulator?.throttling);
}

/** Of two groups together; undefined where neither has figures. */
export function addThrottling(
  one: CpuThrottling | undefined,
  other: CpuThrottling | undefined,
): CpuThrottling | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return {
    periods: one.periods + other.periods,
    throttledPeriods: one.throttledPeriods + other.throttledPeriods,
    throttledSeconds: one.throttledSeconds + other.throttledSeconds,
  };
}
