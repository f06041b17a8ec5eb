import { fileURLToPath } from 'node:url';

import type { Result } from '../../../src/runtime/result.ts';
import type { Roots } from '../../../src/sources/kernel/roots.ts';

const FIXTURES = fileURLToPath(new URL('../../fixtures', import.meta.url));

/**
 * One made-up host: two sockets and NUMA nodes, SMT, CPU 7 offline, 5 and 6 isolated, 256 GiB, zram,
 * zswap, KSM of kernel 6.18, Intel. Process 4242 is the guest `web,front`.
 */
export const HOST: Roots = {
  procfs: `${FIXTURES}/proc`,
  sysfs: `${FIXTURES}/sys`,
  rootfs: '',
};

/** An AMD host with the KSM files of kernel 6.1 and not much else. */
export const AMD_HOST: Roots = { ...HOST, sysfs: `${FIXTURES}/sys-amd` };

/** Where nothing is mounted. */
export const NOWHERE: Roots = {
  procfs: `${FIXTURES}/nowhere`,
  sysfs: `${FIXTURES}/nowhere`,
  rootfs: '',
};

export function cgroupHost(
  tree: 'cgroup-v1' | 'cgroup-v2' | 'cgroup-v2-debian13' | 'cgroup-hybrid',
): Roots {
  return { procfs: `${FIXTURES}/${tree}/proc`, sysfs: `${FIXTURES}/${tree}/sys`, rootfs: '' };
}

/** The value of a reading which must have one. */
export function valueIn<T>(reading: Result<T>): T {
  if (!reading.ok) throw new Error(`${reading.error.subject}: ${reading.error.detail}`);
  return reading.value;
}

/** Why a reading has none, or `a value`. */
export function failureOf(reading: Result<unknown>): string {
  return reading.ok ? 'a value' : reading.error.kind;
}
