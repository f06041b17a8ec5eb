import { readKernelFile, readKernelInteger, readKernelValue } from '../kernel/kernel-file.ts';
import { parseSwitch } from '../kernel/kernel-text.ts';
import { failed, Faults, found, isAbsence, type Reading } from '../../runtime/reading.ts';
import type { Roots } from '../kernel/roots.ts';

/**
 * How KVM runs on this host, from `/sys/module/kvm*` (built in or loaded). Parameters the module
 * does not have are undefined (Documentation/admin-guide/kernel-parameters.txt, "kvm.").
 */
export interface KvmModule {
  /** Undefined where KVM needs no second module (arm64, s390) or uses another one. */
  readonly vendor: 'intel' | 'amd' | undefined;
  /** Hardware second-level page tables: EPT or NPT. Off means shadow paging. */
  readonly secondLevelPaging: boolean | undefined;
  /**
   * EPT accessed/dirty bits (Intel). Off means that ageing guest memory costs page faults: bad with
   * swap. NPT always has them, so undefined on AMD.
   */
  readonly accessedDirtyBits: boolean | undefined;
  readonly nested: boolean | undefined;
  /** How long a halting vCPU polls before it gives up its CPU. */
  readonly haltPollSeconds: number | undefined;
  /** The scalable page-table code is in use (x86, since 5.10). */
  readonly tdpMmu: boolean | undefined;
}

/** `absent` when the kernel has no KVM: guests on this host are emulated. */
export function readKvmModule(roots: Roots): Reading<KvmModule> {
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

function readVendor(modules: string): Reading<KvmModule['vendor']> {
  for (const vendor of ['intel', 'amd'] as const) {
    const parameter = readKernelFile(`${modules}/kvm_${vendor}/parameters/nested`);
    if (parameter.ok) return found(vendor);
    if (!isAbsence(parameter.error)) return parameter;
  }
  return found(undefined);
}
