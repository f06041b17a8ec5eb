import { isVouchedFor, readCgroupMounts, type CgroupMounts } from '../../sources/cgroup/cgroup.ts';
import { readKernelFile } from '../../sources/kernel/kernel-file.ts';
import type { Roots } from '../../sources/kernel/roots.ts';
import { toValue } from '../../runtime/result.ts';
import type { IsAlone } from './guest-process-collector.ts';

/** A unit of systemd's, of which root makes the group. */
const UNIT = /^\/(?:system|machine)\.slice\/.*\.(?:service|scope)$/;

/**
 * Whether a QEMU that no manager of guests runs has a group to itself: a unit of its own that holds
 * exactly this process. The group's numbers are the guest's then. Ask again at each look: a parent that
 * waited for its QEMU to be up is gone a moment later, and a helper may come.
 */
export function aloneInGroup(roots: Roots): IsAlone {
  let mounts: CgroupMounts | undefined;
  return (group, pid) => {
    mounts ??= toValue(readCgroupMounts(roots));
    if (mounts === undefined || !UNIT.test(group.name) || !isVouchedFor(group, mounts))
      return false;
    const directories = [...group.controllers.values()].map(({ path }) => path);
    if (group.unifiedPath !== undefined) directories.push(group.unifiedPath);
    return directories.every(
      (path) => toValue(readKernelFile(`${path}/cgroup.procs`))?.trim() === String(pid),
    );
  };
}
