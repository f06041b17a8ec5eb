/** CPU quotas in CPUs: the one place that divides a quota by its period. */

import type { CpuBandwidth } from '../domain-config.ts';
import type { CpuQuota } from '../cgroup.ts';

/** libvirt's period where the XML has none (virDomainCputune, 100 ms as the kernel's default). */
const DEFAULT_PERIOD_MICROSECONDS = 100_000;

/** CPUs by a quota of a cgroup; undefined: not known, or unlimited. */
export function cpusOfQuota(quota: CpuQuota | undefined): number | undefined {
  if (quota === undefined || quota === 'unlimited') return undefined;
  // In the kernel's microseconds, or 0.15 / 0.1 would be 1.4999999999999998.
  return microseconds(quota.quotaSeconds) / microseconds(quota.periodSeconds);
}

/** CPUs by a quota of the XML; undefined: no limit. */
export function cpusOfBandwidth(bandwidth: CpuBandwidth | undefined): number | undefined {
  if (bandwidth?.quotaMicroseconds === undefined) return undefined;
  return (
    bandwidth.quotaMicroseconds / (bandwidth.periodMicroseconds ?? DEFAULT_PERIOD_MICROSECONDS)
  );
}

/** Of several quotas in CPUs what they come to, rounded once: 0.1 + 0.2 is 0.3. */
export function sumOfCpus(cpus: readonly number[]): number {
  return Math.round(cpus.reduce((sum, one) => sum + one, 0) * 1e6) / 1e6;
}

function microseconds(seconds: number): number {
  return Math.round(seconds * 1e6);
}
