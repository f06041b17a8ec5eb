import { readKernelFile, readKernelInteger, readKernelValue } from '../kernel/kernel-file.ts';
import { parseSwitch } from '../kernel/kernel-text.ts';
import { failed, Faults, found, isAbsence, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { KvmModule } from '../../model/host.ts';

/** `absent` when the kernel has no KVM: guests on this host are emulated. */
export function readKvmModule(roots: Roots): Result<KvmModule> {
  const modules = `${roots.sysfs}/module`;
  const known = readVendor(modules);
  if (!known.ok) return known;
  const vendor = known.value;
  const faults = new Faults();
  const nanoseconds = readKernelInteger(`${modules}/kvm/parameters/halt_poll_ns`);
  if (!nanoseconds.ok && nanoseconds.error.kind === 'absent' && vendor === undefined) {
    return failed('absent', `${modules}/kvm`, 'KVM is not loaded');
  }
  const flag = (module: string, parameter: string): boolean | undefined =>
    faults.optional(readKernelValue(`${modules}/${module}/parameters/${parameter}`, parseSwitch));
  const vendorFlag = (parameter: string): boolean | undefined =>
    vendor === undefined ? undefined : flag(`kvm_${vendor}`, parameter);
  const haltPollNanoseconds = faults.optional(nanoseconds);
  return faults.found({
    vendor,
    secondLevelPaging: vendorFlag(vendor === 'amd' ? 'npt' : 'ept'),
    accessedDirtyBits: vendor === 'intel' ? vendorFlag('eptad') : undefined,
    nested: vendorFlag('nested'),
    haltPollSeconds: haltPollNanoseconds === undefined ? undefined : haltPollNanoseconds / 1e9,
    tdpMmu: flag('kvm', 'tdp_mmu'),
  });
}

function readVendor(modules: string): Result<KvmModule['vendor']> {
  for (const vendor of ['intel', 'amd'] as const) {
    const parameter = readKernelFile(`${modules}/kvm_${vendor}/parameters/nested`);
    if (parameter.ok) return found(vendor);
    if (!isAbsence(parameter.error)) return parameter;
  }
  return found(undefined);
}
